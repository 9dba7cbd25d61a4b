package floxtest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/floxtest"
)

// step is a node that hands on what it gets.
func step[S any](b *flox.Builder[S], name string) flox.Ref[int, int] {
	return flox.Func(b, name, func(_ context.Context, in int) (int, error) { return in, nil })
}

func build[S any](t testing.TB, b *flox.Builder[S], start flox.In[int], ends ...flox.Out[int]) *flox.Workflow[S, int, int] {
	t.Helper()
	wf, err := flox.Build(b, start, ends...)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}

// A fake is undone like the node it stands for.
func TestUndo(t *testing.T) {
	b := flox.New[flox.NoState]("trip")
	flight, hotel, car := step(b, "flight"), step(b, "hotel"), step(b, "car")
	var undone []flox.Done[int, int]
	undo := func(name string) flox.Ref[flox.Done[int, int], flox.None] {
		return flox.Func(b, name, func(_ context.Context, d flox.Done[int, int]) (flox.None, error) {
			undone = append(undone, d)
			return flox.None{}, nil
		})
	}
	flight.To(hotel).UndoWith(undo("cancel-flight"))
	hotel.To(car).UndoWith(undo("cancel-hotel"))
	b.Deadline(24 * time.Hour)
	wf := build(t, b, flight, car)

	h := floxtest.New(t, wf)
	floxtest.Fake(h, flight, func(in int) (int, error) { return in + 1, nil })
	h.Fail("car", 1, flox.Permanent(errGateway))
	_, err := h.TryRun(1)
	if e, ok := errors.AsType[*flox.RunError](err); !ok || !slices.Equal(e.Undone, []string{"hotel", "flight"}) {
		t.Errorf("TryRun = %v, want hotel and flight undone", err)
	}
	h.WantPath("flight", "hotel", "cancel-hotel", "cancel-flight")
	cause := flox.NodeError{Class: flox.ClassPermanent, Message: "gateway is down"}
	if want := []flox.Done[int, int]{{Input: 2, Output: 2, Cause: cause}, {Input: 1, Output: 2, Cause: cause}}; !slices.Equal(undone, want) {
		t.Errorf("undone %+v, want %+v", undone, want)
	}

	late := floxtest.New(t, wf) // the deadline passes while nobody works
	late.Fail("car", 1, flox.RetryAfter(48*time.Hour, errGateway))
	late.Fail("cancel-flight", 1, flox.RetryAfter(time.Hour, errGateway))
	if _, err := late.TryRun(1); !errors.Is(err, flox.ErrDeadline) {
		t.Errorf("TryRun = %v, want its deadline", err)
	}
	late.WantPath("flight", "hotel", "cancel-hotel", "cancel-flight")
	if late.Elapsed() != 25*time.Hour {
		t.Errorf("Elapsed = %v, want 25h", late.Elapsed())
	}
}

// A workflow with a state of its own has its nodes replaced by ones that see it.
func TestReplaceInScope(t *testing.T) {
	type inner struct {
		Seen flox.Sum `json:"seen"`
	}
	in := flox.New[inner]("inner")
	count := step(in, "count")
	b := flox.New[Books]("outer")
	nest := flox.NestWith(b, "nest", build(t, in, count, count), func(s inner) Books { return Books{Cents: s.Seen} })
	wf := build(t, b, nest, nest)
	h := floxtest.New(t, wf)
	floxtest.Replace(h, "nest/count", flox.NodeFunc[inner, int, int](func(ctx *flox.Context[inner], in int) (flox.Transition[int], error) {
		ctx.Merge(inner{Seen: 7})
		return flox.Next(in), nil
	}))
	floxtest.WantState(t, h.Run(1), Books{Cents: 7})
	h.WantPath("nest/count") // the nest's own beginning and end are no nodes

	other := failing(t, func(t testing.TB) {
		floxtest.Replace(floxtest.New(t, wf), "nest/count", flox.NodeFunc[Books, int, int](nil))
	})
	if want := `floxtest: Replace("nest/count"): node nest/count sees a state of type floxtest_test.inner, the fake one of type floxtest_test.Books`; other != want {
		t.Errorf("the test failed with\n%s\nwant\n%s", other, want)
	}
}

