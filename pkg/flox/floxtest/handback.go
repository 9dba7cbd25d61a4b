package floxtest

import (
	"slices"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var handbackChecks = []check{
	{"Once", handback},
	{"Paused", handbackPaused},
	{"UnknownNode", handbackUnknownNode},
	{"UnknownStep", handbackUnknownStep},
}

func (d *driver) handback(l flox.Loaded, unknown bool, want ...flox.Verdict) {
	d.t.Helper()
	verdict, err := d.s.Handback(d.ctx, l.Lease, unknown)
	d.must(err)
	if !slices.Contains(want, verdict) {
		d.t.Fatalf("Handback = %d, want one of %d", verdict, want)
	}
}

func handback(d *driver) {
	l := d.begin()
	d.handback(l, false, flox.VerdictReleased)
	d.unchanged("a repeated Handback", func() { d.handback(l, false, flox.VerdictLost, flox.VerdictRepeat) })
	again := d.take()
	if again.Lease.Step != 0 || again.Lease.Attempt != 0 || again.Item.Crashes != 0 {
		d.t.Errorf("after a hand-back: %+v, %d crashes, want a fresh item 0.0", again.Lease, again.Item.Crashes)
	}
	d.wantCounts(flox.Counts{Created: 1, Live: 1})
}

func handbackPaused(d *driver) {
	l := d.begin()
	d.control(flox.ControlPause)
	d.handback(l, false, flox.VerdictParked)
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 1, Live: 1, Parked: 1})
}

func handbackUnknownNode(d *driver) {
	l := d.begin()
	d.handback(l, true, flox.VerdictReleased)
	d.idle(d.queue)
	first := d.tokens()[flox.RootToken].Due
	d.pass(500 * time.Millisecond)
	l = d.take()
	if l.Lease.Attempt != 0 || l.Item.Crashes != 0 {
		d.t.Errorf("an unknown node counted: %d attempts, %d crashes, want none", l.Lease.Attempt, l.Item.Crashes)
	}
	d.handback(l, true, flox.VerdictReleased)
	// It cannot have been taken before it was due.
	if second := d.tokens()[flox.RootToken].Due; second.Sub(first) < time.Second {
		d.t.Errorf("handed back again it is due %v after it was, want a longer wait", second.Sub(first))
	}
	d.pass(time.Second)
	d.take()
}

// handbackUnknownStep gives back what a Load granted that was not answered, also
// where another worker, or nobody, holds the token.
func handbackUnknownStep(d *driver) {
	l := d.begin()
	blind := l
	blind.Lease.Step, blind.Lease.Attempt = flox.StepUnknown, 0
	other := blind
	other.Lease.Owner = "another"
	d.unchanged("the Handback of another owner", func() { d.handback(other, false, flox.VerdictLost) })
	health, err := d.s.Renew(d.ctx, blind.Lease)
	d.must(err)
	if health != flox.HealthOK {
		d.t.Errorf("Renew = %d, want the lease renewed", health)
	}
	d.handback(blind, false, flox.VerdictReleased)
	d.unchanged("a repeated Handback", func() { d.handback(blind, false, flox.VerdictLost) })
	again := d.take()
	if again.Lease.Step != l.Lease.Step || again.Item.Crashes != 0 {
		d.t.Errorf("after a hand-back: %+v, %d crashes, want step %d and none", again.Lease, again.Item.Crashes, l.Lease.Step)
	}
}
