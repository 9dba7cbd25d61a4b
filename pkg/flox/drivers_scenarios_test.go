package flox_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var errBoom = errors.New("boom")

var driverScenarios = []driverScenario{
	{"next after", func(t *testing.T, d driver) {
		b := flox.New[trail]("w")
		a := flox.AddFunc(b, "a", func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
			return flox.NextAfter(time.Minute, in+1), nil
		})
		began := time.Now()
		z := flox.AddFunc(b, "z", func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
			if took := time.Since(began); took < time.Minute {
				t.Errorf("z ran after %v, want a minute", took)
			}
			return flox.Next(in * 2), nil
		})
		a.To(z)
		d.want(t, build(t, b, a, z), 1, finished{Output: "4", Items: []string{"0.0 a next", "0.1 z end"}})
	}},
	{"next after to several", func(t *testing.T, d driver) {
		b := flox.New[trail]("w")
		a := flox.AddFunc(b, "a", func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
			return flox.NextAfter(time.Minute, in), nil
		})
		x, y, sum := plus(b, "x", 1), plus(b, "y", 2), flox.Func(b, "sum", sumOf)
		a.To(x, y)
		x.Join(sum)
		y.Join(sum)
		d.want(t, build(t, b, a, sum), 1, finished{Output: "5", State: did("x", "y"), Items: []string{
			"0.0 a fan", "0.0.1.0 y deposit", "0.0.j.0 sum end", "0.1 x deposit"}})
	}},
	{"await that times out", func(t *testing.T, d driver) {
		b := flox.New[trail]("w")
		ask := flox.AddFunc(b, "ask", func(ctx *flox.Context[trail], in int) (flox.Awaiting[int, string], error) {
			ctx.Merge(step("ask"))
			return flox.Await(approve, in, 30*time.Minute), nil
		}).Awaits(approve)
		late, answered := flox.Func(b, "late", answerValue), flox.Func(b, "answered", answerValue)
		ask.Route(flox.When(func(a flox.Answer[int, string]) bool { return a.TimedOut }, late), flox.Otherwise(answered))
		d.want(t, build(t, b, ask, late, answered), 7, finished{Output: "7", State: did("ask"), Items: []string{
			"0.0 ask await", "0.1 ask answered", "0.2 late end"}})
	}},
	{"join of two types", func(t *testing.T, d driver) {
		b := flox.New[trail]("w")
		a, x := plus(b, "a", 1), plus(b, "x", 10)
		y := flox.Func(b, "y", func(_ context.Context, in int) (string, error) { return fmt.Sprint("n", in), nil })
		both := flox.Func(b, "both", func(_ context.Context, p flox.Pair[string, int]) (int, error) {
			return p.Second + len(p.First), nil
		})
		a.To(x, y)
		flox.Join2(y, x, both)
		d.want(t, build(t, b, a, both), 1, finished{Output: "14", State: did("a", "x"), Items: []string{
			"0.0 a fan", "0.0.1.0 y deposit", "0.0.j.0 both end", "0.1 x deposit"}})
	}},
	{"saga", func(t *testing.T, d driver) {
		b := flox.New[trail]("w")
		a, c := plus(b, "a", 1), plus(b, "c", 10)
		fail := flox.Func(b, "fail", func(context.Context, int) (int, error) { return 0, flox.Permanent(errBoom) })
		undo := func(name string) flox.Ref[flox.Done[int, int], flox.None] {
			return flox.AddFunc(b, name, func(ctx *flox.Context[trail], in flox.Done[int, int]) (flox.Transition[flox.None], error) {
				ctx.Merge(step(fmt.Sprintf("%s:%d:%d:%s", name, in.Input, in.Output, in.Cause.Message)))
				return flox.Next(flox.None{}), nil
			})
		}
		a.To(c).UndoWith(undo("undoA"))
		c.To(fail).UndoWith(undo("undoC"))
		d.want(t, build(t, b, a, fail), 1, finished{
			Err:    "run r failed: node fail: attempt 1: boom",
			State:  did("a", "c", "undoA:1:2:boom", "undoC:2:12:boom"),
			Items:  []string{"0.0 a next", "0.1 c next", "u1.0 undoA undone", "u2.0 undoC undone"},
			Undone: []string{"c", "a"},
		})
	}},
	{"nest", func(t *testing.T, d driver) {
		in := flox.New[trail]("shipping")
		pack, send := plus(in, "pack", 1), plus(in, "send", 2)
		pack.To(send)
		b := flox.New[trail]("w")
		a, ship, z := plus(b, "a", 10), flox.Nest(b, "ship", build(t, in, pack, send)), plus(b, "z", 100)
		a.To(ship)
		ship.To(z)
		d.want(t, build(t, b, a, z), 0, finished{Output: "113", State: did("a", "pack", "send", "z"), Items: []string{
			"0.0 a next", "0.1 ship/pack next", "0.2 ship/send next", "0.3 z end"}})
	}},
	{"nest whose failure is caught", func(t *testing.T, d driver) {
		in := flox.New[trail]("shipping")
		split := flox.Split(in, "split", func(n int) []int { return []int{n, n + 1} })
		pack := flox.AddFunc(in, "pack", func(ctx *flox.Context[trail], n int) (flox.Transition[int], error) {
			if n == 5 {
				return nil, flox.Permanent(errBoom)
			}
			return flox.NextAfter(time.Minute, n), nil
		})
		slow, sum := plus(in, "slow", 0), flox.Func(in, "sum", sumOf)
		split.To(pack)
		pack.To(slow)
		slow.Join(sum)
		b := flox.New[trail]("w")
		ship := flox.Nest(b, "ship", build(t, in, split, sum))
		refund := flox.AddFunc(b, "refund", func(ctx *flox.Context[trail], f flox.Failure[int]) (flox.Transition[int], error) {
			ctx.Merge(step(fmt.Sprintf("%d:%s:%d:%s:%s", f.Input, f.Node, f.Attempt, f.Err.Class, f.Err.Message)))
			return flox.Next(-f.Input), nil
		})
		ship.OnFailure(refund)
		d.want(t, build(t, b, ship, ship, refund), 4, finished{
			Output: "-4", State: did("4:ship/pack:1:permanent:boom")})
	}},
	{"nest with a state of its own", func(t *testing.T, d driver) {
		type tally struct{ N flox.Sum }
		in := flox.New[tally]("counting")
		split := flox.Split(in, "split", func(n int) []int { return make([]int, n) })
		count := flox.AddFunc(in, "count", func(ctx *flox.Context[tally], n int) (flox.Transition[int], error) {
			ctx.Merge(tally{2})
			return flox.Next(n), nil
		})
		end := flox.AddFunc(in, "end", func(ctx *flox.Context[tally], ns []int) (flox.Transition[int], error) {
			return flox.Next(int(ctx.State().N) + len(ns)), nil
		})
		split.To(count)
		count.Join(end)
		b := flox.New[trail]("w").MaxSteps(100)
		nest := flox.NestWith(b, "n", build(t, in, split, end), func(t tally) trail {
			return trail{Total: t.N, Steps: flox.List[string]{fmt.Sprint("lifted ", t.N)}}
		})
		z := plus(b, "z", 0)
		nest.Route(flox.When(func(n int) bool { return n < 20 }, nest), flox.Otherwise(z))
		d.want(t, build(t, b, nest, z), 3, finished{
			Output: "27", State: trail{Steps: flox.List[string]{"lifted 18", "lifted 6", "z"}, Total: 25},
		})
	}},
	{"nest of a list", func(t *testing.T, d driver) {
		in := flox.New[trail]("all")
		split, leaf := flox.Split(in, "split", func(n int) []int { return []int{n, n + 1, n + 2} }), plus(in, "leaf", 10)
		split.To(leaf)
		b := flox.New[trail]("w")
		all, sum := flox.Nest(b, "all", buildAllOf(t, in, split, leaf)), flox.Func(b, "sum", sumOf)
		all.To(sum)
		d.want(t, build(t, b, all, sum), 1, finished{Output: "36", State: did("leaf", "leaf", "leaf"), Items: []string{
			"0.0 all fan", "0.0.j.0 all/$end next", "0.0.j.1 sum end", "0.1 all/split fan",
			"0.1.1.0 all/leaf deposit", "0.1.2.0 all/leaf deposit", "0.2 all/leaf deposit"}})
	}},
	{"deadline", func(t *testing.T, d driver) {
		b := flox.New[trail]("w").Deadline(time.Second)
		a := flox.AddFunc(b, "a", func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
			return flox.NextAfter(time.Minute, in+1), nil
		})
		z := plus(b, "z", 1)
		a.To(z)
		d.want(t, build(t, b, a, z), 1, finished{Err: "run r failed: deadline exceeded", Items: []string{"0.0 a next"}})
	}},
	{"hold until all have come", func(t *testing.T, d driver) {
		in := flox.New[trail]("holding")
		split := flox.Split(in, "split", func(n int) []int { return make([]int, n) })
		collect := flox.AddFunc(in, "collect", func(ctx *flox.Context[trail], _ int) (flox.Transition[int], error) {
			ctx.Merge(trail{Total: 1})
			if ctx.State().Total < 5 {
				return flox.Hold[int](), nil
			}
			return flox.Next(int(ctx.State().Total)), nil
		})
		split.To(collect)
		b := flox.New[trail]("w")
		all, sum := flox.Nest(b, "all", buildAllOf(t, in, split, collect)), flox.Func(b, "sum", sumOf)
		all.To(sum)
		d.want(t, build(t, b, all, sum), 5, finished{Output: "5", State: trail{Total: 5}})
	}},
	{"all hold", func(t *testing.T, d driver) {
		b := flox.New[trail]("w")
		a := flox.AddFunc(b, "a", func(ctx *flox.Context[trail], _ int) (flox.Transition[int], error) {
			return flox.Hold[int](), nil
		})
		d.want(t, build(t, b, a, a), 5, finished{
			Err: "run r failed: ended with no output: held a=1", Items: []string{"0.0 a hold"}})
	}},
	{"quorum", func(t *testing.T, d driver) {
		b := flox.New[trail]("w")
		split := flox.Split(b, "split", func(n int) []int { return []int{1, 2, 3} })
		ask := flox.AddFunc(b, "ask", func(ctx *flox.Context[trail], n int) (flox.Transition[int], error) {
			return flox.NextAfter(time.Duration(n)*time.Minute, n), nil
		})
		answer, first := plus(b, "answer", 0), flox.Func(b, "first", sumOf).Quorum(2)
		split.To(ask)
		ask.To(answer)
		answer.Join(first)
		d.want(t, build(t, b, split, first), 5, finished{Output: "3", State: did("answer", "answer"), Items: []string{
			"0.0 split fan", "0.0.1.0 ask next", "0.0.1.1 answer deposit", "0.0.2.0 ask next",
			"0.0.j.0 first end", "0.1 ask next", "0.2 answer deposit"}})
	}},
	{"quorum that cannot be had", func(t *testing.T, d driver) {
		b := flox.New[trail]("w")
		split := flox.Split(b, "split", func(n int) []int { return []int{1, 2, 3} })
		ask := flox.AddFunc(b, "ask", func(ctx *flox.Context[trail], n int) (flox.Transition[int], error) {
			if n < 3 {
				return flox.Hold[int](), nil
			}
			return flox.Next(n), nil
		})
		first := flox.Func(b, "first", sumOf).Quorum(2)
		few := flox.Func(b, "few", func(_ context.Context, f flox.Failure[[]int]) (int, error) {
			return -f.Input[0], nil
		})
		split.To(ask)
		ask.Join(first)
		first.OnFailure(few)
		d.want(t, build(t, b, split, first, few), 5, finished{Output: "-3"})
	}},
}

var approve = flox.NewSignal[string]("approve")

func answerValue(_ context.Context, a flox.Answer[int, string]) (int, error) {
	return a.Carry + len(a.Payload), nil
}

func sumOf(_ context.Context, ns []int) (int, error) {
	sum := 0
	for _, n := range ns {
		sum += n
	}
	return sum, nil
}

func buildAllOf[S, I, O any](t *testing.T, b *flox.Builder[S], start flox.In[I], ends ...flox.Out[O]) *flox.Workflow[S, I, []O] {
	t.Helper()
	wf, err := flox.BuildAll(b, start, ends...)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}
