package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

const (
	fewPending = 1000
	// warmRuns are drained before the cost of a step is measured.
	warmRuns = 2000
)

func w4() workload {
	return workload{
		name: "W4",
		about: "the cost of a step, in CPU of Redis and the worker, with few (1,000) and many (100,000; quick: 30,000) runs " +
			"still pending; and one run with 10,000 (quick: 5,000) items in parallel",
		systems: []system{
			{"flox", func(ctx context.Context, e *env) ([]Sample, error) {
				return pendingCosts(ctx, e, "flox", openWindowFlox)
			}},
			{"asynq", func(ctx context.Context, e *env) ([]Sample, error) {
				return pendingCosts(ctx, e, "asynq", openWindowAsynq)
			}},
			{"flox", wideRun},
		},
		targets: []target{
			{about: "W4 cost of a step, many pending ÷ few", system: "flox", metric: "step, many pending", overMetric: "step, few pending", least: 1.1, stretch: 1, most: true},
		},
	}
}

// opener starts runs of a chain and workers that drain them.
type opener func(ctx context.Context, e *env, s setup, runs int) (*window, error)

// pendingCosts measures the same number of steps in front of few and of many runs.
func pendingCosts(ctx context.Context, e *env, system string, open opener) ([]Sample, error) {
	var all []Sample
	for _, load := range []struct {
		name    string
		pending int
	}{{"few pending", fewPending}, {"many pending", e.pending}} {
		c, err := pendingCost(ctx, e, open, load.pending)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", load.name, err)
		}
		for _, s := range []Sample{
			{Metric: "step, ", Value: c.redis + c.workers},
			{Metric: "redis cpu, ", Value: c.redis},
			{Metric: "worker cpu, ", Value: c.workers},
			{Metric: "time, ", Value: c.wall},
		} {
			s.Workload, s.System, s.Metric, s.Unit = "W4", system, s.Metric+load.name, "µs/step"
			all = append(all, s)
		}
	}
	return all, nil
}

// pendingCost drains half as many runs as W1 does, and a few before, while so many
// are left.
func pendingCost(ctx context.Context, e *env, open opener, pending int) (cost, error) {
	runs := e.chains / 2
	w, err := open(ctx, e, setup{workers: 1}, warmRuns+runs+pending)
	if err != nil {
		return cost{}, err
	}
	from, err := w.await(ctx, chainSteps*warmRuns)
	if err != nil {
		return cost{}, err
	}
	to, err := w.await(ctx, chainSteps*(warmRuns+runs))
	if err != nil {
		return cost{}, err
	}
	if err := w.stop(ctx); err != nil {
		return cost{}, err
	}
	return from.until(to)
}

// wide is n items in parallel between a split and a join.
func wide() (*flox.Workflow[flox.NoState, int, int], error) {
	b := flox.New[flox.NoState]("wide")
	split := flox.Split(b, "split", func(n int) []string {
		seen.started()
		parts := make([]string, n)
		for i := range parts {
			parts[i] = strings.Repeat("x", 62)
		}
		return parts
	})
	part := flox.Func(b, "part", noop)
	join := flox.Func(b, "join", func(_ context.Context, parts []string) (int, error) { return len(parts), nil })
	split.To(part)
	part.Join(join)
	return flox.Build(b, split, join)
}

// wideRun drains one run with many items in parallel.
func wideRun(ctx context.Context, e *env) ([]Sample, error) {
	at, err := e.place(ctx, 1)
	if err != nil {
		return nil, err
	}
	st, err := openStore(ctx, at.url)
	if err != nil {
		return nil, err
	}
	e.atEnd(func() { _ = st.Close() })
	if err := register(ctx, st, "wide"); err != nil {
		return nil, err
	}
	wf, err := wide()
	if err != nil {
		return nil, err
	}
	orch, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		return nil, err
	}
	id, err := orch.Start(ctx, e.parallel)
	if err != nil {
		return nil, err
	}
	p, err := e.worker(ctx, "flox", at.url, "wide")
	if err != nil {
		return nil, err
	}
	m, err := startMeter(ctx, at.nodes[0], p)
	if err != nil {
		return nil, err
	}
	end, err := awaitCompleted(ctx, st, "wide", 1)
	if err != nil {
		return nil, err
	}
	begin, err := p.await(ctx, "begin")
	if err != nil {
		return nil, err
	}
	all, err := m.samples(ctx, "W4", "flox", e.parallel+2, end.Sub(begin))
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].Metric = "wide run: " + all[i].Metric
	}
	if err := p.stop(ctx); err != nil {
		return nil, err
	}
	res, err := orch.Wait(ctx, id)
	if err == nil && res.Output != e.parallel {
		err = fmt.Errorf("the join got %d items, want %d", res.Output, e.parallel)
	}
	return all, err
}
