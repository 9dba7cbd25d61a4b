package flox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

type purchase struct {
	Charged flox.Sum          `json:"charged"`
	Steps   flox.List[string] `json:"steps"`
}

// TestRetryFrom charges again: with another idempotency key, while the state counts
// what was charged once.
func TestRetryFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var keys []string
		var seen []int64
		var reserves atomic.Bool
		b := flox.New[purchase]("order")
		price := flox.AddFunc(b, "price", func(ctx *flox.Context[purchase], in int) (flox.Transition[int], error) {
			ctx.Merge(purchase{Steps: flox.List[string]{"price"}})
			return flox.Next(in * 100), nil
		})
		charge := flox.AddFunc(b, "charge", func(ctx *flox.Context[purchase], cents int) (flox.Transition[int], error) {
			keys = append(keys, ctx.IdempotencyKey())
			ctx.Merge(purchase{Charged: flox.Sum(cents), Steps: flox.List[string]{"charge"}})
			return flox.Next(cents), nil
		})
		reserve := flox.AddFunc(b, "reserve", func(ctx *flox.Context[purchase], cents int) (flox.Transition[int], error) {
			seen = append(seen, int64(ctx.State().Charged))
			if !reserves.Load() {
				return nil, flox.Permanent(errors.New("nothing left"))
			}
			return flox.Next(cents), nil
		})
		price.To(charge)
		charge.To(reserve)
		s := stage{t, flox.NewMemory()}
		wf := build(t, b, price, reserve)
		defer s.worker(flox.WorkerConfig{}, wf)()
		orch := orchestrate(t, s.st, wf)
		id, err := orch.Start(t.Context(), 7)
		if err != nil {
			t.Fatal(err)
		}
		for retry := range 2 {
			if _, err := orch.Wait(t.Context(), id); err == nil {
				t.Fatal("Wait = nil, want the run to fail")
			}
			reserves.Store(retry == 1)
			if err := orch.Control().RetryFrom(t.Context(), id, "charge"); err != nil {
				t.Fatalf("RetryFrom = %v", err)
			}
		}
		res, err := orch.Wait(t.Context(), id)
		if err != nil || res.Output != 700 || res.State.Charged != 700 || !slices.Equal(res.State.Steps, []string{"price", "charge"}) {
			t.Errorf("Wait = %+v, %v, want 700, charged once", res, err)
		}
		if want := []string{"memory/" + id + "/0.1", "memory/" + id + "/r1.0", "memory/" + id + "/r2.0"}; !slices.Equal(keys, want) {
			t.Errorf("charged with keys %q, want %q", keys, want)
		}
		if want := []int64{700, 700, 700}; !slices.Equal(seen, want) {
			t.Errorf("reserve saw %v charged, want %v", seen, want)
		}
	})
}

// TestRetryFromBeforeBranches goes back while a branch is with a worker, who then
// loses it: its context ends, and what it does is not counted.
func TestRetryFromBeforeBranches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		broken.Store(true)
		underWay, lost := make(chan bool), make(chan error, 1)
		b := flox.New[trail]("branches")
		split := flox.Split(b, "split", func(n int) []int { return []int{1, 2, n} })
		work := flox.AddFunc(b, "work", func(ctx *flox.Context[trail], n int) (flox.Transition[int], error) {
			ctx.Merge(step(fmt.Sprint(n)))
			switch {
			case n == 1 && broken.Load():
				<-underWay
				return nil, flox.Permanent(errors.New("boom"))
			case n == 3 && broken.Load():
				close(underWay)
				<-ctx.Done()
				lost <- context.Cause(ctx)
			}
			return flox.Next(n), nil
		})
		sum := flox.Func(b, "sum", func(_ context.Context, in flox.Joined[int, int]) (int, error) {
			total := 0
			for _, n := range in.Outputs {
				total += n
			}
			return total, nil
		})
		split.To(work)
		flox.JoinWith(split, work, sum)
		s := stage{t, flox.NewMemory()}
		wf := build(t, b, split, sum)
		defer s.worker(flox.WorkerConfig{Lease: 3 * time.Second}, wf)()
		orch := orchestrate(t, s.st, wf)
		id, err := orch.Start(t.Context(), 3)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := orch.Wait(t.Context(), id); err == nil {
			t.Fatal("Wait = nil, want the run to fail")
		}
		broken.Store(false)
		if err := orch.Control().RetryFrom(t.Context(), id, "sum"); !errors.Is(err, flox.ErrRefused) {
			t.Errorf("RetryFrom(sum) = %v, want flox.ErrRefused", err)
		}
		if err := orch.Control().RetryFrom(t.Context(), id, "split"); err != nil {
			t.Fatalf("RetryFrom(split) = %v", err)
		}
		if err := <-lost; !errors.Is(err, flox.ErrLeaseLost) {
			t.Errorf("the branch under way ended with %v, want flox.ErrLeaseLost", err)
		}
		res, err := orch.Wait(t.Context(), id)
		if err != nil || res.Output != 6 || res.State.Total != 3 || len(res.State.Steps) != 3 {
			t.Errorf("Wait = %+v, %v, want 6 after each branch was done once", res, err)
		}
	})
}

// A step that was done wrongly is done again, with all that followed it.
func ExampleControl_RetryFrom() {
	fixed := false
	b := flox.New[flox.NoState]("report")
	fetch := flox.Func(b, "fetch", func(_ context.Context, day string) (string, error) {
		fmt.Println("fetch", day)
		return day, nil
	})
	render := flox.Func(b, "render", func(_ context.Context, day string) (string, error) {
		if !fixed {
			return "", nil // a mistake that shows later
		}
		return "report of " + day, nil
	})
	mail := flox.Func(b, "mail", func(_ context.Context, report string) (string, error) {
		if report == "" {
			return "", flox.Permanent(errors.New("the report is empty"))
		}
		return "mailed: " + report, nil
	})
	fetch.To(render)
	render.To(mail)
	wf, err := flox.Build(b, fetch, mail)
	if err != nil {
		fmt.Println(err)
		return
	}

	ctx, st := context.Background(), flox.NewMemory()
	if _, err := flox.RunCheckpointed(ctx, st, "monday", wf, "Monday"); err != nil {
		fmt.Println(err)
	}
	fixed = true
	// A plain retry would mail the empty report again.
	if err := flox.NewControl(st).RetryFrom(ctx, "monday", "render"); err != nil {
		fmt.Println(err)
	}
	res, err := flox.Resume(ctx, st, "monday", wf)
	fmt.Println(res.Output, err)
	// Output:
	// fetch Monday
	// run monday failed: node mail: attempt 1: the report is empty
	// mailed: report of Monday <nil>
}
