package flox

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

type tally struct{ N Sum }

// fixedState is a state that is always the same, or cannot be read.
type fixedState struct {
	folded  any
	version int64
	err     error
}

func (f fixedState) readState(context.Context, *stateType) (any, int64, error) {
	return f.folded, f.version, f.err
}

// executed builds a workflow of one node that goes on to nothing, and executes
// one item at it.
func executed(t *testing.T, f func(*Context[tally], int) (Transition[int], error), change func(Ref[int, int], *execution)) outcome {
	t.Helper()
	b := New[tally]("w")
	a := AddFunc(b, "a", f)
	x := item(t, 20)
	change(a, x)
	wf, err := Build(b, a, a)
	if err != nil {
		t.Fatal(err)
	}
	return wf.g.start.execute(t.Context(), x)
}

func item(t *testing.T, in any) *execution {
	t.Helper()
	return &execution{
		ns: "ns", item: &Item{Workflow: "w", Node: "a", Input: Input{Payload: payload(t, in)}},
		lease: &Lease{Entry: Entry{Run: "r", Token: "0.1"}, Step: 3, Attempt: 1},
		state: fixedState{folded: tally{100}, version: 7},
	}
}

func payload(t *testing.T, v any) []byte {
	t.Helper()
	c, err := records.of(reflect.TypeOf(v))
	if err != nil {
		t.Fatal(err)
	}
	b, err := c.encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func unchanged(Ref[int, int], *execution) {}

func TestExecuteOutcomes(t *testing.T) {
	boom := errors.New("boom")
	fails := func(err error) func(*Context[tally], int) (Transition[int], error) {
		return func(*Context[tally], int) (Transition[int], error) { return nil, err }
	}
	cases := []struct {
		name   string
		f      func(*Context[tally], int) (Transition[int], error)
		change func(Ref[int, int], *execution)
		kind   outcomeKind
		class  string
		err    string
	}{
		{"next", func(_ *Context[tally], n int) (Transition[int], error) { return Next(n + 1), nil }, unchanged, outcomeNext, "", ""},
		{"error", fails(boom), unchanged, outcomeError, ClassError, "boom"},
		{"permanent", fails(fmt.Errorf("wrapped: %w", Permanent(boom))), unchanged, outcomeError, ClassPermanent, "wrapped: boom"},
		{"retry after", fails(RetryAfter(time.Second, boom)), unchanged, outcomeError, ClassError, "boom"},
		{"abort", func(*Context[tally], int) (Transition[int], error) { return Abort[int](boom), nil }, unchanged, outcomeAbort, ClassAbort, "boom"},
		{"abort of nothing", func(*Context[tally], int) (Transition[int], error) { return Abort[int](nil), nil }, unchanged, outcomeAbort, ClassAbort, "aborted"},
		{"nil, nil", fails(nil), unchanged, outcomeError, ClassPermanent, "returned neither a transition nor an error"},
		{"panic", func(*Context[tally], int) (Transition[int], error) { panic("ouch") }, unchanged, outcomeError, ClassPanic, "panic: ouch"},
		{"own timeout", func(ctx *Context[tally], _ int) (Transition[int], error) { <-ctx.Done(); return nil, ctx.Err() },
			func(r Ref[int, int], _ *execution) { r.Timeout(time.Millisecond) }, outcomeError, ClassTimeout, "timed out after 1ms: context deadline exceeded"},
		{"permanent after a timeout", func(ctx *Context[tally], _ int) (Transition[int], error) { <-ctx.Done(); return nil, Permanent(boom) },
			func(r Ref[int, int], _ *execution) { r.Timeout(time.Millisecond) }, outcomeError, ClassPermanent, "boom"},
		{"success after a timeout", func(ctx *Context[tally], _ int) (Transition[int], error) { <-ctx.Done(); return Next(1), nil },
			func(r Ref[int, int], _ *execution) { r.Timeout(time.Millisecond) }, outcomeNext, "", ""},
		{"broken input", fails(boom), func(_ Ref[int, int], x *execution) { x.item.Input.Payload = []byte{0, 0xdd, 255, 255, 255, 255} },
			outcomeError, ClassPayload, "input: decode int: msgpack: a value is longer"},
		{"deposits at no join", fails(boom), func(_ Ref[int, int], x *execution) { x.item.Input.Joined = true },
			outcomeError, ClassPayload, "that of a join, which node a is not"},
		{"output over the limit", func(*Context[tally], int) (Transition[int], error) { return Next(1 << 40), nil },
			func(_ Ref[int, int], x *execution) { x.limit = 9 }, outcomeError, ClassPayload, "output of 10 bytes exceeds the payload limit of 9"},
		{"delta over the limit", func(ctx *Context[tally], _ int) (Transition[int], error) {
			ctx.Merge(tally{1 << 40})
			return Next(1), nil
		},
			func(_ Ref[int, int], x *execution) { x.limit = 9 }, outcomeError, ClassPayload, "state delta of 13 bytes exceeds the payload limit of 9"},
		{"state not readable", func(ctx *Context[tally], _ int) (Transition[int], error) { ctx.State(); return Next(1), nil },
			func(_ Ref[int, int], x *execution) { x.state = fixedState{err: ErrLeaseLost} }, outcomeError, "", "lease lost"},
		{"state not readable, panic caught", func(ctx *Context[tally], _ int) (tr Transition[int], err error) {
			defer func() { recover(); tr = Next(1) }()
			ctx.State()
			return nil, nil
		}, func(_ Ref[int, int], x *execution) { x.state = fixedState{err: ErrLeaseLost} }, outcomeError, "", "lease lost"},
		{"state broken", func(ctx *Context[tally], _ int) (Transition[int], error) { ctx.State(); return Next(1), nil },
			func(_ Ref[int, int], x *execution) { x.state = fixedState{err: &stateError{boom}} }, outcomeError, ClassPayload, "boom"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			out := executed(t, c.f, c.change)
			if out.kind != c.kind || out.class != c.class {
				t.Errorf("kind %d class %q (%v), want %d %q", out.kind, out.class, out.err, c.kind, c.class)
			}
			if c.err == "" && out.err != nil || c.err != "" && (out.err == nil || !strings.Contains(out.err.Error(), c.err)) {
				t.Errorf("error %v, want %q", out.err, c.err)
			}
			if (out.stack != "") != (c.class == ClassPanic) {
				t.Errorf("stack of %d bytes at class %q", len(out.stack), out.class)
			}
			if out.err != nil && out.kind == outcomeError && out.delta != nil {
				t.Errorf("a failed item has the delta %q, want none", out.delta)
			}
		})
	}
}

