package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// fanWidth is how many items a run of the workflow fan has in parallel.
const fanWidth = 100

// payload is a JSON text that is stored in 64 bytes.
var payload = []byte(`"` + strings.Repeat("x", 62) + `"`)

// seen counts what this process does as a worker.
var seen counter

// flows are the workflows of the benchmark by name.
var flows = map[string]func() (flox.Definition, error){
	"chain":  func() (flox.Definition, error) { return chain() },
	"fan":    func() (flox.Definition, error) { return fan() },
	"pickup": func() (flox.Definition, error) { return pickup() },
	"deltas": func() (flox.Definition, error) { return deltas() },
	"loop":   func() (flox.Definition, error) { return loop() },
	"wide":   func() (flox.Definition, error) { return wide() },
}

func noop(_ context.Context, s string) (string, error) {
	seen.started()
	return s, nil
}

// chain is three nodes that do nothing.
func chain() (*flox.Workflow[flox.NoState, string, string], error) {
	b := flox.New[flox.NoState]("chain")
	first, second, third := flox.Func(b, "a", noop), flox.Func(b, "b", noop), flox.Func(b, "c", noop)
	first.To(second)
	second.To(third)
	return flox.Build(b, first, third)
}

// fan is 1 → 100 → join → end: 103 items.
func fan() (*flox.Workflow[flox.NoState, string, string], error) {
	b := flox.New[flox.NoState]("fan")
	split := flox.Split(b, "split", func(s string) []string {
		seen.started()
		parts := make([]string, fanWidth)
		for i := range parts {
			parts[i] = s
		}
		return parts
	})
	part := flox.Func(b, "part", noop)
	join := flox.Func(b, "join", func(_ context.Context, parts []string) (string, error) {
		if len(parts) != fanWidth {
			return "", flox.Permanent(fmt.Errorf("%d parts, want %d", len(parts), fanWidth))
		}
		return parts[0], nil
	})
	end := flox.Func(b, "end", noop)
	split.To(part)
	part.Join(join)
	join.To(end)
	return flox.Build(b, split, end)
}

// pickup is one node that says when it began, in Unix ns.
func pickup() (*flox.Workflow[flox.NoState, string, int64], error) {
	b := flox.New[flox.NoState]("pickup")
	node := flox.Func(b, "node", func(context.Context, string) (int64, error) { return time.Now().UnixNano(), nil })
	return flox.Build(b, node, node)
}

// openStore connects to a store without a word in the log.
func openStore(ctx context.Context, url string) (*redisstore.Store, error) {
	return redisstore.Open(ctx, redisstore.Config{URL: url, Logger: slog.New(slog.DiscardHandler)})
}

// newWorker makes a worker of the named workflows.
func newWorker(st flox.Store, names ...string) (*flox.Worker, error) {
	var defs []flox.Definition
	for _, name := range names {
		build := flows[name]
		if build == nil {
			return nil, fmt.Errorf("there is no workflow %q", name)
		}
		def, err := build()
		if err != nil {
			return nil, err
		}
		defs = append(defs, def)
	}
	return flox.NewWorker(st, &flox.WorkerConfig{Concurrency: concurrency, Logger: slog.New(slog.DiscardHandler)}, defs...)
}

// floxWorker is a worker process; its arguments are the store's URL and the names of
// workflows.
func floxWorker(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("want a URL and workflows")
	}
	st, err := openStore(ctx, args[0])
	if err != nil {
		return err
	}
	defer st.Close()
	w, err := newWorker(st, args[1:]...)
	if err != nil {
		return err
	}
	return runWorker(ctx, w, func() { say("ready") })
}

// runWorker runs a worker until ctx ends, and says when it is ready.
func runWorker(ctx context.Context, w *flox.Worker, ready func()) error {
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	for !w.Ready() {
		select {
		case err := <-done:
			return err
		case <-time.After(time.Millisecond):
		}
	}
	ready()
	return <-done
}

// register makes workflows known to a store, as the first worker does.
func register(ctx context.Context, st flox.Store, names ...string) error {
	w, err := newWorker(st, names...)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	return runWorker(ctx, w, stop)
}

// starters is how many starts are under way at once: enough for full batches.
const starters = 256

// startMany starts so many runs of a registered workflow as fast as one process can,
// and returns how long that took.
func startMany(ctx context.Context, st flox.Store, workflow string, n int) (time.Duration, error) {
	items := func(yield func(flox.StartItem, error) bool) {
		for range n {
			if !yield(flox.StartItem{Input: payload}, nil) {
				return
			}
		}
	}
	begin := time.Now()
	res, err := flox.NewControl(st).StartMany(ctx, workflow, iter.Seq2[flox.StartItem, error](items), &flox.StartManyConfig{Concurrency: starters})
	if err == nil && res.Started != int64(n) {
		err = fmt.Errorf("%d runs were started, want %d", res.Started, n)
	}
	return time.Since(begin), err
}

// awaitCompleted waits until so many runs of a workflow are completed, and returns
// when that was seen. It asks for the store's counts every 5 ms.
func awaitCompleted(ctx context.Context, st flox.Store, workflow string, n int) (time.Time, error) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		stats, err := st.Stats(ctx)
		if err != nil {
			return time.Time{}, err
		}
		by := stats[workflow]
		if bad := by[flox.StatusFailed] + by[flox.StatusCancelled]; bad > 0 {
			return time.Time{}, fmt.Errorf("%d runs of %s have failed", bad, workflow)
		}
		if by[flox.StatusCompleted] >= int64(n) {
			return time.Now(), nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("%d of %d runs of %s are completed: %w", by[flox.StatusCompleted], n, workflow, ctx.Err())
		}
	}
}
