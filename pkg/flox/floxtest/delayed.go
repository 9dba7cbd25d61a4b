package floxtest

import (
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var delayedChecks = []check{
	{"None", promoteNone},
	{"Retry", promoteRetry},
	{"Start", promoteStart},
	{"Limit", promoteLimit},
	{"Paused", promotePaused},
	{"Cancelled", promoteCancelled},
}

// promote promotes until n tokens were moved.
func (d *driver) promote(n int) {
	d.t.Helper()
	for range 500 {
		promoted := d.promoteSome()
		if n -= promoted.Moved; n <= 0 {
			return
		}
		d.b.Advance(max(promoted.Next, 2*time.Millisecond))
	}
	d.t.Fatalf("%d delayed tokens were never promoted", n)
}

// promoteSome promotes once, and checks what it tells.
func (d *driver) promoteSome() flox.Promoted {
	d.t.Helper()
	before, existed := d.stands()
	promoted, err := d.s.Promote(d.ctx, 100)
	d.must(err)
	if after, exists := d.stands(); existed && exists {
		d.wantTold("Promote", before, after, promoted.Ended)
	}
	return promoted
}

// wantNext checks that nothing is due and when the next token is.
func (d *driver) wantNext(after, atMost time.Duration) {
	d.t.Helper()
	promoted, err := d.s.Promote(d.ctx, 100)
	d.must(err)
	if promoted.Moved != 0 || promoted.Next <= after || promoted.Next > atMost {
		d.t.Fatalf("Promote = %+v, want nothing moved, next after %v and within %v", promoted, after, atMost)
	}
}

func promoteNone(d *driver) {
	d.start()
	promoted, err := d.s.Promote(d.ctx, 10)
	d.must(err)
	if promoted.Moved != 0 || promoted.Next >= 0 {
		d.t.Errorf("Promote = %+v, want nothing and a negative Next", promoted)
	}
}

func promoteRetry(d *driver) {
	l := d.begin()
	c := retry(l)
	c.Delay = lease
	d.commit(c, flox.VerdictReleased)
	d.idle(d.queue)
	token := d.tokens()[flox.RootToken]
	if token.Place != flox.PlaceDelayed || token.Attempt != 1 || token.Due.IsZero() {
		d.t.Errorf("Checkpoint = %+v, want a delayed token", token)
	}
	d.pass(lease)
	promoted, err := d.s.Promote(d.ctx, 10)
	d.must(err)
	if promoted.Moved != 0 || promoted.Next >= 0 {
		d.t.Errorf("Promote = %+v, want the token moved once", promoted)
	}
	l = d.take()
	if l.Lease.Attempt != 1 || l.Lease.Step != 0 || string(l.Item.Input.Payload) != "input" {
		d.t.Errorf("after a retry: %+v, input %q, want attempt 1 of item 0.0", l.Lease, l.Item.Input.Payload)
	}
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 1, Live: 1})
}

func promoteStart(d *driver) {
	req := d.request()
	req.Delay = lease
	d.must(d.s.Start(d.ctx, req))
	d.must(d.s.Start(d.ctx, req))
	d.idle(d.queue)
	d.wantStatus(flox.StatusPending)
	d.pass(lease)
	d.commit(end(d.take(), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

func promoteLimit(d *driver) {
	l := d.begin()
	d.commit(fan(l, 5), flox.VerdictReleased)
	for _, l := range d.takeAll(5) {
		d.commit(retry(l), flox.VerdictReleased)
	}
	d.b.Advance(5 * time.Millisecond)
	moved := 0
	for range 50 {
		promoted, err := d.s.Promote(d.ctx, 2)
		d.must(err)
		if promoted.Moved > 2 {
			d.t.Fatalf("Promote moved %d, want at most 2", promoted.Moved)
		}
		if moved += promoted.Moved; promoted.Next < 0 {
			break
		}
	}
	if moved != 5 {
		d.t.Errorf("Promote moved %d in all, want 5", moved)
	}
	d.takeAll(5)
}

func promotePaused(d *driver) {
	l := d.begin()
	d.control(flox.ControlPause)
	d.commit(retry(l), flox.VerdictReleased)
	d.b.Advance(5 * time.Millisecond)
	_, err := d.s.Promote(d.ctx, 10)
	d.must(err)
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 1, Live: 1, Parked: 1})
	d.control(flox.ControlResume)
	d.settle()
	if l = d.take(); l.Lease.Attempt != 1 {
		d.t.Errorf("after pause and resume: attempt %d, want 1", l.Lease.Attempt)
	}
}

func promoteCancelled(d *driver) {
	l := d.begin()
	d.commit(retry(l), flox.VerdictReleased)
	d.control(flox.ControlCancel)
	d.b.Advance(5 * time.Millisecond)
	_, err := d.s.Promote(d.ctx, 10)
	d.must(err)
	d.idle(d.queue)
	d.settle()
	d.wantCounts(flox.Counts{Created: 1, Dropped: 1})
	promoted, err := d.s.Promote(d.ctx, 10)
	d.must(err)
	if promoted.Next >= 0 {
		d.t.Errorf("Promote = %+v, want no timer left", promoted)
	}
}
