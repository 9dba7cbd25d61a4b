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

func (f fixedState) in(string) stateReader { return f }

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

var errBoom = errors.New("boom")

func fails(err error) func(*Context[tally], int) (Transition[int], error) {
	return func(*Context[tally], int) (Transition[int], error) { return nil, err }
}

var outcomeCases = []struct {
	name   string
	f      func(*Context[tally], int) (Transition[int], error)
	change func(Ref[int, int], *execution)
	kind   outcomeKind
	class  string
	err    string
}{
	{"next", func(_ *Context[tally], n int) (Transition[int], error) { return Next(n + 1), nil }, unchanged, outcomeNext, "", ""},
	{"error", fails(errBoom), unchanged, outcomeError, ClassError, "boom"},
	{"permanent", fails(fmt.Errorf("wrapped: %w", Permanent(errBoom))), unchanged, outcomeError, ClassPermanent, "wrapped: boom"},
	{"retry after", fails(RetryAfter(time.Second, errBoom)), unchanged, outcomeError, ClassError, "boom"},
	{"abort", func(*Context[tally], int) (Transition[int], error) { return Abort[int](errBoom), nil }, unchanged, outcomeAbort, ClassAbort, "boom"},
	{"abort of nothing", func(*Context[tally], int) (Transition[int], error) { return Abort[int](nil), nil }, unchanged, outcomeAbort, ClassAbort, "aborted"},
	{"nil, nil", fails(nil), unchanged, outcomeError, ClassPermanent, "returned neither a transition nor an error"},
	{"panic", func(*Context[tally], int) (Transition[int], error) { panic("ouch") }, unchanged, outcomeError, ClassPanic, "panic: ouch"},
	{"own timeout", func(ctx *Context[tally], _ int) (Transition[int], error) { <-ctx.Done(); return nil, ctx.Err() },
		func(r Ref[int, int], _ *execution) { r.Timeout(time.Millisecond) }, outcomeError, ClassTimeout, "timed out after 1ms: context deadline exceeded"},
	{"permanent after a timeout", func(ctx *Context[tally], _ int) (Transition[int], error) {
		<-ctx.Done()
		return nil, Permanent(errBoom)
	},
		func(r Ref[int, int], _ *execution) { r.Timeout(time.Millisecond) }, outcomeError, ClassPermanent, "boom"},
	{"success after a timeout", func(ctx *Context[tally], _ int) (Transition[int], error) { <-ctx.Done(); return Next(1), nil },
		func(r Ref[int, int], _ *execution) { r.Timeout(time.Millisecond) }, outcomeNext, "", ""},
	{"broken input", fails(errBoom), func(_ Ref[int, int], x *execution) { x.item.Input.Payload = []byte{0, 0xdd, 255, 255, 255, 255} },
		outcomeError, ClassPayload, "input: decode int: msgpack: a value is longer"},
	{"deposits at no join", fails(errBoom), func(_ Ref[int, int], x *execution) { x.item.Input.Joined = true },
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
		func(_ Ref[int, int], x *execution) { x.state = fixedState{err: &stateError{errBoom}} }, outcomeError, ClassPayload, "boom"},
}

func TestExecuteOutcomes(t *testing.T) {
	for _, c := range outcomeCases {
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
