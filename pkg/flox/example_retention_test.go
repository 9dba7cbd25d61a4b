package flox_test

import (
	"context"
	"fmt"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Runs that went well are kept for an hour, those that failed until somebody has
// looked at them and deletes them.
func ExampleBuilder_Retention() {
	b := flox.New[flox.NoState]("reports").
		Retention(time.Hour).
		Retention(flox.KeepForever, flox.StatusFailed)
	write := flox.Func(b, "write", func(_ context.Context, month string) (string, error) {
		return "report of " + month, nil
	})
	reports, err := flox.Build(b, write, write)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(reports.Name(), "is built")
	// Output: reports is built
}

func ExampleControl_Delete() {
	ctx := context.Background()
	b := flox.New[flox.NoState]("greet")
	greet := flox.Func(b, "greet", func(_ context.Context, name string) (string, error) {
		return "hello " + name, nil
	})
	wf, err := flox.Build(b, greet, greet)
	if err != nil {
		fmt.Println(err)
		return
	}
	st := flox.NewMemory()
	if _, err := flox.RunCheckpointed(ctx, st, "greet-ann", wf, "ann"); err != nil {
		fmt.Println(err)
		return
	}
	c := flox.NewControl(st)
	fmt.Println("deleted:", c.Delete(ctx, "greet-ann"))
	fmt.Println("deleted again:", c.Delete(ctx, "greet-ann"))
	// Output:
	// deleted: <nil>
	// deleted again: run greet-ann: not found
}
