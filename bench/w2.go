package main

import "context"

func w2() workload {
	return workload{
		name:  "W2",
		about: "runs of 1 → 100 → join → end: started with no worker, then drained by one",
		systems: append([]system{
			{"flox", func(ctx context.Context, e *env) ([]Sample, error) {
				return drainFlox(ctx, e, "W2", "fan", e.fans, fanWidth+3)
			}},
		}, peers(func(ctx context.Context, e *env, name string) ([]Sample, error) {
			return drainAsynq(ctx, e, "W2", name, "split", e.fans, fanWidth+3)
		})...),
		targets: []target{
			{about: "W2 steps/s ÷ asynq's", system: "flox", metric: "drain", overSystem: "asynq", least: 4, stretch: 6},
		},
	}
}
