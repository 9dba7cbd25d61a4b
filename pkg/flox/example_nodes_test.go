package flox_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

type node = flox.NodeFunc[flox.NoState, string, int]

// length measures words, and does not like one of them.
var length = node(func(_ *flox.Context[flox.NoState], word string) (flox.Transition[int], error) {
	if word == "bad" {
		return nil, flox.Permanent(errors.New("a bad word"))
	}
	return flox.Next(len(word)), nil
})

// runOne runs a workflow of one node and prints what comes of it.
func runOne[I, O any](n flox.Node[flox.NoState, I, O], in I) {
	b := flox.New[flox.NoState]("example")
	ref := flox.Add(b, "words", n)
	wf, err := flox.Build(b, ref, ref)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := flox.Run(context.Background(), wf, in, flox.WithID("run1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%+v\n", res.Output)
}

// One item for a whole list, eight elements at a time. One failure fails it.
func ExampleBatch() {
	runOne(flox.Batch(length, 8), []string{"one", "three", "seven!"})
	runOne(flox.Batch(length, 8), []string{"one", "bad"})
	// Output:
	// [3 5 6]
	// run run1 failed: node words: attempt 1: element 1: a bad word
}

// A list of which some may fail.
func ExampleBatchSome() {
	b := flox.New[flox.NoState]("example")
	words := flox.Add(b, "words", flox.BatchSome(length, 8))
	report := flox.Func(b, "report", func(_ context.Context, in flox.Batched[string, int]) (string, error) {
		return fmt.Sprintf("%v, %d failed: %s", in.Outputs, len(in.Failures), in.Failures[0].Input), nil
	})
	words.To(report)
	wf, err := flox.Build(b, words, report)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := flox.Run(context.Background(), wf, []string{"one", "bad", "seven!"})
	fmt.Println(res.Output, err)
	// Output: [3 6], 1 failed: bad <nil>
}

// Short waits for a busy service, inside one item.
func ExampleRetry() {
	busy := node(func(ctx *flox.Context[flox.NoState], word string) (flox.Transition[int], error) {
		if ctx.Attempt() < 3 {
			return nil, errors.New("busy")
		}
		return flox.Next(len(word) * ctx.Attempt()), nil
	})
	runOne(flox.Retry(busy, flox.RetryPolicy{
		MaxAttempts: 5, Backoff: flox.Exponential(time.Millisecond, 10*time.Millisecond), Budget: time.Second,
	}), "word")
	// Output: 12
}

// A whole workflow as one node: its steps are not committed one by one.
func ExampleComposite() {
	b := flox.New[flox.NoState]("letters")
	split := flox.Split(b, "split", strings.Fields)
	count := flox.Add(b, "count", length)
	total := flox.Func(b, "total", func(_ context.Context, counts []int) (int, error) {
		sum := 0
		for _, n := range counts {
			sum += n
		}
		return sum, nil
	})
	split.To(count)
	count.Join(total)
	letters, err := flox.Build(b, split, total)
	if err != nil {
		fmt.Println(err)
		return
	}
	runOne(flox.Composite(letters), "one three seven!")
	runOne(flox.Composite(letters), "one bad seven!")
	// Output:
	// 14
	// run run1 failed: node words: attempt 1: workflow letters: node count: attempt 1: a bad word
}
