package floxtest

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/internal/hook"
)

const (
	year = 365 * 24 * time.Hour
	// forever is when a run that is still there is given up.
	forever = 20 * year
	// runID is that of every run that is given no other.
	runID = "test"
)

// drive makes one run, in a bubble, and stops all that it started.
func (h *Harness[S, I, O]) drive(in I) (flox.Result[S, O], error) {
	var none flox.Result[S, O]
	clear(h.attempts)
	st := newQuietStore()
	orch, err := flox.NewOrchestrator(st, h.wf, nil)
	if err != nil {
		return none, err
	}
	// Leases outlast every run, so that no heartbeat moves the clock.
	cfg := &flox.WorkerConfig{
		Name: "floxtest", Concurrency: h.slots, Lease: 10 * forever, Quantum: forever,
		Logger: slog.New(slog.DiscardHandler),
	}
	worker, err := flox.NewWorker(st, cfg, hook.Instrument(h.wf, h.code, h.before).(flox.Definition))
	if err != nil {
		return none, err
	}
	ctx, stop := context.WithCancel(context.Background())
	var started sync.WaitGroup
	defer started.Wait()
	defer stop()
	id, err := orch.Start(ctx, in, slices.Concat([]flox.StartOption{flox.WithID(runID)}, h.options)...)
	if err != nil {
		return none, err
	}
	started.Go(func() { h.sendAll(ctx, orch, id) })
	started.Go(func() { _ = worker.Run(ctx) }) // it fails only if it cannot register
	info, err := st.untilEnd(ctx, id)
	if err != nil {
		return none, err
	}
	if h.last, err = h.report(ctx, st, info); err != nil || h.last.stuck != nil {
		return none, err
	}
	return orch.Wait(ctx, id)
}

// untilEnd waits for the end of a run, but not longer than for ever.
func (q *quietStore) untilEnd(ctx context.Context, id string) (flox.RunInfo, error) {
	giveUp := time.NewTimer(forever)
	defer giveUp.Stop()
	for {
		news := q.next()
		info, err := q.Info(ctx, id)
		if err != nil || info.Status.Terminal() {
			return info, err
		}
		select {
		case <-news:
		case <-giveUp.C:
			return info, nil
		}
	}
}
