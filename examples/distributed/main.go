// Command distributed shows several workers on one Redis. Here they are three in
// one process, each with a connection of its own; as processes on three machines
// they would do the same, for all they share is the Redis. Examples/worker is
// such a process.
//
//	FLOX_REDIS=redis://127.0.0.1:6379 go run ./examples/distributed
//
// prints, with other shares,
//
//	60 photos scaled, 60 different ones
//	worker-1 did 21, worker-2 did 19, worker-3 did 20
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// Album is the input, Photo what the items are about.
type (
	Album struct{ Photos []Photo }
	Photo struct{ Number int }
)

// State is one value that all workers add to, without a lock.
type State struct {
	Scaled flox.Set[int]
	By     flox.MapOf[string, flox.Sum]
}

// Scale scales one photo. Nodes are values of the worker's process: what they
// depend on, such as the worker's name here, may differ from one to the next.
type Scale struct{ Worker string }

func (n *Scale) Process(ctx *flox.Context[State], p Photo) (flox.Transition[Photo], error) {
	select {
	case <-time.After(5 * time.Millisecond): // it takes a while
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	ctx.Merge(State{
		Scaled: flox.SetOf(p.Number),
		By:     flox.MapOf[string, flox.Sum]{n.Worker: 1},
	})
	return flox.Next(p), nil
}

func album(worker string) (*flox.Workflow[State, Album, int], error) {
	b := flox.New[State]("album")
	photos := flox.Split(b, "photos", func(a Album) []Photo { return a.Photos })
	scale := flox.Add(b, "scale", &Scale{worker})
	count := flox.Func(b, "count", func(_ context.Context, scaled []Photo) (int, error) { return len(scaled), nil })
	photos.To(scale)
	scale.Join(count) // on whichever worker brings the last one
	return flox.Build(b, photos, count)
}

func open(ctx context.Context) (*redisstore.Store, error) {
	return redisstore.Open(ctx, redisstore.Config{
		URL:       cmp.Or(os.Getenv("FLOX_REDIS"), "redis://127.0.0.1:6379"),
		Namespace: cmp.Or(os.Getenv("FLOX_NAMESPACE"), "distributed"),
		Embedded:  os.Getenv("FLOX_EMBEDDED") == "true", // miniredis, as orchestrator dev has one
	})
}

// work is what the process of a worker does, until ctx ends.
func work(ctx context.Context, name string) error {
	wf, err := album(name)
	if err != nil {
		return err
	}
	st, err := open(ctx)
	if err != nil {
		return err
	}
	defer st.Close()
	worker, err := flox.NewWorker(st, &flox.WorkerConfig{Name: name, Concurrency: 2}, wf)
	if err != nil {
		return err
	}
	return worker.Run(ctx)
}

func run(ctx context.Context, out io.Writer) error {
	var workers sync.WaitGroup
	defer workers.Wait()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	for _, name := range []string{"worker-1", "worker-2", "worker-3"} {
		workers.Go(func() {
			if err := work(ctx, name); err != nil {
				stop(err)
			}
		})
	}

	// Who starts runs has no workers, and a connection of its own.
	st, err := open(ctx)
	if err != nil {
		return err
	}
	defer st.Close()
	wf, err := album("nobody")
	if err != nil {
		return err
	}
	orch, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		return err
	}
	var summer Album
	for n := range 60 {
		summer.Photos = append(summer.Photos, Photo{n})
	}
	id, err := orch.Start(ctx, summer)
	if err != nil {
		return err
	}
	res, err := orch.Wait(ctx, id)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d photos scaled, %d different ones\n", res.Output, len(res.State.Scaled))
	var shares []string
	for _, name := range slices.Sorted(maps.Keys(res.State.By)) {
		shares = append(shares, fmt.Sprintf("%s did %d", name, res.State.By[name]))
	}
	_, err = fmt.Fprintln(out, strings.Join(shares, ", "))
	return err
}

func main() {
	slog.SetLogLoggerLevel(slog.LevelWarn) // workers tell when they start and stop
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
