package flox

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

type tallyNode = NodeFunc[tally, int, int]

// executedNode executes one item with input in at a workflow of the one node n.
func executedNode[I, O any](t *testing.T, n Node[tally, I, O], in I, change func(*execution)) outcome {
	t.Helper()
	b := New[tally]("w")
	r := Add(b, "a", n)
	wf, err := Build(b, r, r)
	if err != nil {
		t.Fatal(err)
	}
	x := item(t, in)
	change(x)
	return wf.g.start.execute(t.Context(), x)
}

// reading is a node that reads the state.
var reading = tallyNode(func(ctx *Context[tally], in int) (Transition[int], error) {
	return Next(int(ctx.State().N) + in), nil
})

func readingWorkflow(t *testing.T) *Workflow[tally, int, int] {
	t.Helper()
	b := New[tally]("inner")
	r := Add(b, "read", reading)
	wf, err := Build(b, r, r)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}

func TestUnreadStateUnwindsFromInside(t *testing.T) {
	for name, run := range map[string]func(change func(*execution)) outcome{
		"batch": func(c func(*execution)) outcome { return executedNode(t, Batch(reading, 2), []int{1, 2, 3}, c) },
		"some":  func(c func(*execution)) outcome { return executedNode(t, BatchSome(reading, 2), []int{1, 2, 3}, c) },
		"retry": func(c func(*execution)) outcome { return executedNode(t, Retry(reading, RetryPolicy{}), 1, c) },
		"composite": func(c func(*execution)) outcome {
			return executedNode(t, Composite(readingWorkflow(t)), 1, c)
		},
		"batch of composites": func(c func(*execution)) outcome {
			return executedNode(t, Batch(Composite(readingWorkflow(t)), 2), []int{1, 2}, c)
		},
	} {
		t.Run(name, func(t *testing.T) {
			out := run(func(x *execution) { x.state = fixedState{err: ErrLeaseLost} })
			if out.class != "" || !errors.Is(out.err, ErrLeaseLost) || out.stack != "" {
				t.Errorf("class %q, %v, want no class and %v", out.class, out.err, ErrLeaseLost)
			}
			out = run(func(x *execution) { x.state = fixedState{err: &stateError{errBoom}} })
			if out.class != ClassPayload || !errors.Is(out.err, errBoom) {
				t.Errorf("class %q, %v, want %q and %v", out.class, out.err, ClassPayload, errBoom)
			}
			out = run(func(*execution) {})
			if out.err != nil || out.read != 7 {
				t.Errorf("read version %d, %v, want 7, nil", out.read, out.err)
			}
		})
	}
}

func TestBatchSurvivesGoexit(t *testing.T) {
	exits := tallyNode(func(*Context[tally], int) (Transition[int], error) { runtime.Goexit(); return nil, nil })
	for name, out := range map[string]outcome{
		"batch": executedNode(t, Batch(exits, 2), []int{1, 2, 3, 4}, func(*execution) {}),
		"some":  executedNode(t, BatchSome(exits, 1), []int{1, 2, 3, 4}, func(*execution) {}),
	} {
		if out.class != ClassPanic || !strings.Contains(out.err.Error(), "ended its goroutine") {
			t.Errorf("%s: class %q, %v, want a panic that says so", name, out.class, out.err)
		}
	}
}

func TestNestedPanicKeepsItsStack(t *testing.T) {
	explode := tallyNode(func(*Context[tally], int) (Transition[int], error) { panic("ouch") })
	out := executedNode(t, Batch(Batch(explode, 1), 1), [][]int{{1}}, func(*execution) {})
	if out.class != ClassPanic || out.err.Error() != "panic: ouch" || !strings.Contains(out.stack, "inner_test.go") {
		t.Errorf("class %q, %v, want panic: ouch; stack\n%s", out.class, out.err, out.stack)
	}
}

