package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// A window measures what worker processes do between two counts of steps, so that
// their start is not in it.
type window struct {
	place
	workers []*process
	steps   func(ctx context.Context) (int, error) // done so far
}

// setup is what a window looks at.
type setup struct {
	workers    int
	masters    int // of a Cluster; up to 1 is a single server
	partitions int // 0 is the store's default
}

// chainSteps is how many steps a run of the workflow chain has.
const chainSteps = 3

// openWindowFlox starts n runs of the workflow chain and then the workers.
func openWindowFlox(ctx context.Context, e *env, s setup, n int) (*window, error) {
	at, err := e.place(ctx, s.masters)
	if err != nil {
		return nil, err
	}
	st, err := redisstore.Open(ctx, redisstore.Config{URL: at.url, Partitions: s.partitions, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	e.atEnd(func() { _ = st.Close() })
	if err := register(ctx, st, "chain"); err != nil {
		return nil, err
	}
	if _, err := startMany(ctx, st, "chain", n); err != nil {
		return nil, err
	}
	w := &window{place: at, steps: func(ctx context.Context) (int, error) {
		stats, err := st.Stats(ctx)
		if bad := stats["chain"][flox.StatusFailed]; err == nil && bad > 0 {
			err = fmt.Errorf("%d runs have failed", bad)
		}
		return chainSteps * int(stats["chain"][flox.StatusCompleted]), err
	}}
	return w, w.launch(ctx, e, s.workers, "flox", at.url, "chain")
}

// openWindowAsynq enqueues n first tasks of a chain and then starts the workers.
func openWindowAsynq(ctx context.Context, e *env, s setup, n int) (*window, error) {
	at, err := e.place(ctx, 1)
	if err != nil {
		return nil, err
	}
	const peer = "asynq" // the setup that keeps finished tasks, and so counts them
	l, err := linkAsynq(at.addr, peer)
	if err != nil {
		return nil, err
	}
	e.atEnd(l.close)
	if _, err := l.enqueueMany(ctx, "chain-a", n); err != nil {
		return nil, err
	}
	w := &window{place: at, steps: func(ctx context.Context) (int, error) {
		done, err := l.redis.ZCard(ctx, "asynq:{default}:completed").Result()
		return int(done), err
	}}
	return w, w.launch(ctx, e, s.workers, "asynq", at.addr, peer, "0")
}

// launch starts worker processes, side by side, and waits until each has begun.
func (w *window) launch(ctx context.Context, e *env, n int, kind string, args ...string) error {
	for range n {
		p, err := launch(kind, args...)
		if err != nil {
			return err
		}
		e.atEnd(p.kill)
		w.workers = append(w.workers, p)
	}
	for _, p := range w.workers {
		if _, err := p.await(ctx, "begin"); err != nil {
			return err
		}
	}
	return nil
}

// stop ends the workers, all at once.
func (w *window) stop(ctx context.Context) error {
	var ends errgroup.Group
	for _, p := range w.workers {
		ends.Go(func() error { return p.stop(ctx) })
	}
	return ends.Wait()
}

// reading is what had been done and used at one moment.
type reading struct {
	at             time.Time
	steps          int
	redis, workers time.Duration
}

// await reads when so many steps are done.
func (w *window) await(ctx context.Context, steps int) (reading, error) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		n, err := w.steps(ctx)
		if err != nil {
			return reading{}, err
		}
		if n >= steps {
			return w.read(ctx, n)
		}
		for _, p := range w.workers {
			select {
			case <-p.exited:
				return reading{}, errors.New("a worker has ended")
			default:
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return reading{}, fmt.Errorf("%d of %d steps are done: %w", n, steps, ctx.Err())
		}
	}
}

func (w *window) read(ctx context.Context, steps int) (reading, error) {
	r := reading{at: time.Now(), steps: steps}
	for _, node := range w.nodes {
		used, err := redisCPU(ctx, node)
		if err != nil {
			return r, err
		}
		r.redis += used
	}
	for _, p := range w.workers {
		used, err := p.cpu()
		if err != nil {
			return r, err
		}
		r.workers += used
	}
	return r, nil
}

// cost is what a step took, in µs.
type cost struct{ redis, workers, wall float64 }

// until returns the cost of the steps between two readings.
func (r reading) until(end reading) (cost, error) {
	steps := float64(end.steps - r.steps)
	if steps <= 0 {
		return cost{}, errors.New("no step was done between two readings: more runs are needed")
	}
	each := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) / steps }
	return cost{redis: each(end.redis - r.redis), workers: each(end.workers - r.workers), wall: each(end.at.Sub(r.at))}, nil
}
