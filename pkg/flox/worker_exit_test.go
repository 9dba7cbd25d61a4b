package flox_test

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/floxrun/flox/pkg/flox"
)

// TestNodeEndsItsGoroutine wants the only slot back of a node that took its goroutine
// with it: the item is taken over as after a crash.
func TestNodeEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int64
		b := flox.New[flox.NoState]("w")
		node := flox.Func(b, "a", func(_ context.Context, n int) (int, error) {
			if begun.Add(1) == 1 {
				runtime.Goexit()
			}
			return n, nil
		})
		wf, err := flox.Build(b, node, node)
		if err != nil {
			t.Fatal(err)
		}
		st := flox.NewMemory()
		w, err := flox.NewWorker(st, &flox.WorkerConfig{Concurrency: 1, Logger: slog.New(slog.DiscardHandler)}, wf)
		if err != nil {
			t.Fatal(err)
		}
		orch, err := flox.NewOrchestrator(st, wf, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() {
			if err := w.Run(ctx); err != nil {
				t.Errorf("Run = %v", err)
			}
		})
		ids := make([]string, 3)
		for i := range ids {
			if ids[i], err = orch.Start(ctx, i); err != nil {
				t.Fatal(err)
			}
		}
		for i, id := range ids {
			if res, err := orch.Wait(ctx, id); err != nil || res.Output != i {
				t.Errorf("run %d = %v, %v, want it to complete", i, res.Output, err)
			}
		}
		stop()
		running.Wait()
		if begun.Load() != 4 {
			t.Errorf("%d executions, want 4", begun.Load())
		}
	})
}
