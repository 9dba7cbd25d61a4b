package redisstore_test

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// run starts a worker and returns what stops it.
func run(t *testing.T, st flox.Store, cfg flox.WorkerConfig, wf flox.Definition) (stop func()) {
	t.Helper()
	cfg.Logger = cmp.Or(cfg.Logger, slog.New(slog.DiscardHandler))
	w, err := flox.NewWorker(st, &cfg, wf)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil", err)
		}
	}
}

// A worker reads all partitions at once and may be sent more than it has slots
// for. It does not sit on that: others get it long before a lease is over.
func TestBusyWorkerLeavesWorkToOthers(t *testing.T) {
	t.Parallel()
	const partitions, runs = 16, 64
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL(), Partitions: partitions})
	started := make(chan string, runs)
	b := flox.New[flox.NoState]("wf")
	n := flox.Func(b, "n", func(ctx context.Context, in int) (int, error) {
		info, _ := flox.InfoFrom(ctx)
		started <- info.RunID
		<-ctx.Done()
		return in, nil
	})
	wf, err := flox.Build(b, n, n)
	if err != nil {
		t.Fatal(err)
	}
	orch, err := flox.NewOrchestrator(s, wf, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range runs {
		if _, err := orch.Start(t.Context(), i, flox.WithID(fmt.Sprint("r", i))); err != nil {
			t.Fatal(err)
		}
	}
	grace := 100 * time.Millisecond
	busy := run(t, s, flox.WorkerConfig{Name: "busy", Concurrency: 1, DrainGrace: grace}, wf)
	<-started
	begun := time.Now()
	free := run(t, s, flox.WorkerConfig{Name: "free", Concurrency: runs, DrainGrace: grace}, wf)
	for range runs - 1 {
		select {
		case <-started:
		case <-time.After(time.Minute):
			t.Fatal("a run was not started by anyone")
		}
	}
	if took := time.Since(begun); took > 7*time.Second { // a lease is 10 s
		t.Errorf("the free worker had started all runs after %v, want it to have them at once", took)
	}
	busy()
	free()
	queues, err := s.Queues(t.Context(), []string{"wf"})
	if err != nil || queues[0].Leased != 0 {
		t.Errorf("Queues after both left = %+v, %v, want nothing leased", queues, err)
	}
}

// A partition that was busy until now is empty: the claim goes on to the next at
// once, and does not wait for the first.
func TestClaimPassesOverAnEmptiedPartition(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL(), Partitions: 2})
	number := 0
	start := func(partition int) {
		t.Helper()
		for ; flox.Partition(fmt.Sprint("r", number), 2) != partition; number++ {
		}
		if err := s.Start(t.Context(), request(fmt.Sprint("r", number))); err != nil {
			t.Fatal(err)
		}
		number++
	}
	// claim claims one entry; the reads of a short wait are over soon after it.
	claim := func(wait time.Duration) {
		t.Helper()
		for range 100 { // a slow machine may have none to give after a short wait
			entries, err := s.Claim(t.Context(), flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 1, Wait: wait})
			if err != nil {
				t.Fatal(err)
			}
			if len(entries) == 1 {
				return
			}
		}
		t.Fatal("Claim = nothing, want one entry")
	}
	const short = 20 * time.Millisecond
	takes := func(last int) time.Duration {
		t.Helper()
		start(0)
		start(1)
		claim(short)
		time.Sleep(2 * short) // both partitions brought what they were asked for
		claim(short)
		start(last)
		begun := time.Now()
		claim(5 * time.Second)
		took := time.Since(begun)
		time.Sleep(time.Second) // until its reads are over
		return took
	}
	for _, last := range []int{0, 0, 1, 1} {
		took := takes(last)
		for range 10 { // the machine may have stood still
			if took > 500*time.Millisecond {
				took = takes(last)
			}
		}
		if took > 500*time.Millisecond {
			t.Errorf("Claim took %v with an entry in partition %d, want it at once", took, last)
		}
	}
}
