package flox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

func increase(_ context.Context, n int) (int, error) { return n + 1, nil }

func printed[T any](_ context.Context, v T) (string, error) { return fmt.Sprint(v), nil }

// stairs is a workflow of two nodes that adds 2, and ends at one of two nodes.
func stairs(t *testing.T) *flox.Workflow[flox.NoState, int, int] {
	b := flox.New[flox.NoState]("stairs")
	first, left, right := flox.Func(b, "first", increase), flox.Func(b, "left", increase), flox.Func(b, "right", increase)
	first.Route(flox.When(func(n int) bool { return n > 5 }, left), flox.Otherwise(right))
	return build(t, b, first, left, right)
}

// TestNestFansOut leads a nest to two nodes, whose join may take the nest's
// input along.
func TestNestFansOut(t *testing.T) {
	for _, caught := range []bool{false, true} {
		b := flox.New[flox.NoState]("w")
		nest := flox.Nest(b, "n", stairs(t))
		l, m, z := flox.Func(b, "l", increase), flox.Func(b, "m", increase), flox.Func(b, "z", printed[[]int])
		nest.To(l, m)
		l.Join(z)
		m.Join(z)
		if caught {
			nest.OnFailure(flox.Func(b, "h", conv[flox.Failure[int], flox.None]))
		}
		if res, err := runAlone(t, build(t, b, nest, z), 1); err != nil || res.Output != "[4 4]" {
			t.Errorf("with a fallback %v: got %q, %v, want [4 4]", caught, res.Output, err)
		}
	}
}

func TestJoinWithNest(t *testing.T) {
	for _, caught := range []bool{false, true} {
		b := flox.New[flox.NoState]("w")
		nest := flox.Nest(b, "n", stairs(t))
		l, m := flox.Func(b, "l", increase), flox.Func(b, "m", increase)
		z := flox.Func(b, "z", printed[flox.Joined[int, int]])
		nest.To(l, m)
		flox.JoinWith(nest, l, z)
		flox.JoinWith(nest, m, z)
		if caught {
			nest.OnFailure(flox.Func(b, "h", conv[flox.Failure[int], flox.None]))
		}
		if res, err := runAlone(t, build(t, b, nest, z), 1); err != nil || res.Output != "{1 [4 4]}" {
			t.Errorf("with a fallback %v: got %q, %v, want {1 [4 4]}: the nest was given 1", caught, res.Output, err)
		}
	}
}

// TestFailureBehindNest fails in the fan-out of a nest, which is outside it.
func TestFailureBehindNest(t *testing.T) {
	b := flox.New[flox.NoState]("w")
	nest := flox.Nest(b, "n", stairs(t)).OnFailure(flox.Func(b, "h", conv[flox.Failure[int], flox.None]))
	l := flox.Func(b, "l", func(context.Context, int) (int, error) { return 0, flox.Permanent(errors.New("boom")) })
	m, z := flox.Func(b, "m", increase), flox.Func(b, "z", conv[[]int, int])
	nest.To(l, m)
	l.Join(z)
	m.Join(z)
	_, err := runAlone(t, build(t, b, nest, z), 1)
	if e, ok := errors.AsType[*flox.RunError](err); !ok || e.Node != "l" {
		t.Errorf("got %v, want a failure of l", err)
	}
}

// TestNestIsJoin joins into a nest: with a quorum that is not reached the nest's
// fallback takes what came.
func TestNestIsJoin(t *testing.T) {
	for quorum, want := range map[int]int{0: 1, 1: 1, 2: -1} {
		inner := flox.New[flox.NoState]("count")
		count := flox.Func(inner, "count", func(_ context.Context, all []int) (int, error) { return len(all), nil })
		b := flox.New[flox.NoState]("w")
		split := flox.Split(b, "split", func(int) []int { return []int{1, 2, 3} })
		pick := flox.Func(b, "pick", func(_ context.Context, n int) (int, error) {
			if n > 1 {
				return 0, flox.Permanent(errors.New("no"))
			}
			return n, nil
		}).OnFailure(flox.Func(b, "drop", conv[flox.Failure[int], flox.None]))
		nest := flox.Nest(b, "n", build(t, inner, count, count))
		if quorum > 0 {
			nest.Quorum(quorum)
		}
		h := flox.Func(b, "h", func(_ context.Context, f flox.Failure[[]int]) (int, error) { return -len(f.Input), nil })
		split.To(pick)
		pick.Join(nest)
		nest.OnFailure(h)
		if res, err := runAlone(t, build(t, b, split, nest, h), 1); err != nil || res.Output != want {
			t.Errorf("quorum %d: got %d, %v, want %d", quorum, res.Output, err, want)
		}
	}
}

