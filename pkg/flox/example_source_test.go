package flox_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// A run for each value, at most two at a time. A crawler of feeds would give
// each run an id of its own, so that it can start over without doing any twice;
// flox.Every does so for a timetable.
func ExampleOrchestrator_Source() {
	b := flox.New[flox.NoState]("greet")
	hello := flox.Func(b, "hello", func(_ context.Context, name string) (string, error) { return "hello " + name, nil })
	wf, err := flox.Build(b, hello, hello)
	if err != nil {
		fmt.Println(err)
		return
	}
	store := flox.NewMemory()
	worker, err := flox.NewWorker(store, &flox.WorkerConfig{Logger: slog.New(slog.DiscardHandler)}, wf)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- worker.Run(ctx) }()
	defer func() { stop(); <-stopped }()

	orch, err := flox.NewOrchestrator(store, wf, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	names := func(yield func(id, name string) bool) {
		_ = yield("greet-ann", "ann") && yield("greet-bob", "bob") && yield("greet-ann", "ann")
	}
	if err := orch.Source(ctx, names, 2); err != nil {
		fmt.Println(err)
		return
	}
	for _, id := range []string{"greet-ann", "greet-bob"} {
		res, err := orch.Wait(ctx, id)
		fmt.Println(res.Output, err)
	}
	fmt.Println(orch.Source(ctx, flox.Seq(slices.Values([]string{"cid", "dan"})), 1))
	// Output:
	// hello ann <nil>
	// hello bob <nil>
	// <nil>
}

// The ids of Every name the tick.
func ExampleEvery() {
	for id, tick := range flox.Every(context.Background(), 10*time.Millisecond) {
		fmt.Println(flox.CheckName("run id", id), tick.Truncate(10*time.Millisecond).Equal(tick))
		break
	}
	// Output: <nil> true
}
