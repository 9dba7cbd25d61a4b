package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/integration/load"
	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
)

// harm is what is done to a master, and undone. replicas are its own.
type harm struct {
	fault string
	do    func(ctx context.Context, master *testredis.Server, replicas []*testredis.Server) error
	undo  func(ctx context.Context, master *testredis.Server) error
}

var (
	killed = harm{
		"SIGKILL",
		func(_ context.Context, n *testredis.Server, _ []*testredis.Server) error { n.Kill(); return nil },
		func(ctx context.Context, n *testredis.Server) error { return n.Start(ctx) },
	}
	hung = harm{
		"SIGSTOP",
		func(_ context.Context, n *testredis.Server, _ []*testredis.Server) error { return n.Pause() },
		func(_ context.Context, n *testredis.Server) error { return n.Continue() },
	}
)

// cut is a master that is killed when it has worked for a while without its
// replicas: what it did meanwhile is gone.
var cut = harm{
	"SIGKILL without replicas",
	func(ctx context.Context, master *testredis.Server, replicas []*testredis.Server) error {
		for _, r := range replicas {
			if err := r.Pause(); err != nil {
				return err
			}
		}
		c := master.Client()
		defer c.Close()
		// What is on its way to them in the kernel would reach them all the same.
		if err := c.ClientKillByFilter(ctx, "TYPE", "replica").Err(); err != nil {
			return err
		}
		if err := pause(ctx, 800*time.Millisecond); err != nil { // the Sentinels must not see it
			return err
		}
		master.Kill()
		for _, r := range replicas {
			if err := r.Continue(); err != nil {
				return err
			}
		}
		return nil
	},
	killed.undo,
}

func init() {
	for _, s := range []struct {
		name, row string
		failover
	}{
		{"sentinel-kill-wait", "Sentinel: master killed, durability wait", failover{harm: killed, wait: true}},
		{"sentinel-hang-wait", "Sentinel: master stopped, durability wait", failover{harm: hung, wait: true}},
		{"sentinel-cut-wait", "Sentinel: master killed behind its replicas' back, durability wait", failover{harm: cut, wait: true}},
		{
			"sentinel-cut-wait-full", "Sentinel: master killed behind its replicas' back while more comes than workers can do, durability wait",
			failover{harm: cut, wait: true, saturated: true},
		},
		{"sentinel-cut-async", "Sentinel: master killed behind its replicas' back, durability async", failover{harm: cut}},
		{"sentinel-kill-async", "Sentinel: master killed, durability async", failover{harm: killed}},
		{"sentinel-hang-async", "Sentinel: master stopped, durability async", failover{harm: hung}},
	} {
		register(scenario{
			name: s.name, row: s.row, topologies: []string{sentinel}, run: s.run, unwatched: s.saturated, apart: s.saturated,
		})
	}
}

// failover is what is done to masters, and with which durability.
type failover struct {
	harm      harm
	wait      bool
	saturated bool // more is started than the workers can do
}

// run takes the master away while all are busy, twice, and lets it come back.
func (o failover) run(ctx context.Context, t *trial) error {
	h, wait, perSecond := o.harm, o.wait, 60
	site := t.Site.Extra.(*testredis.SentinelServer)
	t.judgeAcknowledged(!wait)
	t.Case.Lost = !wait
	open, env := t.Control, []string{}
	if wait {
		open, env = t.waitingControl, []string{durable}
	}
	if err := t.Workers(ctx, 3, env...); err != nil {
		return err
	}
	ctl, err := open(ctx)
	if err != nil {
		return err
	}
	if o.saturated {
		perSecond, t.Within = 300, 2*time.Minute
		t.Fired("items waiting", 0)
	}
	f := t.feed(ctx, ctl, perSecond)
	t.Fired("master "+h.fault, 0)
	if h.fault == cut.fault && !wait {
		t.Fired(lostStarts, 0)
	}
	for range 2 {
		if err := pause(ctx, 2*time.Second); err != nil {
			return err
		}
		if o.saturated {
			if err := t.countWaiting(ctx); err != nil {
				return errors.Join(err, f.End())
			}
		}
		if err := t.promote(ctx, site, h, wait); err != nil {
			return errors.Join(err, f.End())
		}
	}
	if err := f.End(); err != nil {
		return err
	}
	if err := t.judgeStarts(ctx, !wait); err != nil {
		return err
	}
	t.Calm()
	return nil
}