func TestExecuteStateAndFacts(t *testing.T) {
	var got []string
	out := executed(t, func(ctx *Context[tally], n int) (Transition[int], error) {
		before := ctx.State().N
		ctx.Merge(tally{1})
		ctx.Merge(tally{Sum(n)})
		info, ok := InfoFrom(context.WithValue(ctx, struct{ k int }{}, 1))
		got = append(got, strings.TrimSpace(fmt.Sprintln(before, ctx.State().N, ctx.RunID(), ctx.ItemID(), ctx.Attempt(), ctx.IdempotencyKey(), ok, info.Node, info.Workflow)))
		ctx.Logger().Info("no logger is set; this must not panic")
		return Next(n), nil
	}, unchanged)
	if want := "100 121 r 0.1.3 2 ns/r/0.1.3 true a w"; got[0] != want {
		t.Errorf("facts %q, want %q", got[0], want)
	}
	if out.read != 7 || string(out.delta) != string(payload(t, tally{21})) {
		t.Errorf("read %d delta %q, want 7 and the sum of both deltas", out.read, out.delta)
	}
	if len(out.outs) != 1 || out.outs[0].targets != nil || string(out.outs[0].payload) != string(payload(t, 20)) {
		t.Errorf("outs %+v, want one output of 20", out.outs)
	}
	quiet := executed(t, func(*Context[tally], int) (Transition[int], error) { return Next(1), nil }, unchanged)
	if quiet.read != -1 || quiet.delta != nil {
		t.Errorf("read %d delta %q of an item that neither read nor merged, want -1 and none", quiet.read, quiet.delta)
	}
	if _, ok := InfoFrom(t.Context()); ok {
		t.Error("InfoFrom a context of no node = true, want false")
	}
}

func TestAbortKeepsItsDelta(t *testing.T) {
	out := executed(t, func(ctx *Context[tally], _ int) (Transition[int], error) {
		ctx.Merge(tally{5})
		return Abort[int](errors.New("no")), nil
	}, unchanged)
	if string(out.delta) != string(payload(t, tally{5})) {
		t.Errorf("delta %q, want that of 5", out.delta)
	}
}

// zoo routes animals: an item of n is a cat if n > 0, a dog if it is 0, else nil.
func zoo(t *testing.T) *graph {
	t.Helper()
	b := New[NoState]("zoo")
	Variants[animal](b, cat{}, &dog{})
	a := Func(b, "a", func(_ context.Context, n int) (animal, error) {
		switch {
		case n > 0:
			return cat{n}, nil
		case n == 0:
			return &dog{"rex"}, nil
		case n == -1:
			return undeclared{}, nil
		}
		return nil, nil
	})
	young := Func(b, "young", func(_ context.Context, c cat) (int, error) { return c.Lives, nil })
	old := Func(b, "old", func(_ context.Context, c cat) (int, error) { return c.Lives, nil })
	dogs := Func(b, "dogs", func(context.Context, *dog) (int, error) { return 0, nil })
	a.Route(
		Case(young).If(func(c cat) bool {
			if c.Lives == 13 {
				panic("unlucky")
			}
			return c.Lives > 5
		}),
		Case(old), Case(dogs))
	wf, err := Build(b, a, young, old, dogs)
	if err != nil {
		t.Fatal(err)
	}
	return wf.g
}

