// Command cancellation shows how a run is cancelled from outside: nothing of it
// starts any more, nothing that is in flight is committed, and the context of a
// node at work ends, so that it stops. What was committed before stays.
//
//	go run ./examples/cancellation
//
// prints
//
//	transcode: at work on part 2 of summer.mkv
//	transcode: stopped: context canceled
//	the run: run summer cancelled
//	done before: part 1
//	once more: cannot cancel run summer: it is cancelled
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/floxrun/flox/pkg/flox"
)

// Film is the input. Its parts are transcoded one after the other.
type Film struct {
	File string
	Part int
}

// State says which parts are done.
type State struct{ Done flox.List[string] }

// Transcode has a part transcoded by an encoder that is as slow as encoders are.
type Transcode struct {
	Encode func(ctx context.Context, f Film) error
}

func (n *Transcode) Process(ctx *flox.Context[State], f Film) (flox.Transition[Film], error) {
	// The one thing a node must do to be cancelled: take its context along.
	if err := n.Encode(ctx, f); err != nil {
		return nil, err
	}
	ctx.Merge(State{flox.List[string]{fmt.Sprint("part ", f.Part)}})
	f.Part++
	return flox.Next(f), nil
}

func transcode(encode func(context.Context, Film) error) (*flox.Workflow[State, Film, Film], error) {
	b := flox.New[State]("transcode").MaxSteps(1000)
	part := flox.Add(b, "part", &Transcode{encode})
	done := flox.End[Film](b, "done")
	part.Route(flox.When(func(f Film) bool { return f.Part <= 90 }, part), flox.Otherwise(done))
	return flox.Build(b, part, done)
}

func run(ctx context.Context, out io.Writer) error {
	working, stopped := make(chan Film, 1), make(chan error, 1)
	wf, err := transcode(func(ctx context.Context, f Film) error {
		if f.Part == 1 {
			return nil
		}
		working <- f
		<-ctx.Done() // this one would take the whole night
		stopped <- ctx.Err()
		return ctx.Err()
	})
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

	id, err := orch.Start(ctx, Film{"summer.mkv", 1}, flox.WithID("summer"))
	if err != nil {
		return err
	}
	select {
	case f := <-working:
		fmt.Fprintf(out, "transcode: at work on part %d of %s\n", f.Part, f.File)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err := orch.Control().Cancel(ctx, id); err != nil {
		return err
	}
	fmt.Fprintln(out, "transcode: stopped:", <-stopped)

	res, err := orch.Wait(ctx, id)
	if !errors.Is(err, flox.ErrCancelled) {
		return fmt.Errorf("wait for a cancelled run: %w", err)
	}
	fmt.Fprintln(out, "the run:", err)
	fmt.Fprintln(out, "done before:", strings.Join(res.State.Done, ", "))
	_, err = fmt.Fprintln(out, "once more:", orch.Control().Cancel(ctx, id))
	return err
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
