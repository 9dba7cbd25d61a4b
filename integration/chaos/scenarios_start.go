package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/integration/load"
	"github.com/floxrun/flox/integration/proxy"
	"github.com/floxrun/flox/pkg/flox"
)

func init() {
	register(scenario{name: "start-killed", row: "orchestrator killed in the middle of start, start repeated with the same id 20 times", short: true, run: startKilled})
}

// starting reports whether a command starts runs: the scripts that do are given
// the index of those that have not ended, the counts, and the runs, in one order or
// another.
func starting(c proxy.Command) bool {
	keys := c.Keys()
	is := func(i int, name string) bool { return i < len(keys) && bytes.Contains(keys[i], []byte("}:"+name)) }
	return len(keys) == 5 && is(0, "run:") && is(1, "runs:active") && is(2, "stats") && is(3, "delayed") ||
		is(0, "runs:active") && is(1, "stats") && is(2, "run:") && is(3, "queue:")
}

// startKilled kills processes that start a run, before the server gets the start
// or after it took effect, and repeats each start 20 times.
func startKilled(ctx context.Context, t *trial) error {
	const rounds, repeats = 6, 20
	t.Fired("orchestrator killed", 0)
	if err := t.Workers(ctx, 2); err != nil {
		return err
	}
	ctl, err := t.Control(ctx)
	if err != nil {
		return err
	}
	for i := range rounds {
		run := load.Run{ID: fmt.Sprintf("once-%d", i), Workflow: load.MeshName, Input: load.Mesh{Width: 4, Nap: 10}}
		if err := t.killStarter(ctx, run, i%2 == 1); err != nil {
			return err
		}
		t.Fired("orchestrator killed", 1)
		there := 0
		for range repeats {
			err := run.StartOnce(ctx, ctl)
			switch {
			case errors.Is(err, flox.ErrRunExists):
				there++
			case err != nil:
				return err
			}
		}
		want := repeats - 1 // the first repeat is the start
		if i%2 == 1 {
			want = repeats
		}
		t.Judge("starts", there == want, "%d of %d repeats found the run there, want %d", there, repeats, want)
		t.Expect(run.ID, load.Want(run))
	}
	t.Calm()
	t.FinalCheck = func(_ context.Context, _ *checker.Snapshot, log []checker.Execution) error {
		splits := map[string]int{}
		for _, e := range log {
			if e.Node == "split" && e.Event == checker.Start {
				splits[e.Run]++
			}
		}
		for run, n := range splits {
			t.Judge("starts", n == 1, "run %s began %d times", run, n)
		}
		return nil
	}
	return nil
}

// killStarter kills a process at its start of a run.
func (t *trial) killStarter(ctx context.Context, run load.Run, after bool) error {
	p, err := t.Proxy()
	if err != nil {
		return err
	}
	held := p.HoldRequest(starting)
	if after {
		held = p.HoldReply(starting, tookEffect)
	}
	w, err := t.Fleet.Orchestrate(run, "FLOX_REDIS=redis://"+p.Addr())
	if err != nil {
		return err
	}
	defer t.Fleet.Kill(w)
	return t.Await(ctx, "a start is under way", func() (bool, error) {
		select {
		case <-held.Done():
			return true, nil
		case <-w.Ended():
			return false, fmt.Errorf("the process that starts has ended with code %d", w.ExitCode())
		default:
			return false, nil
		}
	})
}