func TestExecuteRoutes(t *testing.T) {
	g := zoo(t)
	for in, want := range map[int]string{7: "young", 2: "old", 0: "dogs"} {
		out := g.start.execute(t.Context(), item(t, in))
		if len(out.outs) != 1 || out.outs[0].targets[0].name != want {
			t.Errorf("item %d: %+v, want it at %s", in, out, want)
			continue
		}
		next := item(t, 0)
		next.item.Input.Payload = out.outs[0].payload
		if out := g.byName[want].execute(t.Context(), next); out.err != nil {
			t.Errorf("%s does not understand its input: %v", want, out.err)
		}
	}
	failures := map[int][2]string{
		-1: {ClassPayload, "yielded flox.undeclared, which no case takes"},
		-2: {ClassPayload, "yielded <nil>, which no case takes"},
		13: {ClassPanic, "panic: unlucky"},
	}
	for in, want := range failures {
		out := g.start.execute(t.Context(), item(t, in))
		if out.kind != outcomeError || out.class != want[0] || !strings.Contains(out.err.Error(), want[1]) {
			t.Errorf("item %d: class %q error %v, want %q", in, out.class, out.err, want)
		}
	}
}

func TestExecuteFansJoinsAndFails(t *testing.T) {
	b := New[NoState]("fan")
	split := Split(b, "split", func(in []int) []int { return in })
	work := Func(b, "work", func(_ context.Context, n int) (int, error) { return n, nil })
	note := Func(b, "note", func(context.Context, int) (None, error) { return None{}, nil })
	sum := Func(b, "sum", func(_ context.Context, in Joined[[]int, int]) (Joined[[]int, int], error) { return in, nil })
	failed := Func(b, "failed", func(_ context.Context, f Failure[Joined[[]int, int]]) (Joined[[]int, int], error) {
		return f.Input, nil
	})
	split.To(work, note)
	JoinWith(split, work, sum)
	sum.OnFailure(failed)
	wf, err := Build(b, split, sum, failed)
	if err != nil {
		t.Fatal(err)
	}
	x := item(t, []int{1, 2})
	out := wf.g.start.execute(t.Context(), x)
	if out.kind != outcomeFan || len(out.outs) != 2 || len(out.outs[1].targets) != 2 || string(out.carry) != string(x.item.Input.Payload) {
		t.Fatalf("fan-out %+v, want two outputs to two targets each, and the input as carry", out)
	}
	deposit := wf.g.byName["work"].execute(t.Context(), item(t, 5))
	if len(deposit.outs) != 1 || deposit.outs[0].targets != nil || string(deposit.outs[0].payload) != string(payload(t, 5)) {
		t.Errorf("deposit %+v, want 5 and no target", deposit)
	}
	if quiet := wf.g.byName["note"].execute(t.Context(), item(t, 5)); quiet.err != nil || quiet.outs[0].payload != nil {
		t.Errorf("quiet end %+v, want no payload", quiet)
	}
	joined := item(t, []int{1, 2})
	joined.item.Input.Joined = true
	joined.item.Input.Deposits = [][]byte{payload(t, 10), payload(t, 20)}
	want := Joined[[]int, int]{Input: []int{1, 2}, Outputs: []int{10, 20}}
	if out := wf.g.byName["sum"].execute(t.Context(), joined); out.err != nil || string(out.outs[0].payload) != string(payload(t, want)) {
		t.Errorf("join %+v, want %+v", out, want)
	}
	input, err := wf.g.byName["sum"].failure(joined, NodeError{ClassError, "boom"})
	if err != nil {
		t.Fatal(err)
	}
	fallback := item(t, 0)
	fallback.item.Input.Payload = input
	if out := wf.g.byName["failed"].execute(t.Context(), fallback); out.err != nil || string(out.outs[0].payload) != string(payload(t, want)) {
		t.Errorf("fallback %+v, want %+v", out, want)
	}
}

func TestFrames(t *testing.T) {
	one := func(in int) []int { return []int{in} }
	b := New[NoState]("frames")
	outer, inner := Split(b, "outer", one), Split(b, "inner", one)
	work := Func(b, "work", func(_ context.Context, n int) (int, error) { return n, nil })
	add := func(_ context.Context, in []int) (int, error) { return len(in), nil }
	s1, s2 := Func(b, "s1", add), Func(b, "s2", add)
	outer.To(inner)
	inner.To(work)
	work.Join(s1)
	s1.Join(s2)
	wf, err := Build(b, outer, s2)
	if err != nil {
		t.Fatal(err)
	}
	at := wf.g.byName
	if at["outer"].frame == nil || at["outer"].inside != nil || at["outer"].frame.join != at["s2"] || at["outer"].frame.outer != nil {
		t.Errorf("outer: frame %+v inside %+v", at["outer"].frame, at["outer"].inside)
	}
	if at["inner"].inside != at["outer"].frame || at["inner"].frame.outer != at["outer"].frame || at["inner"].frame.join != at["s1"] {
		t.Errorf("inner: frame %+v inside %+v", at["inner"].frame, at["inner"].inside)
	}
	if at["work"].inside != at["inner"].frame || at["s1"].inside != at["outer"].frame || at["s2"].inside != nil {
		t.Errorf("work, s1, s2 stand in %+v, %+v, %+v", at["work"].inside, at["s1"].inside, at["s2"].inside)
	}
}
