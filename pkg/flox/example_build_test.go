package flox_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// A workflow that splits a text into lines, measures them in parallel and adds
// up what it finds.
func ExampleBuild() {
	b := flox.New[flox.NoState]("letters")
	split := flox.Split(b, "split", func(text string) []string { return strings.Split(text, "\n") })
	count := flox.Func(b, "count", func(_ context.Context, line string) (int, error) { return len(line), nil })
	total := flox.Func(b, "total", func(_ context.Context, counts []int) (string, error) {
		sum := 0
		for _, n := range counts {
			sum += n
		}
		return fmt.Sprintf("%v = %d", counts, sum), nil
	})
	split.To(count)
	count.Join(total)
	wf, err := flox.Build(b, split, total)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := flox.Run(context.Background(), wf, "one\nthree\nseven!")
	fmt.Println(res.Output, err)
	// Output: [3 5 6] = 14 <nil>
}

// Mistakes that the compiler cannot see are reported together, each with the
// place it was made at.
func ExampleBuild_mistakes() {
	same := func(_ context.Context, n int) (int, error) { return n, nil }
	b := flox.New[flox.NoState]("twice")
	first := flox.Func(b, "first", same)
	flox.Func(b, "first", same)
	last := flox.Func(b, "last", same)
	first.Route(flox.When(func(n int) bool { return n > 0 }, last))
	first.Join(flox.Func(b, "sum", func(context.Context, []int) (int, error) { return 0, nil }))
	_, err := flox.Build(b, first, last)
	fmt.Println(err)
	// Output:
	// workflow twice:
	// example_build_test.go:42: node first: the name is taken by the node added at example_build_test.go:41
	// example_build_test.go:44: node first: has more than one of To, Route and Join; a token can take only one
	// example_build_test.go:44: node first: has guards only; add flox.Otherwise
}