func TestFakeOfAnother(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(h *floxtest.Harness[Books, Order, Receipt], own, other nodes)
		want string
	}{
		"another workflow": {func(h *floxtest.Harness[Books, Order, Receipt], _, other nodes) {
			floxtest.Fake(h, other.charge, func(Quote) (Receipt, error) { return Receipt{}, nil })
		}, `floxtest: Fake: node charge was added to another Builder, that of workflow shop; a node of a nested workflow is faked by name, see FakeNode`},
		"a nested workflow": {func(h *floxtest.Harness[Books, Order, Receipt], own, _ nodes) {
			floxtest.Fake(h, own.pack, func(Receipt) (Parcel, error) { return Parcel{}, nil })
		}, `floxtest: Fake: node pack was added to another Builder, that of workflow delivery; a node of a nested workflow is faked by name, see FakeNode`},
		"a nest": {func(h *floxtest.Harness[Books, Order, Receipt], own, _ nodes) {
			floxtest.Fake(h, own.ship, func(Receipt) (Receipt, error) { return Receipt{}, nil })
		}, `floxtest: Fake of node ship: ship is a nested workflow; name one of its nodes: ship/pack, ship/send`},
	} {
		t.Run(name, func(t *testing.T) {
			got := failing(t, func(t testing.TB) {
				wf, own := shop()
				_, other := shop()
				c.f(floxtest.New(t, wf), own, other)
			})
			if got != c.want {
				t.Errorf("the test failed with\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Nobody answers an Await that has no timeout.
func TestAwaitForEver(t *testing.T) {
	b := flox.New[flox.NoState]("for-ever")
	first := flox.AddFunc(b, "first", func(_ *flox.Context[flox.NoState], in int) (flox.Transition[flox.Answer[int, bool]], error) {
		return flox.Await(approve, in, 0), nil
	}).Awaits(approve)
	last := flox.Func(b, "last", func(_ context.Context, a flox.Answer[int, bool]) (int, error) { return a.Carry, nil })
	first.To(last)
	wf := build(t, b, first, last)
	got := failing(t, func(t testing.TB) { floxtest.New(t, wf).Run(1) })
	const want = `floxtest: the run does not end: 20 years after its start its tokens stand here:
  node first awaits signal "approve", which nobody sends; see SignalAfter
path: first`
	if got != want {
		t.Errorf("the test failed with\n%s\nwant\n%s", got, want)
	}
	got = failing(t, func(t testing.TB) {
		h := floxtest.New(t, wf)
		floxtest.Replace(h, "first", flox.NodeFunc[flox.NoState, int, flox.Answer[int, bool]](
			func(_ *flox.Context[flox.NoState], in int) (flox.Transition[flox.Answer[int, bool]], error) {
				return flox.NextAfter(30*365*24*time.Hour, flox.Answer[int, bool]{Carry: in}), nil
			}))
		h.Run(1)
	})
	const delayed = `floxtest: the run does not end: 20 years after its start its tokens stand here:
  node last is delayed until 2029-12-24
path: first`
	if got != delayed {
		t.Errorf("the test failed with\n%s\nwant\n%s", got, delayed)
	}
	h := floxtest.New(t, wf)
	floxtest.SignalAfter(h, 5*365*24*time.Hour, approve, true)
	h.Run(1) // in no time
	if h.Elapsed() != 5*365*24*time.Hour {
		t.Errorf("Elapsed = %v, want five years", h.Elapsed())
	}
}

// Many tokens are not listed one by one.
func TestManyStand(t *testing.T) {
	var busy, most atomic.Int64
	wf := squares(t, &busy, &most)
	got := failing(t, func(t testing.TB) {
		h := floxtest.New(t, wf)
		h.Fail("work", 120, flox.RetryAfter(30*365*24*time.Hour, errGateway))
		h.Run(120)
	})
	if n := strings.Count(got, "\n  node work is delayed until 2029-12-24"); n != 100 || !strings.Contains(got, "\n  and 20 more\npath: split\n") {
		t.Errorf("the test failed with\n%s\nwant 100 nodes listed and 20 more counted", got)
	}
}

// squares fans out over n numbers, which take an hour each.
func squares(t testing.TB, busy, most *atomic.Int64) *flox.Workflow[flox.NoState, int, int] {
	b := flox.New[flox.NoState]("squares")
	split := flox.Split(b, "split", func(n int) []int { return make([]int, n) })
	work := flox.Func(b, "work", func(ctx context.Context, in int) (int, error) {
		most.Store(max(most.Load(), busy.Add(1)))
		defer busy.Add(-1)
		time.Sleep(time.Hour)
		return in, nil
	})
	check := step(b, "check")
	count := flox.Func(b, "count", func(_ context.Context, all []int) (int, error) { return len(all), nil })
	split.To(work)
	work.To(check)
	check.Join(count)
	return build(t, b, split, count)
}

func TestParallel(t *testing.T) {
	var busy, most atomic.Int64
	h := floxtest.New(t, squares(t, &busy, &most))
	h.Run(4)
	h.WantPath("split", "work", "check", "work", "check", "work", "check", "work", "check", "count")
	if h.Elapsed() != 4*time.Hour || most.Load() != 1 {
		t.Errorf("%d at a time took %v, want 1 and 4h", most.Load(), h.Elapsed())
	}
	h.Parallel(2).Run(4)
	if h.Elapsed() != 2*time.Hour || most.Load() != 2 {
		t.Errorf("%d at a time took %v, want 2 and 2h", most.Load(), h.Elapsed())
	}
	h.Run(1000) // a fan-out that is released in chunks
	if n := len(h.Path()); n != 2002 {
		t.Errorf("path of %d nodes, want 2002", n)
	}
}

// A join that fires early ends the branches it does not need.
func TestQuorum(t *testing.T) {
	b := flox.New[flox.NoState]("race")
	split := flox.Split(b, "split", func(n int) []int { return []int{1, 2, 3} })
	ask := flox.Func(b, "ask", func(ctx context.Context, in int) (int, error) {
		select {
		case <-time.After(time.Duration(in) * time.Hour):
			return in, nil
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	})
	first := flox.Func(b, "first", func(_ context.Context, all []int) (int, error) { return all[0], nil }).Quorum(1)
	split.To(ask)
	ask.Join(first)
	h := floxtest.New(t, build(t, b, split, first)).Parallel(3)
	if res := h.Run(0); res.Output != 1 || h.Elapsed() != time.Hour {
		t.Errorf("Run = %+v after %v, want 1 after 1h", res, h.Elapsed())
	}
	h.WantPath("split", "ask", "first")
}
