// Command distributed-orchestrator shows the other side of a distributed run:
// starting it without its nodes, watching how far it is, reading its state while
// that grows, and listing what was done and what went wrong. The workflow and
// its nodes are in library.go, the lists in report.go.
//
//	FLOX_REDIS=redis://127.0.0.1:6379 go run ./examples/distributed-orchestrator
//
// prints, with other progress,
//
//	progress: 5 of 12 books read, 30 words so far
//	progress: 12 of 12 books read, 43 words so far
//	12 books done, unreadable: [8]
//	words: sea 11, ship 10, whale 22
//	failed: item 0.0.4.0 at read, attempt 1: the shelf is locked (tried again)
//	failed: item 0.0.7.0 at read, attempt 1: somebody has torn the pages out (given up)
//	steps: books fan 1, done end 1, read deposit 11, read fallback 1, skip deposit 1
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

func open(ctx context.Context) (*redisstore.Store, error) {
	return redisstore.Open(ctx, redisstore.Config{
		URL:       cmp.Or(os.Getenv("FLOX_REDIS"), "redis://127.0.0.1:6379"),
		Namespace: cmp.Or(os.Getenv("FLOX_NAMESPACE"), "library"),
		Embedded:  os.Getenv("FLOX_EMBEDDED") == "true", // miniredis, as orchestrator dev has one
	})
}

// orchestrator is what the part of the program that starts runs knows of their
// workflow: its name and three types. The graph it reads from the store, where
// the workers have put it.
type orchestrator = flox.Orchestrator[State, Library, int]

// start starts a run as soon as a worker has made the workflow known.
func start(ctx context.Context, orch *orchestrator, in Library) (id string, err error) {
	for tick := time.Tick(20 * time.Millisecond); ; {
		id, err := orch.Start(ctx, in)
		if !errors.Is(err, flox.ErrNotFound) {
			return id, err
		}
		select {
		case <-tick:
		case <-ctx.Done():
			return "", context.Cause(ctx)
		}
	}
}

// watch prints how far the run is, until it has ended.
func watch(ctx context.Context, orch *orchestrator, id string, out io.Writer) error {
	for tick := time.Tick(50 * time.Millisecond); ; {
		p, err := orch.Control().Progress(ctx, id)
		if err != nil {
			return err
		}
		soFar, err := orch.State(ctx, id)
		if err != nil {
			return err
		}
		read := p.Nodes["read"]
		fmt.Fprintf(out, "progress: %d of 12 books read, %d words so far\n", read.Done+read.Failed, words(soFar))
		if p.Run.Status.Terminal() {
			return nil
		}
		select {
		case <-tick:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func run(ctx context.Context, out io.Writer) error {
	st, err := open(ctx)
	if err != nil {
		return err
	}
	defer st.Close()
	var workers sync.WaitGroup
	defer workers.Wait()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	for range 2 { // usually processes of their own, see example distributed
		workers.Go(func() {
			if err := work(ctx, st); err != nil {
				stop(err)
			}
		})
	}

	orch, err := flox.NewOrchestrator(st, flox.Named[State, Library, int]("library"), nil)
	if err != nil {
		return err
	}
	id, err := start(ctx, orch, Library{Books: 12})
	if err != nil {
		return err
	}
	if err := watch(ctx, orch, id, out); err != nil {
		return err
	}
	res, err := orch.Wait(ctx, id)
	if err != nil {
		return err
	}
	return report(ctx, st, res, out)
}

func main() {
	slog.SetLogLoggerLevel(slog.LevelWarn) // workers tell when they start and stop
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