func TestPartsOfAnItem(t *testing.T) {
	var facts []string
	out := executedNode(t, tallyNode(func(ctx *Context[tally], in int) (Transition[int], error) {
		ctx.Merge(tally{1})
		a, b := ctx.part(ctx, ctx.visit.info().part("a")), ctx.part(ctx, ctx.visit.info().part("b"))
		a.Merge(tally{10})
		b.Merge(tally{1000})
		facts = append(facts, fmt.Sprint(ctx.State().N, a.State().N, b.State().N))
		a.keep()
		a.keep() // has nothing any more
		facts = append(facts, fmt.Sprint(ctx.State().N, a.State().N, b.State().N))
		facts = append(facts, a.ItemID(), a.IdempotencyKey(), a.RunID(), fmt.Sprint(a.Attempt()))
		return Next(in), nil
	}), 1, func(*execution) {})
	want := []string{"101 111 1101", "111 111 1111", "0.1.3/a", "ns/r/0.1.3/a", "r", "2"}
	if !slices.Equal(facts, want) {
		t.Errorf("facts %q\nwant  %q", facts, want)
	}
	if string(out.delta) != string(payload(t, tally{11})) {
		t.Errorf("delta %q, want that of 11", out.delta)
	}
}

type reports func(share float64, note string)

func (r reports) report(share float64, note string) { r(share, note) }

func TestProgressIsReported(t *testing.T) {
	var told []string
	report := func(x *execution) {
		x.report = reports(func(share float64, note string) { told = append(told, fmt.Sprint(share, note)) })
	}
	says := tallyNode(func(ctx *Context[tally], in int) (Transition[int], error) {
		for _, share := range []float64{0.5, -1, 7, math.NaN(), math.Inf(1)} {
			ctx.Progress(share, "x")
		}
		return Next(in), nil
	})
	executedNode(t, Retry(says, RetryPolicy{}), 1, report)
	if want := []string{"0.5x", "0x", "1x", "0x", "1x"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	told = nil
	executedNode(t, Batch(says, 1), []int{1, 2}, report)
	if want := []string{"0.5", "1"}; !slices.Equal(told, want) {
		t.Errorf("of a batch told %q, want %q", told, want)
	}
	executedNode(t, says, 1, func(*execution) {}) // nobody listens: must not panic
}

func TestRetryBudget(t *testing.T) {
	p := RetryPolicy{MaxAttempts: -1, Backoff: Linear(time.Second, time.Minute), Budget: 10 * time.Second}.orElse(DefaultRetry)
	later := func(d time.Duration) error { return RetryAfter(d, errBoom) }
	for _, c := range []struct {
		n       int
		elapsed time.Duration
		err     error
		jitter  float64
		wait    time.Duration
		ok      bool
	}{
		{1, 0, errBoom, 0.5, 500 * time.Millisecond, true},
		{4, 8 * time.Second, errBoom, 0.5, 2 * time.Second, true},
		{5, 8 * time.Second, errBoom, 0.5, 0, false},
		{9, 11 * time.Second, errBoom, 0, 0, false},
		{1, 0, later(10 * time.Second), 0.5, 10 * time.Second, true},
		{1, 1, later(10 * time.Second), 0.5, 0, false},
		{1, time.Second, later(math.MaxInt64), 0.5, 0, false},
		{1, 0, later(-time.Second), 0.5, 0, true},
	} {
		if wait, ok := p.next(c.n, c.elapsed, c.err, c.jitter); wait != c.wait || ok != c.ok {
			t.Errorf("next(%d, %v, %v, %v) = %v, %v, want %v, %v", c.n, c.elapsed, c.err, c.jitter, wait, ok, c.wait, c.ok)
		}
	}
	for _, budget := range []time.Duration{0, -1} {
		free := RetryPolicy{Budget: budget}.orElse(DefaultRetry)
		if _, ok := free.next(1, time.Hour, errBoom, 0); !ok {
			t.Errorf("budget %v ends the attempts, want none", budget)
		}
	}
	if got := (RetryPolicy{Budget: -1}).orElse(p).Budget; got != -1 {
		t.Errorf("budget of a node that has none is filled with %v", got)
	}
	if got := (RetryPolicy{}).orElse(p).Budget; got != p.Budget {
		t.Errorf("open budget is filled with %v, want %v", got, p.Budget)
	}
}

func TestRetryStops(t *testing.T) {
	picky := RetryPolicy{MaxAttempts: 3, If: func(err error) bool { return !errors.Is(err, context.Canceled) }}.orElse(DefaultRetry)
	for _, c := range []struct {
		n   int
		err error
		ok  bool
	}{{2, errBoom, true}, {3, errBoom, false}, {1, context.Canceled, false}} {
		if _, ok := picky.next(c.n, 0, c.err, 0); ok != c.ok {
			t.Errorf("next(%d, %v) = %v, want %v", c.n, c.err, ok, c.ok)
		}
	}
}
