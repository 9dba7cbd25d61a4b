package main

import (
	"context"
	"fmt"
	"time"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/integration/load"
)

func init() {
	for _, s := range []struct {
		name, row string
		input     load.Mischief
		starts    int      // of each bad item
		deaths    int      // of workers by each bad run
		bugs      []string // found
	}{
		{"node-panics", "node panics", load.Mischief{Do: load.Panics}, load.MischiefAttempts, 0, nil},
		{"node-exits", "node exits the process", load.Mischief{Do: load.Exits}, crashLimit, crashLimit, []string{"no-crash-count"}},
		{"node-spins", "node loops for ever and ignores its context", load.Mischief{Do: load.Spins}, load.MischiefAttempts, 0, nil},
		{"node-bloats", "node returns 64 MB", load.Mischief{Do: load.Bloats, Size: 64 << 20}, 1, 0, nil},
	} {
		register(scenario{name: s.name, row: s.row, short: true, bugs: s.bugs, run: func(ctx context.Context, t *trial) error {
			return mischief(ctx, t, s.name, s.input, s.starts, s.deaths)
		}})
	}
	register(scenario{name: "unknown-node", row: "unknown node on this worker", short: true, run: unknownNode})
}

// crashLimit is how often an item may be started and lost with its worker.
const crashLimit = 3

// mischief lets some runs misbehave beside the usual load: each fails after a
// bounded number of attempts with an error record, and the load goes on.
func mischief(ctx context.Context, t *trial, name string, in load.Mischief, starts, deaths int) error {
	bad := 2
	if deaths > 0 {
		// Beside several such nodes that are new, one that does no harm may be lost too
		// often: nothing tells them apart.
		bad = 1
	}
	t.Fired(name, 0)
	t.Fleet.Respawn(true)
	if err := t.Workers(ctx, 3); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 20)
	if err != nil {
		return err
	}
	ctl, err := t.Control(ctx)
	if err != nil {
		return err
	}
	var ids []string
	for i := range bad {
		id := fmt.Sprintf("bad-%d", i)
		if err := t.Start(ctx, ctl, load.Run{ID: id, Workflow: load.MischiefName, Input: in}); err != nil {
			return err
		}
		ids = append(ids, id)
	}
	ended := t.Await(ctx, "the bad runs have failed", func() (bool, error) {
		for _, id := range ids {
			if info, err := ctl.Show(ctx, id); err != nil || info.Status != "failed" {
				return false, err
			}
		}
		return true, nil
	})
	t.Judge("bad runs", ended == nil, "%v", ended)
	t.Calm()
	if err := f.End(); err != nil {
		return err
	}
	for _, id := range ids {
		records, err := ctl.Errors(ctx, id)
		if err != nil {
			return err
		}
		final := 0
		for _, r := range records {
			if r.Final && r.Message != "" && r.Node == "act" {
				final++
			}
		}
		t.Judge("error records", final == 1, "run %s has %d final error records that name the node, want 1: %+v", id, final, records)
	}
	t.FinalCheck = func(_ context.Context, _ *checker.Snapshot, log []checker.Execution) error {
		acts := map[string]int{}
		for _, e := range log {
			if e.Node == "act" && e.Event == checker.Start {
				acts[e.Run]++
			}
		}
		for _, id := range ids {
			// An item that was granted, and then lost with its worker because of another
			// one, was not begun; that counts against it none the less.
			ok := acts[id] == starts || deaths > 0 && acts[id] >= 1 && acts[id] <= starts
			t.Judge("attempts", ok, "run %s was begun %d times, want %d", id, acts[id], starts)
			t.Fired(name, acts[id])
		}
		died := t.Fleet.Died()
		t.Judge("workers", died >= deaths && died <= bad*deaths, "%d workers died, want %d to %d", died, deaths, bad*deaths)
		return nil
	}
	return nil
}

// unknownNode lets only workers of an old version live for a while: they give back
// what they do not know, and a new one does it.
func unknownNode(ctx context.Context, t *trial) error {
	const runs = 10
	t.Fired("handed back", 0)
	if err := t.Workers(ctx, 1); err != nil {
		return err
	}
	ctl, err := t.Control(ctx)
	if err != nil {
		return err
	}
	if _, err := ctl.Workflow(ctx, load.GrownName); err != nil {
		return err
	}
	for _, w := range t.Fleet.Workers() {
		t.Fleet.Drain(w)
	}
	for i := range runs {
		run := load.Run{ID: fmt.Sprintf("grown-%d", i), Workflow: load.GrownName, Input: load.Chain{Nap: 10}}
		if err := t.Start(ctx, ctl, run); err != nil {
			return err
		}
	}
	if err := t.Workers(ctx, 2, load.EnvOld+"=1"); err != nil {
		return err
	}
	for i := range runs {
		id := fmt.Sprintf("grown-%d", i)
		err := t.Await(ctx, "run "+id+" was handed back", func() (bool, error) {
			r := t.clients[0].HMGet(ctx, "flox:{"+t.Namespace+":0}:run:"+id, "status", "t:0")
			if r.Err() != nil || r.Val()[1] == nil {
				return false, r.Err()
			}
			t.Judge("unknown node", r.Val()[0] == "running", "run %s is %v", id, r.Val()[0])
			record := fmt.Sprint(r.Val()[1])
			return record[0] == 'd', nil // delayed: a worker has given it back
		})
		if err != nil {
			return err
		}
		t.Fired("handed back", 1)
	}
	// Its time comes within the delay, which has grown to a few seconds at most.
	t.Longest = 8 * time.Second
	if err := t.Workers(ctx, 1); err != nil {
		return err
	}
	// The old workers take the token too, and give it back with a longer delay.
	for _, w := range t.Fleet.Workers()[:2] {
		t.Fleet.Drain(w)
	}
	t.Calm()
	return nil
}
