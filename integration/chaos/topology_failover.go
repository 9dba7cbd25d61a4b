package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

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
		harm      harm
		wait      bool
	}{
		{"sentinel-kill-wait", "Sentinel: master killed, durability wait", killed, true},
		{"sentinel-hang-wait", "Sentinel: master stopped, durability wait", hung, true},
		{"sentinel-cut-wait", "Sentinel: master killed behind its replicas' back, durability wait", cut, true},
		{"sentinel-cut-async", "Sentinel: master killed behind its replicas' back, durability async", cut, false},
		{"sentinel-kill-async", "Sentinel: master killed, durability async", killed, false},
		{"sentinel-hang-async", "Sentinel: master stopped, durability async", hung, false},
	} {
		register(scenario{
			name: s.name, row: s.row, topologies: []string{sentinel},
			run: func(ctx context.Context, t *trial) error { return failover(ctx, t, s.harm, s.wait) },
		})
	}
}

// failover takes the master away while all are busy, twice, and lets it come back.
func failover(ctx context.Context, t *trial, h harm, wait bool) error {
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
	f := t.feed(ctx, ctl, 60)
	t.Fired("master "+h.fault, 0)
	if h.fault == cut.fault && !wait {
		t.Fired(lostStarts, 0)
	}
	for range 2 {
		if err := pause(ctx, 2*time.Second); err != nil {
			return err
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
