// Command checkpoint shows a program that may be killed at any moment, and goes
// on where it was when it is started again. No worker, no orchestrator: the
// program runs its workflow itself, but keeps it in a Redis.
//
//	FLOX_REDIS=redis://127.0.0.1:6379 go run ./examples/checkpoint
//
// prints
//
//	import 1: 1 of 6 files
//	import 2: 2 of 6 files
//	…
//
// Kill it in the middle (Ctrl-C does that, the program gets no chance to tidy up)
// and start it again: it goes on with the file it was at, as soon as flox knows
// that nobody else is, which takes some ten seconds. In the end, and however
// often you start it after that, it prints
//
//	6 files with 600 articles imported, each once
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
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// Catalogue is what is imported, file by file; Next is the file to import now.
type Catalogue struct{ Files, Next int }

// State is what has been imported.
type State struct {
	Files    flox.Set[int]
	Articles flox.Sum
}

// Import imports one file, which takes a while.
type Import struct {
	Out  io.Writer
	Took time.Duration
}

func (n *Import) Process(ctx *flox.Context[State], c Catalogue) (flox.Transition[Catalogue], error) {
	select {
	case <-time.After(n.Took):
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	ctx.Merge(State{Files: flox.SetOf(c.Next), Articles: 100})
	fmt.Fprintf(n.Out, "import %d: %d of %d files\n", c.Next, len(ctx.State().Files), c.Files)
	c.Next++
	return flox.Next(c), nil
}

func catalogue(n *Import) (*flox.Workflow[State, Catalogue, Catalogue], error) {
	b := flox.New[State]("catalogue").MaxSteps(1000)
	one := flox.Add(b, "import", n)
	done := flox.End[Catalogue](b, "done")
	one.Route(flox.When(func(c Catalogue) bool { return c.Next <= c.Files }, one), flox.Otherwise(done))
	return flox.Build(b, one, done)
}

func run(ctx context.Context, out io.Writer, took time.Duration) error {
	wf, err := catalogue(&Import{out, took})
	if err != nil {
		return err
	}
	st, err := redisstore.Open(ctx, redisstore.Config{
		URL:       cmp.Or(os.Getenv("FLOX_REDIS"), "redis://127.0.0.1:6379"),
		Namespace: cmp.Or(os.Getenv("FLOX_NAMESPACE"), "checkpoint"),
		Embedded:  os.Getenv("FLOX_EMBEDDED") == "true", // miniredis, as orchestrator dev has one
	})
	if err != nil {
		return err
	}
	defer st.Close()

	// The id is what the program finds its run by. The very first time there is
	// none.
	const id = "import-2026"
	res, err := flox.Resume(ctx, st, id, wf)
	if errors.Is(err, flox.ErrNotFound) {
		res, err = flox.RunCheckpointed(ctx, st, id, wf, Catalogue{Files: 6, Next: 1})
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%d files with %d articles imported, each once\n", len(res.State.Files), res.State.Articles)
	return err
}

func main() {
	slog.SetLogLoggerLevel(slog.LevelWarn) // the engine tells when it starts and stops
	if err := run(context.Background(), os.Stdout, time.Second); err != nil {
		log.Fatal(err)
	}
}
