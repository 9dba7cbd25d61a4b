package main

import (
	"context"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// notes is a state that grows with each delta.
type notes struct {
	Lines flox.List[string] `json:"lines"`
}

// line is a delta of 100 bytes, with what it takes to store it.
var line = notes{Lines: flox.List[string]{strings.Repeat("d", 90)}}

// deltas is n items in parallel, each of which adds a line to the run's state.
func deltas() (*flox.Workflow[notes, int, int], error) {
	b := flox.New[notes]("deltas")
	split := flox.Split(b, "split", func(n int) []int {
		seen.started()
		return make([]int, n)
	})
	add := flox.AddFunc(b, "add", func(ctx *flox.Context[notes], n int) (flox.Transition[int], error) {
		ctx.Merge(line)
		return flox.Next(n), nil
	})
	join := flox.Func(b, "join", func(_ context.Context, all []int) (int, error) { return len(all), nil })
	split.To(add)
	add.Join(join)
	return flox.Build(b, split, join)
}

// loop is one token that goes round n times and adds a line each time.
func loop() (*flox.Workflow[notes, int, int], error) {
	b := flox.New[notes]("loop").MaxSteps(1_000_000)
	add := flox.AddFunc(b, "add", func(ctx *flox.Context[notes], n int) (flox.Transition[int], error) {
		seen.started()
		ctx.Merge(line)
		return flox.Next(n - 1), nil
	})
	end := flox.End[int](b, "end")
	add.Route(flox.When(func(n int) bool { return n > 0 }, add), flox.Otherwise(end))
	return flox.Build(b, add, end)
}
