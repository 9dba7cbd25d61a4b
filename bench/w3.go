package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

func w3() workload {
	return workload{
		name:  "W3",
		about: "one at a time on an idle system: start of a chain of 3 to its completion as the starter sees it, and start of one node to when it begins",
		systems: append([]system{
			{"flox", idleFlox},
		}, peers(idleAsynq)...),
		targets: []target{
			{about: "W3 p50, chain of 3, ms", system: "flox", metric: "chain p50", least: 1, stretch: 0.7, most: true},
			{about: "W3 p99, chain of 3, ms", system: "flox", metric: "chain p99", least: 2.5, stretch: 1.5, most: true},
		},
	}
}

// latencies are the samples of what was seen of chains and pickups, in ms. What has
// too few for a percentile to mean something gives none.
func latencies(system string, chains, pickups []float64) []Sample {
	var all []Sample
	add := func(metric string, values []float64, p float64) {
		if float64(len(values))*(1-p) >= 1 {
			all = append(all, Sample{Workload: "W3", System: system, Metric: metric, Unit: "ms", Value: percentile(values, p)})
		}
	}
	add("chain p50", chains, 0.50)
	add("chain p95", chains, 0.95)
	add("chain p99", chains, 0.99)
	add("pickup p50", pickups, 0.50)
	add("pickup p99", pickups, 0.99)
	return all
}

// oneByOne measures n times in ms, after some times that do not count.
func oneByOne(n int, once func() (time.Duration, error)) ([]float64, error) {
	var all []float64
	warm := min(20, n/5)
	for i := range warm + n {
		took, err := once()
		if err != nil {
			return nil, err
		}
		if i >= warm {
			all = append(all, milliseconds(took))
		}
	}
	return all, nil
}

func idleFlox(ctx context.Context, e *env) ([]Sample, error) {
	srv, err := e.server(ctx)
	if err != nil {
		return nil, err
	}
	p, err := e.worker(ctx, "flox", srv.URL(), "chain", "pickup")
	if err != nil {
		return nil, err
	}
	st, err := openStore(ctx, srv.URL())
	if err != nil {
		return nil, err
	}
	e.atEnd(func() { _ = st.Close() })
	long, err := chain()
	if err != nil {
		return nil, err
	}
	chains, err := flox.NewOrchestrator(st, long, nil)
	if err != nil {
		return nil, err
	}
	short, err := pickup()
	if err != nil {
		return nil, err
	}
	pickups, err := flox.NewOrchestrator(st, short, nil)
	if err != nil {
		return nil, err
	}
	took, err := oneByOne(e.idle, func() (time.Duration, error) {
		began := time.Now()
		_, err := startAndWait(ctx, chains)
		return time.Since(began), err
	})
	if err != nil {
		return nil, err
	}
	picked, err := oneByOne(e.idle, func() (time.Duration, error) {
		began := time.Now()
		res, err := startAndWait(ctx, pickups)
		return time.Unix(0, res.Output).Sub(began), err
	})
	if err != nil {
		return nil, err
	}
	return latencies("flox", took, picked), p.stop(ctx)
}

func startAndWait[O any](ctx context.Context, o *flox.Orchestrator[flox.NoState, string, O]) (flox.Result[flox.NoState, O], error) {
	id, err := o.Start(ctx, string(payload[1:len(payload)-1]))
	if err != nil {
		return flox.Result[flox.NoState, O]{}, err
	}
	return o.Wait(ctx, id)
}

// idleAsynq does the same with tasks, the last of which pushes to a list that the
// starter waits for.
func idleAsynq(ctx context.Context, e *env, setup string) ([]Sample, error) {
	srv, l, err := e.asynq(ctx, setup)
	if err != nil {
		return nil, err
	}
	p, err := e.worker(ctx, "asynq", srv.Addr(), setup, "0")
	if err != nil {
		return nil, err
	}
	// A chain takes three looks at the queue: of these there is no time for many.
	n := e.idle / 3
	if setup == "asynq-default" {
		n = max(2, e.idle/75)
	}
	runs := 0
	signalled := func(kind string) (began, at time.Time, err error) {
		runs++
		run := fmt.Sprint("run-", runs)
		began = time.Now()
		if err := l.enqueue(ctx, kind, run); err != nil {
			return began, at, err
		}
		reply, err := l.redis.BLPop(ctx, 30*time.Second, "bench:done:"+run).Result()
		if err != nil {
			return began, at, err
		}
		if len(reply) != 2 {
			return began, at, errors.New("BLPOP gave no time")
		}
		ns, err := strconv.ParseInt(reply[1], 10, 64)
		return began, time.Unix(0, ns), err
	}
	took, err := oneByOne(n, func() (time.Duration, error) {
		began, _, err := signalled("idle-a")
		return time.Since(began), err
	})
	if err != nil {
		return nil, err
	}
	picked, err := oneByOne(n, func() (time.Duration, error) {
		began, at, err := signalled("pickup")
		return at.Sub(began), err
	})
	if err != nil {
		return nil, err
	}
	return latencies(setup, took, picked), p.stop(ctx)
}
