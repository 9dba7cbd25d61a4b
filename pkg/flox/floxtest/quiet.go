package floxtest

import (
	"context"
	"sync"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// quietStore is a store in memory that lets a worker wait instead of asking
// again and again, so that the only timers are those of the run: however many
// days pass, nothing happens in them.
type quietStore struct {
	flox.Store
	mu   sync.Mutex
	news chan struct{} // closed at the next change
}

func newQuietStore() *quietStore {
	return &quietStore{Store: flox.NewMemory(), news: make(chan struct{})}
}

// next returns a channel that is closed when something changes after the call.
func (q *quietStore) next() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.news
}

func (q *quietStore) changed() {
	q.mu.Lock()
	defer q.mu.Unlock()
	close(q.news)
	q.news = make(chan struct{})
}

// Claim waits for as long as it takes.
func (q *quietStore) Claim(ctx context.Context, req flox.ClaimRequest) ([]flox.Entry, error) {
	req.Wait = forever
	return q.Store.Claim(ctx, req)
}

// Promote waits until something is due.
func (q *quietStore) Promote(ctx context.Context, limit int) (flox.Promoted, error) {
	for {
		news := q.next()
		p, err := q.Store.Promote(ctx, limit)
		if err != nil {
			return p, err
		}
		if p.Moved > 0 {
			settled, err := q.settleAll(ctx) // a deadline may have passed
			p.Ended = append(p.Ended, settled...)
			return p, err
		}
		wait := p.Next
		if wait < 0 {
			wait = forever
		}
		timer := time.NewTimer(wait)
		select {
		case <-news:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (q *quietStore) settleAll(ctx context.Context) (ended []flox.EndedRun, err error) {
	defer q.changed()
	for {
		settled, err := q.Store.Settle(ctx, "")
		ended = append(ended, settled.Ended...)
		if err != nil || !settled.More {
			return ended, err
		}
	}
}

// Settle leaves a janitor, who names no run, nothing to do: all is settled where
// it comes up.
func (q *quietStore) Settle(ctx context.Context, run string) (flox.Settled, error) {
	if run == "" {
		<-ctx.Done()
		return flox.Settled{}, nil
	}
	defer q.changed()
	return q.Store.Settle(ctx, run)
}

// Rebuild has nothing to do: memory loses no entries.
func (q *quietStore) Rebuild(context.Context, string) (int, error) { return 0, nil }

// Delete leaves a worker, who names no run, nothing to do: there is one run, which
// is looked at when it has ended.
func (q *quietStore) Delete(ctx context.Context, run string) (int, error) {
	if run == "" {
		<-ctx.Done()
		return 0, nil
	}
	return q.Store.Delete(ctx, run)
}

// Beat lets the worker beat but once.
func (q *quietStore) Beat(ctx context.Context, _ flox.WorkerInfo) error {
	<-ctx.Done()
	return nil
}

// What follows tells those that wait what has changed.

// Start implements flox.RunInfoStore.
func (q *quietStore) Start(ctx context.Context, req flox.StartRequest) error {
	defer q.changed()
	return q.Store.Start(ctx, req)
}

// Signal implements flox.RunInfoStore.
func (q *quietStore) Signal(ctx context.Context, req flox.SignalRequest) (bool, error) {
	defer q.changed()
	return q.Store.Signal(ctx, req)
}

// Commit implements flox.CheckpointStore.
func (q *quietStore) Commit(ctx context.Context, c flox.Commit) (flox.CommitResult, error) {
	defer q.changed()
	return q.Store.Commit(ctx, c)
}
