package flox

import (
	"context"
	"sync"
	"time"
)

// alarm wakes one sleeper at the earliest time that anybody has set.
type alarm struct {
	mu     sync.Mutex
	at     time.Time     // zero if none is set
	sooner chan struct{} // at has come nearer
}

func newAlarm() *alarm { return &alarm{sooner: make(chan struct{}, 1)} }

// clear forgets the time. Who then looks what is to be done misses nothing: what
// comes up while it looks sets the alarm anew.
func (a *alarm) clear() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.at = time.Time{}
}

// in sets the alarm for then, if it is not set for earlier.
func (a *alarm) in(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at := time.Now().Add(d)
	if !a.at.IsZero() && !at.Before(a.at) {
		return
	}
	a.at = at
	select {
	case a.sooner <- struct{}{}:
	default:
	}
}

// sleep returns when the alarm goes off, or after most; early says which it was.
// ok is false if ctx has ended.
func (a *alarm) sleep(ctx context.Context, most time.Duration) (early, ok bool) {
	end := time.Now().Add(most)
	for {
		until := end
		a.mu.Lock()
		if early = !a.at.IsZero() && a.at.Before(end); early {
			until = a.at
		}
		a.mu.Unlock()
		left := time.Until(until)
		if left <= 0 {
			return early, ctx.Err() == nil
		}
		if sleepOr(ctx, left, a.sooner) != nil {
			return early, false
		}
	}
}
