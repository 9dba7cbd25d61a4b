package main

import (
	"context"
	"fmt"
)

func w1() workload {
	return workload{
		name:  "W1",
		about: "runs of a chain of 3 no-op nodes, 64-byte payload: started with no worker, then drained by one",
		systems: append([]system{
			{"flox", func(ctx context.Context, e *env) ([]Sample, error) {
				return drainFlox(ctx, e, "W1", "chain", e.chains, 3)
			}},
			{"bare", bareChains},
		}, peers(func(ctx context.Context, e *env, name string) ([]Sample, error) {
			return drainAsynq(ctx, e, "W1", name, "chain-a", e.chains, 3)
		})...),
		targets: []target{
			{about: "W1 steps/s ÷ asynq's", system: "flox", metric: "drain", overSystem: "asynq", least: 5, stretch: 7},
			{about: "W1 ÷ the bare driver", system: "flox", metric: "drain", overSystem: "bare", least: 0.7, stretch: 0.85},
			{about: "W1 start rate ÷ asynq's enqueue rate", system: "flox", metric: "start", overSystem: "asynq", least: 1.5, stretch: 2},
			{about: "Redis CPU per step, µs", system: "flox", metric: "redis cpu", least: 20, stretch: 14, most: true},
			{about: "worker CPU per step, µs", system: "flox", metric: "worker cpu", least: 18, stretch: 12, most: true},
		},
	}
}

// drainFlox starts n runs of a workflow that has so many steps, and lets a worker
// process drain them: from when its first node begins to when all runs are completed.
func drainFlox(ctx context.Context, e *env, workload, workflow string, n, steps int) ([]Sample, error) {
	srv, err := e.server(ctx)
	if err != nil {
		return nil, err
	}
	st, err := openStore(ctx, srv.URL())
	if err != nil {
		return nil, err
	}
	e.atEnd(func() { _ = st.Close() })
	if err := register(ctx, st, workflow); err != nil {
		return nil, err
	}
	took, err := startMany(ctx, st, workflow, n)
	if err != nil {
		return nil, err
	}
	all := []Sample{{Workload: workload, System: "flox", Metric: "start", Unit: "runs/s", Value: float64(n) / took.Seconds()}}
	p, err := e.worker(ctx, "flox", srv.URL(), workflow)
	if err != nil {
		return nil, err
	}
	m, err := startMeter(ctx, e.client(srv), p)
	if err != nil {
		return nil, err
	}
	end, err := awaitCompleted(ctx, st, workflow, n)
	if err != nil {
		return nil, err
	}
	begin, err := p.await(ctx, "begin")
	if err != nil {
		return nil, err
	}
	drained, err := m.samples(ctx, workload, "flox", n*steps, end.Sub(begin))
	if err != nil {
		return nil, err
	}
	calls, err := m.calls(ctx, workload, "flox", n*steps)
	if err != nil {
		return nil, err
	}
	return append(append(all, drained...), calls...), p.stop(ctx)
}

// drainAsynq enqueues n first tasks and lets a worker process drain them and what
// follows: from when its first handler begins to when the last final one ends.
func drainAsynq(ctx context.Context, e *env, workload, setup, kind string, n, steps int) ([]Sample, error) {
	srv, l, err := e.asynq(ctx, setup)
	if err != nil {
		return nil, err
	}
	took, err := l.enqueueMany(ctx, kind, n)
	if err != nil {
		return nil, err
	}
	all := []Sample{{Workload: workload, System: setup, Metric: "start", Unit: "runs/s", Value: float64(n) / took.Seconds()}}
	p, err := e.worker(ctx, "asynq", srv.Addr(), setup, fmt.Sprint(n))
	if err != nil {
		return nil, err
	}
	m, err := startMeter(ctx, e.client(srv), p)
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
	drained, err := m.samples(ctx, workload, setup, n*steps, end.Sub(begin))
	if err != nil {
		return nil, err
	}
	return append(all, drained...), p.stop(ctx)
}
