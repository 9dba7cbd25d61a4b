// Command timer shows runs that a clock starts. Every makes a value at each full
// minute, and Source starts a run for it. The run's id names the minute, so any
// number of machines may do this at once and each minute still has one run; a
// minute whose run failed is seen in the list of runs.
//
//	go run ./examples/timer
//
// prints, in some seconds (a minute lasts one here), with other times,
//
//	sampled from two machines
//	12:00:01 load 1
//	12:00:02 load 2
//	12:00:03 load 3
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// State keeps what was measured at a tick.
type State struct{ Load flox.Sum }

// Sample measures the load of a server.
type Sample struct{ Load func() int }

func (n *Sample) Process(ctx *flox.Context[State], tick time.Time) (flox.Transition[string], error) {
	load := n.Load()
	ctx.Merge(State{Load: flox.Sum(load)})
	return flox.Next(fmt.Sprintf("%s load %d", tick.Format(time.TimeOnly), load)), nil
}

func sample(load func() int) (*flox.Workflow[State, time.Time, string], error) {
	b := flox.New[State]("sample")
	n := flox.Add(b, "sample", &Sample{load})
	return flox.Build(b, n, n)
}

// ticks are the first n values of Every. A real one would go on until ctx ends.
func ticks(ctx context.Context, minute time.Duration, n int) func(yield func(string, time.Time) bool) {
	return func(yield func(string, time.Time) bool) {
		for id, tick := range flox.Every(ctx, minute) {
			if n--; !yield(id, tick) || n == 0 {
				return
			}
		}
	}
}

func run(ctx context.Context, out io.Writer, minute time.Duration) error {
	var loads atomic.Int64
	wf, err := sample(func() int { return int(loads.Add(1)) })
	if err != nil {
		return err
	}
	st := flox.NewMemory()
	orch, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		return err
	}
	worker, err := flox.NewWorker(st, &flox.WorkerConfig{Logger: slog.New(slog.DiscardHandler)}, wf)
	if err != nil {
		return err
	}
	var others sync.WaitGroup
	defer others.Wait()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	others.Go(func() { stop(worker.Run(ctx)) })

	// Two machines keep the same timetable. At most one sample is taken at a
	// time; a tick that comes meanwhile is left out.
	var machines sync.WaitGroup
	failed := make(chan error, 2)
	for range 2 {
		machines.Go(func() { failed <- orch.Source(ctx, ticks(ctx, minute, 3), 1) })
	}
	machines.Wait()
	for range 2 {
		if err := <-failed; err != nil {
			return err
		}
	}

	fmt.Fprintln(out, "sampled from two machines")
	page, err := orch.Control().List(ctx, flox.ListRequest{RunFilter: flox.RunFilter{Workflow: wf.Name()}, Limit: 10})
	if err != nil {
		return err
	}
	slices.Reverse(page.Runs) // the newest comes first
	for _, info := range page.Runs {
		res, err := orch.Wait(ctx, info.ID)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, res.Output)
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout, time.Second); err != nil {
		log.Fatal(err)
	}
}
