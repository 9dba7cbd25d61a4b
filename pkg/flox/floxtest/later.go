package floxtest

import (
	"maps"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var laterChecks = []check{
	{"Next", laterNext},
	{"NextPaused", laterNextPaused},
	{"NextCancelled", laterNextCancelled},
	{"Fan", laterFan},
	{"FanJoin", laterFanJoin},
	{"FanLarge", laterFanLarge},
	{"FanPaused", laterFanPaused},
	{"FanNone", laterFanNone},
	{"Elapsed", elapsed},
	{"ElapsedRunRetry", elapsedRunRetry},
}

// after lets what c leads to be ready later.
func after(delay time.Duration, c flox.Commit) flox.Commit {
	c.Delay = delay
	return c
}

// soon is a delay that tests wait for, never one that none sees the end of.
const (
	soon  = 3 * lease
	never = time.Hour
)

func laterNext(d *driver) {
	d.commit(after(soon, keep(d.begin(), "second")), flox.VerdictReleased)
	d.idle(d.queue)
	token := d.tokens()[flox.RootToken]
	if token.Place != flox.PlaceDelayed || token.Step != 1 || token.Node != "second" || token.Due.IsZero() {
		d.t.Errorf("Checkpoint = %+v, want 0.1 delayed at second", token)
	}
	d.wantCounts(flox.Counts{Created: 2, Committed: 1, Live: 1, Version: 1})
	d.pass(soon)
	l := d.takeItem("0.1", "second")
	if string(l.Item.Input.Payload) != "input of second" || l.Lease.Attempt != 0 || l.Item.Elapsed != 0 {
		d.t.Errorf("took %+v, attempt %d, want a first attempt with its input", l.Item, l.Lease.Attempt)
	}
	d.idle(d.queue)
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

// laterNextPaused delays in a paused run: the delay goes on, then it parks.
func laterNextPaused(d *driver) {
	l := d.begin()
	d.control(flox.ControlPause)
	d.commit(after(soon, next(l, "second")), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: 2, Committed: 1, Live: 1, Version: 1})
	d.b.Advance(soon + soon/4)
	d.promote(1)
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 2, Committed: 1, Live: 1, Parked: 1, Version: 1})
	d.control(flox.ControlResume)
	d.settle()
	d.takeItem("0.1", "second")
}

func laterNextCancelled(d *driver) {
	d.commit(after(never, next(d.begin(), "second")), flox.VerdictReleased)
	d.control(flox.ControlCancel)
	d.settle()
	d.wantCounts(flox.Counts{Created: 2, Committed: 1, Dropped: 1, Version: 1})
	d.wantNoTimer()
}

// wantNoTimer checks that nothing will ever be due.
func (d *driver) wantNoTimer() {
	d.t.Helper()
	promoted, err := d.s.Promote(d.ctx, 100)
	d.must(err)
	if promoted.Moved != 0 || promoted.Next >= 0 {
		d.t.Fatalf("Promote = %+v, want no timer", promoted)
	}
}

func laterFan(d *driver) {
	c := fan(d.begin(), 3)
	c.Keep = true
	d.commit(after(soon, c), flox.VerdictReleased)
	d.idle(d.queue)
	tokens := d.tokens()
	if len(tokens) != 3 {
		d.t.Fatalf("Checkpoint = %v, want 3 tokens", tokens)
	}
	for _, token := range tokens {
		if token.Place != flox.PlaceDelayed || token.Node != "branch" || token.Due.IsZero() {
			d.t.Errorf("Checkpoint = %+v, want it delayed at branch", token)
		}
	}
	d.wantCounts(flox.Counts{Created: 4, Committed: 1, Live: 3, Version: 1})
	d.b.Advance(soon + soon/4)
	d.promote(3)
	d.takeAll(3)
	d.idle(d.queue)
}

func laterFanJoin(d *driver) {
	d.commit(after(soon, fanJoin(d.begin(), 2)), flox.VerdictReleased)
	d.b.Advance(soon + soon/4)
	d.promote(2)
	items := d.takeAll(2)
	d.commit(deposit(items["0.0.1"], "b"), flox.VerdictReleased)
	d.commit(deposit(items["0"], "a"), flox.VerdictReleased)
	d.wantJoin("0.0.j", "a", "b")
}

// laterFanLarge delays a fan-out that is released in chunks: the first of them waits.
func laterFanLarge(d *driver) {
	const size = small + 2
	d.commit(after(soon, fanJoin(d.begin(), size)), flox.VerdictReleased)
	d.idle(d.queue)
	tokens := d.tokens()
	if token := tokens[flox.RootToken]; len(tokens) != 1 || token.Place != flox.PlaceDelayed || token.Due.IsZero() {
		d.t.Fatalf("Checkpoint = %v, want the releasing token alone, delayed", tokens)
	}
	d.b.Advance(soon + soon/4)
	d.promote(1)
	branches := d.releaseAll(2)
	maps.Copy(branches, d.takeAll(size-len(branches)))
	if len(branches) != size {
		d.t.Errorf("%d branches came, want %d", len(branches), size)
	}
	d.idle(d.queue)
}

func laterFanPaused(d *driver) {
	l := d.begin()
	d.control(flox.ControlPause)
	d.commit(after(never, fan(l, 3)), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: 4, Committed: 1, Live: 3, Version: 1})
}

// laterFanNone delays the branches of a fan-out that has none.
func laterFanNone(d *driver) {
	d.commit(after(never, fanJoin(d.begin(), 0)), flox.VerdictReleased)
	d.commit(after(never, fan(d.wantJoin("0.0.j"), 0)), flox.VerdictReleased)
	d.wantStatus(flox.StatusFailed)
	d.wantNoTimer()
}

func (d *driver) wantElapsed(l flox.Loaded, least, less time.Duration) {
	d.t.Helper()
	if got := l.Item.Elapsed; got < least || got >= less {
		d.t.Fatalf("item %s, attempt %d: elapsed %v, want at least %v and less than %v",
			l.Lease.Item(), l.Lease.Attempt, got, least, less)
	}
}

// took is a retry of an attempt that took so long.
func took(l flox.Loaded, took time.Duration) flox.Commit {
	c := retry(l)
	c.Took = took
	return c
}

// elapsed counts from when the first attempt began, not from when it failed.
func elapsed(d *driver) {
	l := d.begin()
	d.wantElapsed(l, 0, 1)
	d.commit(took(l, time.Hour), flox.VerdictReleased)
	d.promote(1)
	l = d.take()
	d.wantElapsed(l, time.Hour, time.Hour+10*time.Minute)
	d.commit(took(l, 5*time.Hour), flox.VerdictReleased)
	d.promote(1)
	l = d.take()
	d.wantElapsed(l, time.Hour, time.Hour+10*time.Minute)
	d.handback(l, false, flox.VerdictReleased)
	l = d.take()
	d.wantElapsed(l, time.Hour, time.Hour+10*time.Minute)
	d.commit(next(l, "second"), flox.VerdictReleased)
	d.wantElapsed(d.take(), 0, 1)
}

// elapsedRunRetry retries the run: the failed item begins anew.
func elapsedRunRetry(d *driver) {
	d.commit(took(d.begin(), time.Hour), flox.VerdictReleased)
	d.promote(1)
	d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	d.control(flox.ControlRetry)
	d.settle()
	d.wantElapsed(d.take(), 0, 1)
}
