package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

func w5() workload {
	return workload{
		name: "W5",
		about: "state: deltas of 100 bytes in one run, by items in parallel and by one token that goes round, then one read of the state; " +
			"asynq has none, its tasks push to a list",
		systems: []system{
			{"flox", stateFlox},
			{"asynq", func(ctx context.Context, e *env) ([]Sample, error) { return notesAsynq(ctx, e, "asynq") }},
		},
	}
}

func stateFlox(ctx context.Context, e *env) ([]Sample, error) {
	srv, err := e.server(ctx)
	if err != nil {
		return nil, err
	}
	p, err := e.worker(ctx, "flox", srv.URL(), "deltas", "loop")
	if err != nil {
		return nil, err
	}
	st, err := openStore(ctx, srv.URL())
	if err != nil {
		return nil, err
	}
	e.atEnd(func() { _ = st.Close() })
	wide, err := deltas()
	if err != nil {
		return nil, err
	}
	round, err := loop()
	if err != nil {
		return nil, err
	}
	all, err := stateOf(ctx, st, wide, e.deltas, "parallel")
	if err != nil {
		return nil, err
	}
	more, err := stateOf(ctx, st, round, e.deltas, "one by one")
	if err != nil {
		return nil, err
	}
	return append(all, more...), p.stop(ctx)
}

// stateOf does one run that adds so many deltas, and then reads its state.
func stateOf(ctx context.Context, st flox.Store, wf *flox.Workflow[notes, int, int], want int, how string) ([]Sample, error) {
	o, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	id, err := o.Start(ctx, want)
	if err != nil {
		return nil, err
	}
	if _, err := o.Control().Wait(ctx, id); err != nil {
		return nil, err
	}
	took := time.Since(began)
	began = time.Now()
	s, err := o.State(ctx, id)
	read := time.Since(began)
	if err == nil && len(s.Lines) != want {
		err = fmt.Errorf("the state of %s has %d lines, want %d", wf.Name(), len(s.Lines), want)
	}
	return []Sample{
		{Workload: "W5", System: "flox", Metric: "deltas, " + how, Unit: "deltas/s", Value: float64(want) / took.Seconds()},
		{Workload: "W5", System: "flox", Metric: "read, " + how, Unit: "ms", Value: milliseconds(read)},
	}, err
}

// notesAsynq has a task for each line, all enqueued before there is a worker.
func notesAsynq(ctx context.Context, e *env, setup string) ([]Sample, error) {
	srv, l, err := e.asynq(ctx, setup)
	if err != nil {
		return nil, err
	}
	enqueued, err := l.enqueueMany(ctx, "note", e.deltas)
	if err != nil {
		return nil, err
	}
	p, err := e.worker(ctx, "asynq", srv.Addr(), setup, fmt.Sprint(e.deltas))
	if err != nil {
		return nil, err
	}
	end, err := p.await(ctx, "end")
	if err != nil {
		return nil, err
	}
	begin, err := p.await(ctx, "begin")
	if err != nil {
		return nil, err
	}
	began := time.Now()
	lines, err := l.redis.LRange(ctx, "bench:notes", 0, -1).Result()
	read := time.Since(began)
	if err == nil && len(strings.Join(lines, "")) != 100*e.deltas {
		err = errors.New("the list lacks some of what was pushed")
	}
	if err != nil {
		return nil, err
	}
	return []Sample{
		{Workload: "W5", System: setup, Metric: "deltas, parallel", Unit: "deltas/s", Value: float64(e.deltas) / (enqueued + end.Sub(begin)).Seconds()},
		{Workload: "W5", System: setup, Metric: "read, parallel", Unit: "ms", Value: milliseconds(read)},
	}, p.stop(ctx)
}
