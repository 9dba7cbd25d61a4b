package flox_test

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// orderLines are the orders of a day, as a file might have them.
const orderLines = `{"number":"o-1","cents":1200}
{"number":"o-2","cents":300}
{"number":"o-3","cents":-1}`

// orders makes a run of each line. With ids of their own the lines can be given
// again after a crash.
func orders() iter.Seq2[flox.StartItem, error] {
	return func(yield func(flox.StartItem, error) bool) {
		for line := range strings.Lines(orderLines) {
			id := strings.Split(line, `"`)[3]
			item := flox.StartItem{
				ID: id, Input: []byte(line), Source: "order " + id,
				Options: []flox.StartOption{flox.WithLabel("day", "monday")},
			}
			if !yield(item, nil) {
				return
			}
		}
	}
}

// knownOrders is a store that knows the workflow "order", as workers that have it
// make it known.
func knownOrders(ctx context.Context) (flox.Store, error) {
	st := flox.NewMemory()
	return st, st.Register(ctx, flox.WorkflowInfo{
		Name: "order", StartNode: "ship", StartQueue: "order", Queues: []string{"order"},
	})
}

// Many runs are started at once; repeated, it starts what is missing.
func ExampleControl_StartMany() {
	ctx := context.Background()
	st, err := knownOrders(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	c := flox.NewControl(st)
	for range 2 {
		done, err := c.StartMany(ctx, "order", orders(), nil)
		fmt.Println(done.Started, "started,", done.Existed, "there already,", err)
	}
	// Output:
	// 3 started, 0 there already, <nil>
	// 0 started, 3 there already, <nil>
}

// A dry run counts what a filter selects; then it is cancelled.
func ExampleControl_Bulk() {
	ctx := context.Background()
	st, err := knownOrders(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	c := flox.NewControl(st)
	if _, err := c.StartMany(ctx, "order", orders(), nil); err != nil {
		fmt.Println(err)
		return
	}
	monday := flox.RunFilter{Workflow: "order", Labels: map[string]string{"day": "monday"}}
	found, err := c.Bulk(ctx, flox.ControlCancel, monday, &flox.BulkConfig{DryRun: true})
	fmt.Println(found.Total, found.Matched, err)
	done, err := c.Bulk(ctx, flox.ControlCancel, monday, nil)
	fmt.Println(done.Done, "cancelled,", done.Skipped, "skipped,", done.Failed, "failed,", err)
	// Output:
	// 3 map[order:map[pending:3]] <nil>
	// 3 cancelled, 0 skipped, 0 failed, <nil>
}
