package metrics

import (
	"context"
	"sync"
	"time"
)

// pacer lets so many keys be read in a second, an interval's at a time, so that a
// reading of everything costs Redis the same at any time, however much there is. It
// is safe for concurrent use.
type pacer struct {
	most  int
	every time.Duration

	mu   sync.Mutex
	left int
	next time.Time // when there are most again
}

func newPacer(rate float64, every time.Duration) *pacer {
	return &pacer{most: max(1, int(rate*every.Seconds())), every: every}
}

// pace takes n, and waits for the next interval if there is nothing left. What is
// taken too much is missing then.
func (p *pacer) pace(ctx context.Context, n int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.refill(time.Now()); p.left <= 0; p.refill(time.Now()) {
		timer := time.NewTimer(time.Until(p.next))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
	p.left -= n
	return nil
}

func (p *pacer) refill(now time.Time) {
	if now.Before(p.next) {
		return
	}
	p.left = min(p.left+p.most, p.most)
	p.next = now.Add(p.every)
}
