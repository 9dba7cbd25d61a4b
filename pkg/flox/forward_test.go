package flox_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// TestDelayOnAnIdleWorker: a worker that has slept for long starts what others delay
// when it is due, though it seldom looks; if it is not told, when it looks.
func TestDelayOnAnIdleWorker(t *testing.T) {
	for name, late := range map[string]time.Duration{"told": 10 * time.Millisecond, "deaf": 5 * time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := make(chan time.Time, 1)
				b := flox.New[flox.NoState]("w")
				a := flox.Func(b, "a", func(context.Context, int) (int, error) {
					began <- time.Now()
					return 0, nil
				})
				var st flox.Store = flox.NewMemory()
				if name == "deaf" {
					st = deaf{st}
				}
				wf := build(t, b, a, a)
				defer stage{t, st}.worker(flox.WorkerConfig{}, wf)()
				orch := orchestrate(t, st, wf)
				for _, delay := range []time.Duration{0, 300 * time.Millisecond, 3 * time.Second, 20 * time.Second} {
					time.Sleep(time.Minute + delay/7)
					due := time.Now().Add(delay)
					if _, err := orch.Start(t.Context(), 1, flox.After(delay)); err != nil {
						t.Fatal(err)
					}
					if at := <-began; at.Before(due) || at.Sub(due) > late {
						t.Errorf("delayed by %v: began %v after that, want at most %v", delay, at.Sub(due), late)
					}
				}
			})
		})
	}
}

// countedPromotes counts how often it is asked for what is due.
type countedPromotes struct {
	flox.Store
	asked *atomic.Int64
}

func (c countedPromotes) Promote(ctx context.Context, limit int) (flox.Promoted, error) {
	c.asked.Add(1)
	return c.Store.Promote(ctx, limit)
}

// TestIdleWorkerSeldomLooks: a worker with nothing to do leaves the timers alone,
// also while one is far away.
func TestIdleWorkerSeldomLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := flox.New[flox.NoState]("w")
		a := flox.Func(b, "a", func(_ context.Context, in int) (int, error) { return in, nil })
		var asked atomic.Int64
		st, wf := countedPromotes{flox.NewMemory(), &asked}, build(t, b, a, a)
		defer stage{t, st}.worker(flox.WorkerConfig{}, wf)()
		if _, err := orchestrate(t, st, wf).Start(t.Context(), 1, flox.After(time.Hour)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		before := asked.Load()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := asked.Load() - before; n < 100 || n > 125 {
			t.Errorf("asked %d times in 10 minutes, want every 5 s", n)
		}
	})
}
