package main

import (
	"context"
	"fmt"
)

// scalings are the setups of W7. All processes share this machine's cores, so that
// what grows is not the rate but what the steps take.
var scalings = []struct {
	name string
	setup
	asynq bool // it is measured, too
	quick bool // also in a quick run
}{
	{name: "1 worker", setup: setup{workers: 1, partitions: 1}, asynq: true, quick: true},
	{name: "2 workers", setup: setup{workers: 2, partitions: 1}},
	{name: "4 workers", setup: setup{workers: 4, partitions: 1}, asynq: true, quick: true},
	{name: "1 worker, 16 partitions", setup: setup{workers: 1, partitions: 16}, quick: true},
	{name: "4 workers, 16 partitions", setup: setup{workers: 4, partitions: 16}},
	{name: "1 worker, cluster of 3", setup: setup{workers: 1, partitions: 16, masters: 3}, quick: true},
	{name: "4 workers, cluster of 3", setup: setup{workers: 4, partitions: 16, masters: 3}},
}

func w7() workload {
	w := workload{
		name:  "W7",
		about: "W1's drain with several worker processes, with 16 partitions, and on a Cluster of three masters (16 partitions)",
		targets: []target{
			{about: "W1 with 4 worker processes ÷ with 1", system: "flox", metric: "drain, 4 workers", overMetric: "drain, 1 worker", least: 0.9, stretch: 1},
		},
	}
	for _, s := range scalings {
		w.systems = append(w.systems, system{"flox", func(ctx context.Context, e *env) ([]Sample, error) {
			if e.quick && !s.quick {
				return nil, nil
			}
			return scaled(ctx, e, "flox", s.name, s.setup, openWindowFlox)
		}})
		if s.asynq {
			w.systems = append(w.systems, system{"asynq", func(ctx context.Context, e *env) ([]Sample, error) {
				if e.quick {
					return nil, nil
				}
				return scaled(ctx, e, "asynq", s.name, s.setup, openWindowAsynq)
			}})
		}
	}
	return w
}

// scaled drains the runs of W1, from when all workers have begun.
func scaled(ctx context.Context, e *env, system, name string, s setup, open opener) ([]Sample, error) {
	// What is done while the processes start is not measured.
	runs := e.chains + warmRuns*s.workers
	w, err := open(ctx, e, s, runs)
	if err != nil {
		return nil, err
	}
	from, err := w.await(ctx, 1)
	if err != nil {
		return nil, err
	}
	to, err := w.await(ctx, chainSteps*runs)
	if err != nil {
		return nil, err
	}
	if err := w.stop(ctx); err != nil {
		return nil, err
	}
	c, err := from.until(to)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	sample := func(metric, unit string, value float64) Sample {
		return Sample{Workload: "W7", System: system, Metric: metric + ", " + name, Unit: unit, Value: value}
	}
	return []Sample{
		sample("drain", "steps/s", 1e6/c.wall),
		sample("redis cpu", "µs/step", c.redis),
		sample("worker cpu", "µs/step", c.workers),
	}, nil
}
