package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/integration/load"
	"github.com/floxrun/flox/pkg/flox"
)

func init() {
	register(
		scenario{name: "backlog", row: "10,000-run backlog", short: true, unwatched: true, apart: true, run: backlog},
		scenario{name: "wide", row: "one run with 10,000 parallel items", short: true, run: wide},
	)
}

// backlog starts runs while no worker lives and measures how fast they are done,
// for a small backlog and for a large one, twice: the machine has other work too.
func backlog(ctx context.Context, t *trial) error {
	small, large, rounds := 1000, 10_000, 4
	if t.Short {
		small, large, rounds = 300, 1000, 2
	}
	t.Fired("runs waiting", 0)
	if err := t.Workers(ctx, 1); err != nil {
		return err
	}
	ctl, err := t.Control(ctx)
	if err != nil {
		return err
	}
	var best [2]float64
	total := 0
	for round := range rounds {
		n := []int{small, large}[round%2]
		for _, w := range t.Fleet.Workers() {
			t.Fleet.Drain(w)
		}
		err := t.startAll(ctx, ctl, n, func(i int) load.Run {
			return load.Run{ID: fmt.Sprintf("wait-%d-%d", round, i), Workflow: load.ChainName, Input: load.Chain{Left: 1}}
		})
		if err != nil {
			return err
		}
		t.Fired("runs waiting", n)
		began := time.Now()
		if err := t.Workers(ctx, 2, "FLOX_LEASE=10s"); err != nil {
			return err
		}
		total += n
		if err := t.awaitCompleted(ctx, total); err != nil {
			return err
		}
		best[round%2] = max(best[round%2], float64(n)/time.Since(began).Seconds())
	}
	t.Calm()
	t.Measure(fmt.Sprintf("runs/s of %d", small), best[0])
	t.Measure(fmt.Sprintf("runs/s of %d", large), best[1])
	if !t.Short { // beside other scenarios, rates say little
		t.Judge("backlog rate", best[1] >= 0.8*best[0], "%d waiting runs are done at %.0f/s, %d at %.0f/s; want at least 80 %%", small, best[0], large, best[1])
	}
	return nil
}

// startAll starts n runs, some at a time.
func (t *trial) startAll(ctx context.Context, ctl *flox.Control, n int, run func(i int) load.Run) error {
	var wg sync.WaitGroup
	next, errs := make(chan int), make(chan error, 1)
	for range 16 {
		wg.Go(func() {
			for i := range next {
				if err := t.Start(ctx, ctl, run(i)); err != nil {
					select {
					case errs <- err:
					default:
					}
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// awaitCompleted waits until n runs have completed.
func (t *trial) awaitCompleted(ctx context.Context, n int) error {
	key := "flox:{" + t.Namespace + ":0}:runs:completed"
	return t.Await(ctx, fmt.Sprintf("%d runs have completed", n), func() (bool, error) {
		done, err := t.clients[0].ZCard(ctx, key).Result()
		return done >= int64(n), err
	})
}

// wide starts one run with very many branches, and small ones beside it, each of
// which must begin soon.
func wide(ctx context.Context, t *trial) error {
	width, probes := 10_000, 20
	if t.Short {
		width, probes = 2000, 8
	}
	t.Fired("items in parallel", 0)
	if err := t.Workers(ctx, 2); err != nil {
		return err
	}
	ctl, err := t.Control(ctx)
	if err != nil {
		return err
	}
	t.Longest = time.Duration(width) * 5 * time.Millisecond
	if err := t.Start(ctx, ctl, load.Run{ID: "wide", Workflow: load.MeshName, Input: load.Mesh{Width: width}}); err != nil {
		return err
	}
	if err := t.AwaitStarts(ctx, "wide", "first", 1); err != nil {
		return err
	}
	started := map[string]time.Time{}
	stalled := map[string]time.Duration{}
	for i := range probes {
		id := fmt.Sprintf("probe-%d", i)
		started[id], stalled[id] = time.Now(), t.stalls.sum()
		run := load.Run{ID: id, Workflow: load.MeshName, Input: load.Mesh{Width: 1}}
		if err := t.Start(ctx, ctl, run); err != nil {
			return err
		}
		if err := t.AwaitStarts(ctx, id, "split", 1); err != nil {
			return err
		}
		stalled[id] = t.stalls.sum() - stalled[id]
	}
	t.Calm()
	t.FinalCheck = func(_ context.Context, _ *checker.Snapshot, log []checker.Execution) error {
		var over time.Time // when the wide run had no branch to begin any more
		items := 0
		for _, e := range log {
			if e.Run == "wide" && e.Event == checker.Start && e.Node != "sum" {
				over = e.At
				items++
			}
		}
		t.Fired("items in parallel", items)
		beside := 0
		for _, e := range log {
			begun, probe := started[e.Run]
			if !probe || e.Node != "split" || e.Event != checker.Start || begun.After(over) {
				continue
			}
			beside++
			took := e.At.Sub(begun)
			t.Measure("start beside a wide run", took.Seconds())
			t.Judge("L6", took-stalled[e.Run] <= 2*time.Second, "run %s began %v after its start, beside a run of %d branches", e.Run, took, width)
		}
		t.Fired("starts beside it", beside)
		return nil
	}
	return nil
}
