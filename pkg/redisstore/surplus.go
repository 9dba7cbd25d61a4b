package redisstore

import (
	"context"
	"fmt"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// keepFor is how long what a read brought waits for a claim. Whoever claims under
// load is back much sooner; whoever is busy leaves it to others.
const keepFor = 100 * time.Millisecond

// kept is an entry that no claim has taken yet.
type kept struct {
	flox.Entry
	since time.Time
}

// watchSurplus starts giving back what nobody takes. c.mu is held.
func (c *claimer) watchSurplus() {
	if c.watched || len(c.buffer) == 0 || c.s.enter() != nil {
		return
	}
	defer c.s.leave()
	c.watched = true
	c.s.background.Go(func() {
		for {
			select {
			case <-time.After(keepFor):
			case <-c.s.ctx.Done():
				return
			}
			surplus, more := c.surplus()
			err := each(len(surplus), func(i int) error { return c.s.unclaim(c.s.ctx, surplus[i]) })
			if err != nil && c.s.ctx.Err() == nil {
				c.s.logger.Warn("claimed entries not given back, their lease must run out", "error", err)
			}
			if !more {
				return
			}
		}
	})
}

// surplus takes what has waited too long out of the buffer, and reports whether
// something is left there to watch.
func (c *claimer) surplus() (surplus []flox.Entry, more bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var rest []kept
	for _, k := range c.buffer {
		if time.Since(k.since) < keepFor {
			rest = append(rest, k)
		} else {
			surplus = append(surplus, k.Entry)
		}
	}
	c.buffer = rest
	c.watched = len(rest) > 0
	return surplus, c.watched
}

// unclaim queues an entry's token again, unless it is with somebody.
func (s *Store) unclaim(ctx context.Context, e flox.Entry) error {
	n, p := s.keys.of(e.Run)
	_, err := s.script(ctx, n, scriptUnclaim, []string{p.run(e.Run), p.queue(e.Queue)}, e.Run, e.Token, e.ID, e.Queue)
	if err != nil {
		return fmt.Errorf("give back token %s of run %s: %w", e.Token, e.Run, err)
	}
	return nil
}
