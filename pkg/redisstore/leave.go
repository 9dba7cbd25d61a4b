package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// leavePart is the most entries of a stream that a worker gives back when it
// leaves. What is more than that waits until its lease is over.
const leavePart = 1000

// Leave implements flox.LivenessStore.
func (s *Store) Leave(ctx context.Context, w flox.WorkerInfo) error {
	err := errors.Join(s.giveBack(ctx, w), s.remove(ctx, w, 0))
	if err != nil {
		return fmt.Errorf("leave of worker %s: %w", w.ID, err)
	}
	return nil
}

// giveBack queues again what a worker has claimed and not loaded: entries that
// nobody asked for after the read that brought them, or whose answer was lost.
func (s *Store) giveBack(ctx context.Context, w flox.WorkerInfo) error {
	s.claims.Lock()
	c := s.claimed[w.ID]
	delete(s.claimed, w.ID)
	s.claims.Unlock()
	if c != nil && !c.quiet(ctx) {
		return ctx.Err()
	}
	return each(len(s.keys.parts)*len(w.Queues), func(i int) error {
		n, queue := i/len(w.Queues), w.Queues[i%len(w.Queues)]
		entries, err := s.pending(ctx, n, queue, 0, leavePart, w.ID)
		if err != nil {
			return err
		}
		return each(len(entries), func(i int) error { return s.unclaim(ctx, entries[i]) })
	})
}

// quiet waits for the reads under way, and reports whether none is left. They
// come back within maxBlock: nothing else ends them.
func (c *claimer) quiet(ctx context.Context) bool {
	for {
		c.mu.Lock()
		left, wake := len(c.reading), c.wake
		c.mu.Unlock()
		if left == 0 {
			return true
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return false
		}
	}
}

// pending finds entries of one queue in one partition that were not renewed for a
// while: a consumer's or, if that is "", anybody's.
func (s *Store) pending(ctx context.Context, n int, queue string, idle time.Duration, most int, consumer string) ([]flox.Entry, error) {
	stream := s.keys.parts[n].queue(queue)
	reply, err := s.script(ctx, n, scriptPending, []string{stream}, idle.Milliseconds(), most, consumer)
	if err != nil {
		return nil, err
	}
	r := list(reply)
	var entries []flox.Entry
	for i := 0; i+2 < len(r); i += 3 {
		entries = append(entries, flox.Entry{
			Run: text(r, i+1), Token: text(r, i+2), Queue: queue, ID: text(r, i), Consumer: consumer,
		})
	}
	return s.dropForeign(ctx, n, entries), nil
}
