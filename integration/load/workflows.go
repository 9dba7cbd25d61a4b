package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Mesh is the input of a mesh run: Width branches of two steps each, joined.
type Mesh struct {
	Width int `json:"width"`
	// Nap is how long a branch's step takes at least, in ms; the longest takes
	// five times as much.
	Nap int `json:"nap,omitempty"`
	// Flaky lets one branch in seven fail at its first attempt.
	Flaky bool `json:"flaky,omitempty"`
	// Again is how often a branch does its first step once more, in the hands of the
	// worker that has it.
	Again int `json:"again,omitempty"`
}

// Part is what the branches of a mesh hand on.
type Part struct {
	Index int    `json:"index"`
	Nap   int    `json:"nap,omitempty"`
	Flaky bool   `json:"flaky,omitempty"`
	Again int    `json:"again,omitempty"`
	Item  string `json:"item,omitempty"` // that made it
}

// Chain is the input of a chain run, and what its steps hand on: Left steps one
// after the other, then one more.
type Chain struct {
	Left int    `json:"left"`
	Nap  int    `json:"nap,omitempty"`  // of a step, ms
	Wait int    `json:"wait,omitempty"` // after a step, in the store, ms
	Item string `json:"item,omitempty"` // that made it
	// More is of kinds that can be as large as a payload says.
	More map[string][]string `json:"more,omitempty"`
}

// Sum is the output of every run.
type Sum struct {
	Items int    `json:"items"` // what it was made of
	Item  string `json:"item"`  // that made it
}

// meshWorkflow fans out, does two steps in each branch, the second in a queue of
// its own, and joins.
func meshWorkflow() (flox.Definition, error) {
	b := flox.New[Trace](MeshName).MaxSteps(100_000).Retention(retention()).
		Retry(flox.RetryPolicy{MaxAttempts: 6, Backoff: flox.Exponential(10*time.Millisecond, 100*time.Millisecond)})
	split := flox.AddFanoutFunc(b, "split", node("split", func(ctx *flox.Context[Trace], in Mesh) (flox.Fanout[Part], error) {
		parts := make([]Part, in.Width)
		for i := range parts {
			parts[i] = Part{Index: i, Nap: in.Nap, Flaky: in.Flaky, Again: in.Again, Item: ctx.ItemID()}
		}
		return flox.NextAll(parts), nil
	}))
	first := flox.AddFunc(b, "first", node("first", func(ctx *flox.Context[Trace], in Part) (flox.Transition[Part], error) {
		if in.Flaky && in.Index%7 == 3 && ctx.Attempt() == 1 {
			return nil, errors.New("flaky at first")
		}
		err := nap(ctx, in.Nap*(1+in.Index%5))
		in.Item = ctx.ItemID()
		in.Again--
		return flox.Next(in), err
	}))
	second := flox.AddFunc(b, "second", node("second", func(ctx *flox.Context[Trace], in Part) (flox.Transition[Part], error) {
		err := nap(ctx, in.Nap*(1+in.Index%5))
		in.Item = ctx.ItemID()
		return flox.Next(in), err
	})).Queue(SecondQueue)
	sum := flox.AddFunc(b, "sum", node("sum", func(ctx *flox.Context[Trace], in []Part) (flox.Transition[Sum], error) {
		for i, p := range in {
			if p.Index != i {
				return flox.Abort[Sum](fmt.Errorf("branch %d is in place %d", p.Index, i)), nil
			}
		}
		return flox.Next(Sum{Items: len(in), Item: ctx.ItemID()}), nil
	}))
	split.To(first)
	first.Route(flox.When(func(p Part) bool { return p.Again >= 0 }, first), flox.Otherwise(second))
	second.Join(sum)
	return flox.Build(b, split, sum)
}

// chainWorkflow does one step after the other, in the worker's hands or with
// waits in the store in between.
func chainWorkflow() (flox.Definition, error) {
	b := flox.New[Trace](ChainName).MaxSteps(100_000).Retention(retention()).
		Retry(flox.RetryPolicy{MaxAttempts: 3, Backoff: flox.Exponential(10*time.Millisecond, 100*time.Millisecond)})
	link := flox.AddFunc(b, "link", node("link", func(ctx *flox.Context[Trace], in Chain) (flox.Transition[Chain], error) {
		err := nap(ctx, in.Nap)
		in.Left, in.Item = in.Left-1, ctx.ItemID()
		if in.Wait == 0 {
			return flox.Next(in), err
		}
		return flox.NextAfter(time.Duration(in.Wait)*time.Millisecond, in), err
	}))
	end := flox.AddFunc(b, "end", node("end", ending))
	link.Route(flox.When(func(c Chain) bool { return c.Left > 0 }, link), flox.Otherwise(end))
	return flox.Build(b, link, end)
}

// grownWorkflow has, in its old version, another first node than in its new one:
// a worker of the old version cannot do what was begun by the new one.
func grownWorkflow(old bool) (flox.Definition, error) {
	b := flox.New[Trace](GrownName)
	step := func(name string) flox.Ref[Chain, Chain] {
		return flox.AddFunc(b, name, node(name, func(ctx *flox.Context[Trace], in Chain) (flox.Transition[Chain], error) {
			err := nap(ctx, in.Nap)
			in.Item = ctx.ItemID()
			return flox.Next(in), err
		}))
	}
	end := flox.AddFunc(b, "end", node("end", ending))
	if old {
		former := step("former")
		former.To(end)
		return flox.Build(b, former, end)
	}
	begin, extra := step("begin"), step("extra")
	begin.To(extra)
	extra.To(end)
	return flox.Build(b, begin, end)
}

func ending(ctx *flox.Context[Trace], _ Chain) (flox.Transition[Sum], error) {
	return flox.Next(Sum{Items: 1, Item: ctx.ItemID()}), nil
}

// nap takes some time, or ends with the context's cause.
func nap(ctx context.Context, ms int) error {
	if ms == 0 {
		return context.Cause(ctx)
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Duration(ms) * time.Millisecond):
		return nil
	}
}