// countWaiting counts the items that no worker has a slot for.
func (t *trial) countWaiting(ctx context.Context) error {
	st, err := t.Store(ctx)
	if err != nil {
		return err
	}
	queues, err := st.Queues(ctx, []string{load.MeshName, load.ChainName, load.ApprovalName})
	for _, q := range queues {
		t.Fired("items waiting", int(q.Ready))
	}
	return err
}

// promote takes the master away until another one has its place.
func (t *trial) promote(ctx context.Context, site *testredis.SentinelServer, h harm, wait bool) error {
	old, err := site.Master(ctx)
	if err != nil {
		return err
	}
	var replicas []*testredis.Server
	for _, n := range site.Nodes {
		if n != old {
			replicas = append(replicas, n)
		}
	}
	if err := h.do(ctx, old, replicas); err != nil {
		return err
	}
	began, stalled := time.Now(), t.stalls.sum()
	if _, err := site.Promoted(ctx, old); err != nil {
		return err
	}
	t.Fired("master "+h.fault, 1)
	// How long the Sentinels take to agree is theirs; flox is to follow at once.
	promoted := time.Since(began)
	t.Measure("failover", promoted.Seconds())
	follow := 500 * time.Millisecond
	if wait { // for the other replica to find its new master
		follow += time.Second
	}
	most := max(testredis.DownAfter+2*time.Second, promoted+follow)
	if err := t.judgeGap(ctx, began, stalled, most, anyRun); err != nil {
		return err
	}
	if err := h.undo(ctx, old); err != nil {
		return err
	}
	return old.AwaitInfo(ctx, "replication", "master_link_status:up")
}

// lostStarts is the fault that a scenario is about in which writes must be lost: it
// shows that losses are seen.
const lostStarts = "acknowledged starts lost"

// judgeStarts looks for runs whose start was acknowledged and which are gone. If
// losses are allowed they are counted and nothing more is expected of them.
func (t *trial) judgeStarts(ctx context.Context, allowed bool) error {
	masters, err := t.Masters(ctx)
	if err != nil {
		return err
	}
	lost := 0
	for id := range t.Wants() {
		there, err := t.exists(ctx, masters, id)
		if err != nil {
			return err
		}
		t.Judge("ack", there || allowed, "the acknowledged start of run %s was lost", id)
		if !there {
			lost++
			t.forget(id)
		}
	}
	t.Measure("starts lost", float64(lost))
	if _, must := t.faults[lostStarts]; must {
		t.Fired(lostStarts, lost)
	}
	return nil
}

// exists reports whether any of the masters has a run.
func (t *trial) exists(ctx context.Context, masters []*redis.Client, id string) (bool, error) {
	parts, err := t.partitions(ctx, masters)
	if err != nil {
		return false, err
	}
	key := fmt.Sprintf("flox:{%s:%d}:run:%s", t.Namespace, flox.Partition(id, parts), id)
	for _, m := range masters {
		n, err := m.Exists(ctx, key).Result()
		if err == nil {
			return n == 1, nil
		}
		if !redis.HasErrorPrefix(err, "MOVED") {
			return false, err
		}
	}
	return false, fmt.Errorf("no master has the slot of %s", key)
}

// partitions is how many the namespace has.
func (t *trial) partitions(ctx context.Context, masters []*redis.Client) (int, error) {
	var last error
	for _, m := range masters {
		n, err := m.HGet(ctx, "flox:{"+t.Namespace+"}:config", "partitions").Int()
		if err == nil {
			return n, nil
		}
		last = err
	}
	return 0, last
}

// forget expects nothing of a run any more.
func (t *trial) forget(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.wants, id)
}
