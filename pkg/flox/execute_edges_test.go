package flox

import (
	"context"
	"strings"
	"testing"
)

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
