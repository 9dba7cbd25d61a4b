package main

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// meter measures what a drain takes of Redis and of one worker process.
type meter struct {
	redis      *redis.Client
	worker     *process
	redisFirst time.Duration
	first      time.Duration
}

// startMeter reads the clocks; nothing else may use the server until it is read.
func startMeter(ctx context.Context, r *redis.Client, p *process) (*meter, error) {
	m := &meter{redis: r, worker: p}
	err := r.ConfigResetStat(ctx).Err()
	if err == nil {
		m.first, err = p.cpu()
	}
	if err == nil {
		m.redisFirst, err = redisCPU(ctx, r)
	}
	return m, err
}

// samples are the drain's rate, and what a step took. Metrics: "drain" (steps/s),
// "redis cpu" and "worker cpu" (µs a step), "worker memory" (MB).
func (m *meter) samples(ctx context.Context, workload, system string, steps int, took time.Duration) ([]Sample, error) {
	used, err := m.worker.cpu()
	if err != nil {
		return nil, err
	}
	server, err := redisCPU(ctx, m.redis)
	if err != nil {
		return nil, err
	}
	peak, err := m.worker.peak()
	if err != nil {
		return nil, err
	}
	each := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) / float64(steps) }
	return []Sample{
		{Workload: workload, System: system, Metric: "drain", Unit: "steps/s", Value: float64(steps) / took.Seconds()},
		{Workload: workload, System: system, Metric: "redis cpu", Unit: "µs/step", Value: each(server - m.redisFirst)},
		{Workload: workload, System: system, Metric: "worker cpu", Unit: "µs/step", Value: each(used - m.first)},
		{Workload: workload, System: system, Metric: "worker memory", Unit: "MB", Value: float64(peak) / (1 << 20)},
	}, nil
}
