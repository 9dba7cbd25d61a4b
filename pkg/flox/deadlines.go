package flox

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// deadlines gives contexts that end a time from now, or sooner by up to a sixteenth of
// it: calls that begin about together share one, which costs less than one each. It
// is safe for concurrent use.
type deadlines struct {
	parent context.Context
	after  time.Duration

	mu   sync.Mutex // of whoever makes the next
	last atomic.Pointer[deadline]
}

// deadline is a context that ends then, and until when it is given out.
type deadline struct {
	context.Context
	until  time.Time
	cancel context.CancelFunc // its timer calls it, or the parent's end
}

func newDeadlines(parent context.Context, after time.Duration) *deadlines {
	return &deadlines{parent: parent, after: after}
}

// from returns a context for a call that begins now.
func (d *deadlines) from(now time.Time) context.Context {
	if c := d.last.Load(); c != nil && now.Before(c.until) {
		return c.Context
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if c := d.last.Load(); c != nil && now.Before(c.until) {
		return c.Context
	}
	c := &deadline{until: now.Add(d.after / 16)}
	c.Context, c.cancel = context.WithDeadline(d.parent, now.Add(d.after))
	d.last.Store(c)
	return c.Context
}
