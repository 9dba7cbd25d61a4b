package main

import (
	"context"
	"errors"
	"time"

	"github.com/floxrun/flox/internal/testredis"
)

func init() {
	register(scenario{
		name: "replicas-stop-wait", row: "Sentinel: all replicas stopped for 8 leases, durability wait",
		topologies: []string{sentinel}, run: replicasStop,
	})
}

// replicasStop stops what is to confirm everything, for longer than an item may
// crash, and meanwhile restarts a worker that waits. Nothing may fail of it.
func replicasStop(ctx context.Context, t *trial) error {
	const away, grace = 8 * time.Second, time.Second
	site := t.Site.Extra.(*testredis.SentinelServer)
	t.judgeAcknowledged(false)
	env := []string{durable, "FLOX_DRAIN_GRACE=" + grace.String()}
	if err := t.Workers(ctx, 3, env...); err != nil {
		return err
	}
	ctl, err := t.waitingControl(ctx)
	if err != nil {
		return err
	}
	f := t.feed(ctx, ctl, 60)
	t.Fired("replicas SIGSTOP", 0)
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	err = func() (err error) {
		master, err := site.Master(ctx)
		if err != nil {
			return err
		}
		for _, n := range site.Nodes {
			if n == master {
				continue
			}
			if err := n.Pause(); err != nil {
				return err
			}
			defer func() { err = errors.Join(err, n.Continue()) }()
			t.Fired("replicas SIGSTOP", 1)
		}
		if err := pause(ctx, away/2); err != nil {
			return err
		}
		for _, w := range t.Fleet.Workers() {
			took := t.Fleet.Drain(w)
			t.Measure("drain of a worker", took.Seconds())
			t.Judge("L8", took <= grace+4*time.Second+t.stalls.sum() && w.ExitCode() == 0, "worker %s took %v to end with code %d, grace %v", w.Name, took, w.ExitCode(), grace)
			if _, err := t.Fleet.Start(env...); err != nil {
				return err
			}
		}
		return pause(ctx, away/2)
	}()
	if err := errors.Join(err, f.End()); err != nil {
		return err
	}
	t.Calm()
	return nil
}
