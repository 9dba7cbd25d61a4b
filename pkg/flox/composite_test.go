package flox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// outerOf is a workflow of a step before and the inner workflow as one node.
func outerOf(t *testing.T, b *flox.Builder[trail], wf *flox.Workflow[trail, int, int]) *flox.Workflow[trail, int, int] {
	before := flox.AddFunc(b, "before", func(ctx tctx, in int) (tnext, error) {
		ctx.Merge(step("before"))
		return flox.Next(in), nil
	})
	pack := flox.Add(b, "pack", flox.Composite(wf))
	before.To(pack)
	return build(t, b, before, pack)
}

func TestComposite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var keys, seen []string
		ib := flox.New[trail]("inner")
		split := flox.Split(ib, "split", func(n int) []int { return make([]int, n) })
		work := flox.AddFunc(ib, "work", func(ctx tctx, in int) (tnext, error) {
			ctx.Merge(trail{Total: 1})
			return flox.NextAfter(time.Hour, in+1), nil // timers work, in memory
		})
		rest := flox.End[int](ib, "rest")
		sum := flox.AddFunc(ib, "sum", func(ctx tctx, in []int) (tnext, error) {
			if ctx.Attempt() == 1 {
				return nil, flox.RetryAfter(time.Minute, errBusy)
			}
			ctx.Merge(step("sum"))
			keys = append(keys, ctx.RunID(), ctx.ItemID(), ctx.IdempotencyKey())
			seen = append(seen, fmt.Sprint(ctx.State().Steps, ctx.State().Total))
			info, _ := flox.InfoFrom(ctx)
			keys = append(keys, info.Node, info.Workflow, info.ItemID)
			return flox.Next(len(in)), nil
		})
		split.To(work)
		work.To(rest)
		rest.Join(sum)
		wf := outerOf(t, flox.New[trail]("outer"), build(t, ib, split, sum))
		start := time.Now()
		res, err := flox.Run(t.Context(), wf, 3, flox.WithID("run1"))
		if err != nil || res.Output != 3 || res.Steps != 2 || res.State.Total != 5 {
			t.Fatalf("Run = %+v, %v, want output 3 in 2 steps and a total of 5", res, err)
		}
		if took := time.Since(start); took != time.Hour+time.Minute {
			t.Errorf("took %v, want 1h1m0s", took)
		}
		if want := []string{"before", "sum"}; !slices.Equal(res.State.Steps, want) {
			t.Errorf("steps %v, want %v", res.State.Steps, want)
		}
		if want := []string{"[before sum] 5"}; !slices.Equal(seen, want) { // the delta of sum's own step counts, too
			t.Errorf("inner node saw %q, want %q", seen, want)
		}
		want := []string{"run1", "0.1/0.0.j.0", "default/run1/0.1/0.0.j.0", "sum", "inner", "0.1/0.0.j.0"}
		want[2] = flox.NewMemory().Namespace() + "/run1/" + want[1]
		if !slices.Equal(keys, want) {
			t.Errorf("facts %q\nwant  %q", keys, want)
		}
	})
}

// TestCompositeFails has the inner run fail; the item is tried again if a retry
// of the inner node could have mended it, with the same inner keys.
func TestCompositeFails(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		fail     func() (tnext, error)
		attempts int64
		want     string
	}{
		"error":     {func() (tnext, error) { return nil, boom }, 4, "node pack: attempt 2: workflow inner: node risky: attempt 2: boom"},
		"panic":     {func() (tnext, error) { panic("ouch") }, 4, "workflow inner: node risky: attempt 2: panic: ouch"},
		"permanent": {func() (tnext, error) { return nil, flox.Permanent(boom) }, 1, "node pack: attempt 1: workflow inner: node risky: attempt 1: boom"},
		"abort":     {func() (tnext, error) { return flox.Abort[int](boom), nil }, 1, "workflow inner: node risky: attempt 1: boom"},
		"holds":     {func() (tnext, error) { return flox.Hold[int](), nil }, 1, "workflow inner: ended with no output: held risky=1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var attempts atomic.Int64
				keys := map[string]bool{}
				ib := flox.New[trail]("inner").Retry(flox.RetryPolicy{MaxAttempts: 2})
				risky := flox.AddFunc(ib, "risky", func(ctx tctx, _ int) (tnext, error) {
					attempts.Add(1)
					keys[ctx.IdempotencyKey()] = true
					ctx.Merge(step("lost"))
					return c.fail()
				})
				wf := outerOf(t, flox.New[trail]("outer").Retry(flox.RetryPolicy{MaxAttempts: 2}), build(t, ib, risky, risky))
				res, err := flox.Run(t.Context(), wf, 3)
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("Run = %v, want %q", err, c.want)
				}
				if attempts.Load() != c.attempts || len(keys) != 1 || !slices.Equal(res.State.Steps, []string{"before"}) {
					t.Errorf("%d attempts, keys %v, steps %v, want %d, one key, no delta", attempts.Load(), keys, res.State.Steps, c.attempts)
				}
			})
		})
	}
}

func TestCompositeEndsWithItsItem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		causes := make(chan error, 9)
		ib := flox.New[trail]("inner")
		slow := flox.AddFunc(ib, "slow", func(ctx tctx, in int) (tnext, error) {
			err := sleep(ctx, time.Hour)
			causes <- context.Cause(ctx)
			return nil, err
		})
		inner := build(t, ib, slow, slow)

		b := flox.New[trail]("outer").Timeout(time.Minute).Retry(flox.RetryPolicy{MaxAttempts: 1})
		start := time.Now()
		_, err := flox.Run(t.Context(), outerOf(t, b, inner), 1)
		if err == nil || !strings.Contains(err.Error(), "node pack: attempt 1: timed out after 1m0s") || time.Since(start) != time.Minute {
			t.Errorf("Run = %v after %v, want a timeout after a minute", err, time.Since(start))
		}
		if cause := <-causes; !errors.Is(cause, context.DeadlineExceeded) {
			t.Errorf("cause inside %v, want %v", cause, context.DeadlineExceeded)
		}

		wf := outerOf(t, flox.New[trail]("outer"), inner)
		s := stage{t, flox.NewMemory()}
		defer s.worker(flox.WorkerConfig{}, wf)()
		orch := orchestrate(t, s.st, wf)
		id, err := orch.Start(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := orch.Control().Cancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if cause := <-causes; !errors.Is(cause, flox.ErrCancelled) {
			t.Errorf("cause inside a cancelled run %v, want %v", cause, flox.ErrCancelled)
		}
	})
}

func TestBatchOfComposites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ib := flox.New[trail]("inner")
		var keys = make(chan string, 9)
		n := flox.AddFunc(ib, "n", func(ctx tctx, in int) (tnext, error) {
			keys <- ctx.ItemID()
			ctx.Merge(step(fmt.Sprint(in)))
			return flox.Next(-in), nil
		})
		res, err := runNode(t, flox.Batch(flox.Composite(build(t, ib, n, n)), 2), []int{1, 2, 3})
		if err != nil || !slices.Equal(res.Output, []int{-1, -2, -3}) || !slices.Equal(res.State.Steps, []string{"1", "2", "3"}) {
			t.Errorf("Run = %+v, %v", res, err)
		}
		got := []string{<-keys, <-keys, <-keys}
		slices.Sort(got)
		if want := []string{"0.0/0/0.0", "0.0/1/0.0", "0.0/2/0.0"}; !slices.Equal(got, want) {
			t.Errorf("items %v, want %v", got, want)
		}
	})
}
