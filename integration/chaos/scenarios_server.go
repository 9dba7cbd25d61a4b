package main

import (
	"context"
	"errors"
	"time"

	"github.com/floxrun/flox/integration/load"
	"github.com/floxrun/flox/pkg/flox"
)

func init() {
	register(
		scenario{name: "script-flush", row: "SCRIPT FLUSH every 300 ms", short: true, run: scriptFlush},
		scenario{name: "flushall", row: "FLUSHALL once", run: flushAll},
		scenario{name: "lost-queues", row: "the queues are deleted", short: true, run: lostQueues},
		scenario{
			name: "forgotten-worker", row: "a worker that died is forgotten while its work is pending", short: true,
			bugs: []string{"drop-consumers"}, run: forgottenWorker,
		},
	)
}

func scriptFlush(ctx context.Context, t *trial) error {
	t.Fired("SCRIPT FLUSH", 0)
	// A command that met no script was not done, so workers count no more than is done.
	if err := t.Metered(ctx, 3); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 40)
	if err != nil {
		return err
	}
	err = every(ctx, 300*time.Millisecond, harmed, func() error {
		for _, node := range t.Nodes() {
			if err := node.ScriptFlush(ctx).Err(); err != nil {
				return err
			}
		}
		t.Fired("SCRIPT FLUSH", 1)
		return nil
	})
	t.Calm()
	return errors.Join(err, f.End())
}

// flushAll empties the server. The runs are lost; workers go on with new ones as
// soon as they have registered their workflows again.
func flushAll(ctx context.Context, t *trial) error {
	t.Fired("FLUSHALL", 0)
	if err := t.Workers(ctx, 3); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 40)
	if err != nil {
		return err
	}
	if _, err := t.Busy(ctx); err != nil {
		return err
	}
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	if err := f.End(); err != nil {
		return err
	}
	t.mu.Lock()
	clear(t.wants)
	t.mu.Unlock()
	t.Case.Lost = true
	for _, node := range t.Nodes() {
		if err := node.FlushAll(ctx).Err(); err != nil {
			return err
		}
	}
	began := time.Now()
	t.Fired("FLUSHALL", 1)
	ctl, err := t.Control(ctx)
	if err != nil {
		return err
	}
	probe := load.Run{ID: "after-0", Workflow: load.MeshName, Input: load.Mesh{Width: 4, Nap: 10}}
	err = t.Await(ctx, "a run can be started again", func() (bool, error) {
		err := t.Start(ctx, ctl, probe)
		if errors.Is(err, flox.ErrNotFound) {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return err
	}
	t.Measure("registered again", time.Since(began).Seconds())
	t.Calm()
	for i, workflow := range []string{load.ChainName, load.MeshName} {
		run := load.Run{ID: []string{"after-1", "after-2"}[i], Workflow: workflow, Input: load.Mesh{Width: 4, Nap: 10}}
		if workflow == load.ChainName {
			run.Input = load.Chain{Left: 3, Nap: 10, Wait: 50}
		}
		if err := t.Start(ctx, ctl, run); err != nil {
			return err
		}
	}
	return nil
}

// lostQueues deletes the queues with all that is ready and leased in them: workers
// make them again from the runs' records.
func lostQueues(ctx context.Context, t *trial) error {
	t.Fired("queues deleted", 0)
	if err := t.Workers(ctx, 3); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 40)
	if err != nil {
		return err
	}
	for range 2 {
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
		if _, err := t.Busy(ctx); err != nil {
			return err
		}
		prefix := "flox:{" + t.Namespace + ":0}:queue:"
		n, err := t.clients[0].Del(ctx, prefix+load.MeshName, prefix+load.SecondQueue, prefix+load.ChainName).Result()
		if err != nil {
			return err
		}
		t.Fired("queues deleted", int(n))
	}
	t.Calm()
	return f.End()
}

// forgottenWorker kills a worker and makes it look as if that was long ago: another
// one forgets it while its items are pending with it.
func forgottenWorker(ctx context.Context, t *trial) error {
	t.Fired("worker forgotten with work in hand", 0)
	if err := t.Workers(ctx, 2); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 40)
	if err != nil {
		return err
	}
	for range 3 {
		w, err := t.Busy(ctx)
		if err != nil {
			return err
		}
		t.Fleet.Kill(w)
		if err := t.age(ctx, w.Name); err != nil {
			return err
		}
		// Its first sign of life is to look for those that were silent for long.
		if err := t.Workers(ctx, 1); err != nil {
			return err
		}
		t.Fired("worker forgotten with work in hand", 1)
		if err := pause(ctx, lease); err != nil {
			return err
		}
	}
	t.Calm()
	return f.End()
}

// age makes the last sign of life of the workers of a name two days older.
func (t *trial) age(ctx context.Context, name string) error {
	key := "flox:{" + t.Namespace + "}:workers"
	ids, err := t.clients[0].ZRange(ctx, key, 0, -1).Result()
	if err != nil {
		return err
	}
	for _, id := range ids {
		if len(id) > len(name) && id[:len(name)+1] == name+"-" {
			if err := t.clients[0].ZIncrBy(ctx, key, -float64(48*time.Hour/time.Millisecond), id).Err(); err != nil {
				return err
			}
		}
	}
	return nil
}
