package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// report prints what the run came to, what went wrong in it, and what was done.
func report(ctx context.Context, st flox.Store, res flox.Result[State, int], out io.Writer) error {
	fmt.Fprintf(out, "%d books done, unreadable: %v\n", res.Output, res.State.Unreadable)
	fmt.Fprintln(out, "words:", listed(res.State.Words))

	failures, err := st.Errors(ctx, res.ID)
	if err != nil {
		return err
	}
	slices.SortFunc(failures, func(a, b flox.ErrorRecord) int { return cmp.Compare(a.Item, b.Item) })
	for _, f := range failures {
		then := "tried again"
		if f.Final {
			then = "given up"
		}
		fmt.Fprintf(out, "failed: item %s at %s, attempt %d: %s (%s)\n", f.Item, f.Node, f.Attempt, f.Message, then)
	}
	steps, err := st.History(ctx, res.ID, 0, 100)
	if err != nil {
		return err
	}
	count := map[string]flox.Sum{}
	for _, s := range steps {
		count[s.Node+" "+s.Outcome]++
	}
	_, err = fmt.Fprintln(out, "steps:", listed(count))
	return err
}

func listed(counts map[string]flox.Sum) string {
	var all []string
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, fmt.Sprintf("%s %d", what, counts[what]))
	}
	return strings.Join(all, ", ")
}
