package main

import (
	"context"
	"sync/atomic"
	"time"
)

// stalls measures how long this machine stood still, or was too busy to run us:
// what is measured as slow may have been that.
type stalls struct{ total atomic.Int64 }

const tick = 10 * time.Millisecond

// follow measures until ctx ends.
func (s *stalls) follow(ctx context.Context) {
	last := time.Now()
	for ctx.Err() == nil {
		time.Sleep(tick)
		now := time.Now()
		if late := now.Sub(last) - tick; late > tick {
			s.total.Add(int64(late))
		}
		last = now
	}
}

// sum is how long it was so far.
func (s *stalls) sum() time.Duration { return time.Duration(s.total.Load()) }