// TestNestKeepsQuorum nests a workflow whose start is a join with a quorum, to
// which a cycle leads back.
func TestNestKeepsQuorum(t *testing.T) {
	inner := flox.New[flox.NoState]("inner").MaxSteps(100)
	start := flox.Func(inner, "start", func(_ context.Context, all []int) (int, error) { return len(all), nil }).Quorum(2)
	split := flox.Split(inner, "split", func(n int) []int { return []int{1, 2, 3} })
	slow := flox.AddFunc(inner, "slow", func(_ *flox.Context[flox.NoState], n int) (flox.Transition[int], error) {
		return flox.NextAfter(time.Duration(n)*time.Minute, n), nil
	})
	leave, end := flox.Func(inner, "leave", same[int]), flox.Func(inner, "end", same[int])
	start.Route(flox.When(func(n int) bool { return n == 1 }, split), flox.Otherwise(end))
	split.To(slow)
	slow.To(leave)
	leave.Join(start)
	wf := build(t, inner, start, end)
	b := flox.New[flox.NoState]("w").MaxSteps(100)
	first := flox.Func(b, "first", func(_ context.Context, n int) ([]int, error) { return []int{n}, nil })
	nest := flox.Nest(b, "n", wf)
	first.To(nest)
	if res, err := runAlone(t, build(t, b, first, nest), 1); err != nil || res.Output != 2 {
		t.Errorf("got %d, %v, want 2: the join fires with the first two", res.Output, err)
	}
}

type visited struct{ Count flox.Sum }

// TestRenamedNest renames a nest with a state of its own while a visit waits.
func TestRenamedNest(t *testing.T) {
	version := func(t *testing.T, name string, old ...string) *flox.Workflow[trail, int, int] {
		inner := flox.New[visited]("inner")
		ask := flox.AddFunc(inner, "ask", func(ctx *flox.Context[visited], n int) (flox.Awaiting[int, string], error) {
			ctx.Merge(visited{5})
			return flox.Await(approve, n, 0), nil
		}).Awaits(approve)
		tell := flox.AddFunc(inner, "tell", func(ctx *flox.Context[visited], _ flox.Answer[int, string]) (flox.Transition[int], error) {
			return flox.Next(int(ctx.State().Count)), nil
		})
		ask.To(tell)
		b := flox.New[trail]("renamed")
		nest := flox.NestWith(b, name, build(t, inner, ask, tell), func(v visited) trail { return trail{Total: v.Count} }).Alias(old...)
		return build(t, b, nest, nest)
	}
	synctest.Test(t, func(t *testing.T) {
		st, v1, v2 := flox.NewMemory(), version(t, "old"), version(t, "new", "old")
		stop := stage{t, st}.worker(flox.WorkerConfig{}, v1)
		id, err := orchestrate(t, st, v1).Start(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stop()
		defer stage{t, st}.worker(flox.WorkerConfig{}, v2)()
		orch := orchestrate(t, st, v2)
		if err := approve.Send(t.Context(), orch, id, "yes"); err != nil {
			t.Fatal(err)
		}
		res, err := orch.Wait(t.Context(), id)
		if err != nil || res.Output != 5 || res.State.Total != 5 {
			t.Errorf("got %d, state %+v, %v, want 5 and 5: the visit's state goes on", res.Output, res.State, err)
		}
	})
}
