package redisstore_test

import (
	"context"
	"log/slog"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// BenchmarkChain runs b.N runs of a chain of three no-op nodes on one worker and
// a real Redis with AOF, started 64 at a time, and reports steps a second.
func BenchmarkChain(b *testing.B) { benchmarkChain(b, redisstore.DurabilityAsync) }

// BenchmarkChainWait is BenchmarkChain with a replica on the same machine that each
// start and commit waits for.
func BenchmarkChainWait(b *testing.B) { benchmarkChain(b, redisstore.DurabilityWait) }

func benchmarkChain(b *testing.B, d redisstore.Durability) {
	wf := chain(b)
	st, stop := system(b, wf, d)
	defer stop()
	orch, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	var starters errgroup.Group
	starters.SetLimit(64)
	ids := make([]string, b.N)
	for i := range ids {
		starters.Go(func() (err error) {
			ids[i], err = orch.Start(b.Context(), 0)
			return err
		})
	}
	if err := starters.Wait(); err != nil {
		b.Fatal(err)
	}
	var waiters errgroup.Group
	waiters.SetLimit(64)
	for _, id := range ids {
		waiters.Go(func() error {
			_, err := orch.Wait(b.Context(), id)
			return err
		})
	}
	if err := waiters.Wait(); err != nil {
		b.Fatal(err)
	}
	b.StopTimer() // a worker that leaves waits for its last claim
	b.ReportMetric(float64(b.N*3)/b.Elapsed().Seconds(), "steps/s")
}

// BenchmarkIdleChain runs one chain at a time: the latency of an idle system.
func BenchmarkIdleChain(b *testing.B) { benchmarkIdleChain(b, redisstore.DurabilityAsync) }

// BenchmarkIdleChainWait is BenchmarkIdleChain with a replica that is waited for.
func BenchmarkIdleChainWait(b *testing.B) { benchmarkIdleChain(b, redisstore.DurabilityWait) }

func benchmarkIdleChain(b *testing.B, d redisstore.Durability) {
	st, stop := system(b, chain(b), d)
	defer stop()
	orch, err := flox.NewOrchestrator(st, chain(b), nil)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := orch.Wait(b.Context(), start(b, orch, 0)); err != nil {
			b.Fatal(err)
		}
	}
}

func chain(b *testing.B) *flox.Workflow[flox.NoState, int, int] {
	b.Helper()
	builder := flox.New[flox.NoState]("chain")
	step := func(_ context.Context, n int) (int, error) { return n + 1, nil }
	first, second, third := flox.Func(builder, "a", step), flox.Func(builder, "b", step), flox.Func(builder, "c", step)
	first.To(second)
	second.To(third)
	wf, err := flox.Build(builder, first, third)
	if err != nil {
		b.Fatal(err)
	}
	return wf
}

// system is a worker on a Redis of its own, which has a replica if it is waited for.
func system(b *testing.B, wf flox.Definition, d redisstore.Durability) (st *redisstore.Store, stop func()) {
	b.Helper()
	master := testredis.Start(b)
	if d == redisstore.DurabilityWait {
		replica, err := testredis.NewReplica(b.Context(), master)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(replica.Stop)
	}
	st, err := redisstore.Open(b.Context(), redisstore.Config{URL: master.URL(), Durability: d})
	if err != nil {
		b.Fatal(err)
	}
	w, err := flox.NewWorker(st, &flox.WorkerConfig{Logger: slog.New(slog.DiscardHandler)}, wf)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return st, func() { cancel(); <-done; st.Close() }
}

func start(b *testing.B, orch *flox.Orchestrator[flox.NoState, int, int], in int) string {
	b.Helper()
	id, err := orch.Start(b.Context(), in)
	if err != nil {
		b.Fatal(err)
	}
	return id
}
