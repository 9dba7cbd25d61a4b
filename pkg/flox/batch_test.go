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

type (
	elements = flox.NodeFunc[trail, int, int]
	tctx     = *flox.Context[trail]
	tnext    = flox.Transition[int]
)

// runNode runs a workflow of the one node n, which is tried once.
func runNode[I, O any](t *testing.T, n flox.Node[trail, I, O], in I) (flox.Result[trail, O], error) {
	t.Helper()
	b := flox.New[trail]("one").Retry(flox.RetryPolicy{MaxAttempts: 1})
	r := flox.Add(b, "node", n)
	return flox.Run(t.Context(), build(t, b, r, r), in)
}

func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var busy, most atomic.Int64
		n := elements(func(ctx tctx, in int) (tnext, error) {
			most.Store(max(most.Load(), busy.Add(1)))
			defer busy.Add(-1)
			time.Sleep(time.Duration(10-in) * time.Second) // the last is done first
			ctx.Merge(step(fmt.Sprint(in)))
			if seen := ctx.State(); len(seen.Steps) != 1 {
				return nil, fmt.Errorf("sees %v, want its own delta alone", seen.Steps)
			}
			if want := fmt.Sprintf("/%d", in); !strings.HasSuffix(ctx.ItemID(), want) || !strings.HasSuffix(ctx.IdempotencyKey(), "0.0"+want) {
				return nil, fmt.Errorf("item %s, key %s, want the index at their ends", ctx.ItemID(), ctx.IdempotencyKey())
			}
			if info, ok := flox.InfoFrom(ctx); !ok || info.ItemID != ctx.ItemID() {
				return nil, fmt.Errorf("info of item %s, want %s", info.ItemID, ctx.ItemID())
			}
			return flox.Next(in * in), nil
		})
		res, err := runNode(t, flox.Batch(n, 3), []int{0, 1, 2, 3, 4, 5, 6})
		if err != nil || !slices.Equal(res.Output, []int{0, 1, 4, 9, 16, 25, 36}) {
			t.Fatalf("output %v, %v, want squares in order", res.Output, err)
		}
		if want := []string{"0", "1", "2", "3", "4", "5", "6"}; !slices.Equal(res.State.Steps, want) {
			t.Errorf("deltas %v, want %v", res.State.Steps, want)
		}
		if most.Load() != 3 {
			t.Errorf("%d at a time, want 3", most.Load())
		}
		if res, err := runNode(t, flox.Batch(n, 3), nil); err != nil || res.Output == nil || len(res.Output) != 0 {
			t.Errorf("output of no elements %#v, %v, want an empty list", res.Output, err)
		}
	})
}

func TestBatchFailure(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		fail  func(tctx) (tnext, error)
		class string
		want  string
		stack string
	}{
		"error":     {func(tctx) (tnext, error) { return nil, boom }, flox.ClassError, "element 3: boom", ""},
		"permanent": {func(tctx) (tnext, error) { return nil, flox.Permanent(boom) }, flox.ClassPermanent, "element 3: boom", ""},
		"abort":     {func(tctx) (tnext, error) { return flox.Abort[int](boom), nil }, flox.ClassAbort, "element 3: boom", ""},
		"nothing":   {func(tctx) (tnext, error) { return nil, nil }, flox.ClassPermanent, "element 3: the node returned neither", ""},
		"hold":      {func(tctx) (tnext, error) { return flox.Hold[int](), nil }, flox.ClassPermanent, "element 3: returned Hold inside another node", ""},
		"later":     {func(tctx) (tnext, error) { return flox.NextAfter(time.Hour, 1), nil }, flox.ClassPermanent, "returned NextAfter inside", ""},
		"panic":     {func(tctx) (tnext, error) { panic("ouch") }, flox.ClassPanic, "panic: ouch", "batch_test.go"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var begun atomic.Int64
				n := elements(func(ctx tctx, in int) (tnext, error) {
					begun.Add(1)
					ctx.Merge(step("lost"))
					if in == 3 {
						return c.fail(ctx)
					}
					<-ctx.Done() // until element 3 fails
					return nil, ctx.Err()
				})
				b := flox.New[trail]("batch").Retry(flox.RetryPolicy{MaxAttempts: 1})
				r := flox.Add(b, "node", flox.Batch(n, 4))
				s := stage{t, flox.NewMemory()}
				all := build(t, b, r, r)
				defer s.worker(flox.WorkerConfig{}, all)()
				orch := orchestrate(t, s.st, all)
				id, err := orch.Start(t.Context(), []int{0, 1, 2, 3, 4, 5, 6, 7})
				if err != nil {
					t.Fatal(err)
				}
				res, err := orch.Wait(t.Context(), id)
				if err == nil || !strings.Contains(err.Error(), c.want) || res.State.Steps != nil {
					t.Errorf("Wait = %v with %v, want %q and no delta", err, res.State.Steps, c.want)
				}
				failed, err := s.st.Errors(t.Context(), id)
				if err != nil || len(failed) != 1 || failed[0].Class != c.class || !strings.Contains(failed[0].Stack, c.stack) {
					t.Errorf("errors %+v, %v, want one of class %s with %q in its stack", failed, err, c.class, c.stack)
				}
				if begun.Load() != 4 {
					t.Errorf("%d elements were begun, want the first 4", begun.Load())
				}
			})
		})
	}
}

func TestBatchAbortKeepsItsDelta(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := elements(func(ctx tctx, in int) (tnext, error) {
			ctx.Merge(step(fmt.Sprint(in)))
			if in == 1 {
				return flox.Abort[int](errors.New("no")), nil
			}
			return flox.Next(in), nil
		})
		b := flox.New[trail]("batch")
		r := flox.Add(b, "node", flox.Batch(n, 1))
		rescue := flox.Func(b, "rescue", func(_ context.Context, f flox.Failure[[]int]) ([]int, error) { return f.Input, nil })
		r.OnFailure(rescue)
		res, err := flox.Run(t.Context(), build(t, b, r, r, rescue), []int{0, 1, 2})
		if err != nil || !slices.Equal(res.State.Steps, []string{"1"}) {
			t.Errorf("steps %v, %v, want that of the element that aborted", res.State.Steps, err)
		}
	})
}

func TestBatchSome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := elements(func(ctx tctx, in int) (tnext, error) {
			ctx.Merge(step(fmt.Sprint(in)))
			switch in {
			case 1:
				return nil, errors.New("one")
			case 3:
				return flox.Abort[int](errors.New("three")), nil
			case 4:
				panic("four")
			case 5:
				return nil, flox.Permanent(errors.New("five"))
			}
			return flox.Next(in * 10), nil
		})
		res, err := runNode(t, flox.BatchSome(n, 2), []int{0, 1, 2, 3, 4, 5, 6})
		if err != nil || !slices.Equal(res.Output.Outputs, []int{0, 20, 60}) {
			t.Fatalf("outputs %v, %v, want [0 20 60]", res.Output.Outputs, err)
		}
		want := []flox.Failure[int]{
			{Input: 1, Node: "node", Attempt: 1, Err: flox.NodeError{Class: flox.ClassError, Message: "one"}},
			{Input: 3, Node: "node", Attempt: 1, Err: flox.NodeError{Class: flox.ClassAbort, Message: "three"}},
			{Input: 4, Node: "node", Attempt: 1, Err: flox.NodeError{Class: flox.ClassPanic, Message: "panic: four"}},
			{Input: 5, Node: "node", Attempt: 1, Err: flox.NodeError{Class: flox.ClassPermanent, Message: "five"}},
		}
		if !slices.Equal(res.Output.Failures, want) {
			t.Errorf("failures %+v\nwant %+v", res.Output.Failures, want)
		}
		if want := []string{"0", "2", "3", "6"}; !slices.Equal(res.State.Steps, want) {
			t.Errorf("deltas %v, want %v", res.State.Steps, want)
		}
	})
}

// TestBatchTimeout lets the item's time run out: that is the item's failure, not
// that of its elements.
func TestBatchTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := elements(func(ctx tctx, in int) (tnext, error) { return nil, sleep(ctx, time.Hour) })
		for name, run := range map[string]func(*flox.Builder[trail]) error{
			"batch": func(b *flox.Builder[trail]) error {
				r := flox.Add(b, "node", flox.Batch(slow, 1))
				_, err := flox.Run(t.Context(), build(t, b, r, r), []int{1, 2})
				return err
			},
			"some": func(b *flox.Builder[trail]) error {
				r := flox.Add(b, "node", flox.BatchSome(slow, 1))
				_, err := flox.Run(t.Context(), build(t, b, r, r), []int{1, 2})
				return err
			},
			"some, all begun": func(b *flox.Builder[trail]) error {
				r := flox.Add(b, "node", flox.BatchSome(slow, 2))
				_, err := flox.Run(t.Context(), build(t, b, r, r), []int{1, 2})
				return err
			},
		} {
			err := run(flox.New[trail]("w").Timeout(time.Minute).Retry(flox.RetryPolicy{MaxAttempts: 1}))
			if err == nil || !strings.Contains(err.Error(), "timed out after 1m0s") {
				t.Errorf("%s: %v, want a timeout", name, err)
			}
		}
	})
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func TestReadyMadeNodesRefusedAtBuild(t *testing.T) {
	n := elements(func(_ tctx, in int) (tnext, error) { return flox.Next(in), nil })
	var pick = flox.NewSignal[bool]("pick")
	wb := flox.New[trail]("inner")
	ask := flox.AddFunc(wb, "ask", func(_ tctx, in int) (flox.Awaiting[int, bool], error) {
		return flox.Await(pick, in, 0), nil
	}).Awaits(pick)
	waits := build(t, wb, ask, ask)
	bad := flox.RetryPolicy{Backoff: func(int) time.Duration { return -1 }}

	b := flox.New[trail]("w")
	flox.Add(b, "a", flox.Batch(n, 0))
	flox.Add(b, "b", flox.BatchSome(n, -2))
	flox.Add(b, "c", flox.Retry(n, bad))
	flox.Add(b, "d", flox.Batch(flox.Retry(n, bad), 1))
	flox.Add(b, "e", flox.Composite(waits))
	flox.Add(b, "f", flox.Composite[trail, int, int](nil))
	flox.Add(b, "g", flox.Batch(flox.NodeFunc[trail, int, flox.Many[int]](nil), 1))
	end := flox.Func(b, "end", same[int])
	_, err := flox.Build(b, end, end)
	if err == nil {
		t.Fatal("builds, want errors")
	}
	for _, want := range []string{
		"node a: a batch of concurrency 0: want 1 or more", "node b: a batch of concurrency -2",
		"node c: Retry: the back-off after attempt 1 is -1ns", "node d: Retry: the back-off after",
		"node e: a Composite of workflow inner, which awaits a signal at node ask; none can reach it: use flox.Nest",
		"node f: a Composite of no workflow", "node g: a batch of a node that fans out",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error\n%v\nwant a line with %q", err, want)
		}
	}
}
