package floxtest

import (
	"errors"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var deadlineChecks = []check{
	{"Passes", deadlinePasses},
	{"Met", deadlineMet},
	{"Paused", deadlinePaused},
	{"Delayed", deadlineDelayed},
	{"InFlight", deadlineInFlight},
	{"FailsAfter", deadlineFailsAfter},
	{"Waiting", deadlineWaiting},
	{"Undone", deadlineUndone},
	{"WhileUndoing", deadlineWhileUndoing},
	{"StartRepeated", deadlineStartRepeated},
}

// startDeadline starts the run with a deadline.
func (d *driver) startDeadline(deadline time.Duration) {
	d.t.Helper()
	req := d.request()
	req.Deadline = deadline
	d.must(d.s.Start(d.ctx, req))
}

// wantLateRun checks that the run failed of its deadline.
func (d *driver) wantLateRun() {
	d.t.Helper()
	info := d.wantStatus(flox.StatusFailed)
	if info.Cause != "deadline exceeded" || info.Ended.Before(info.Deadline) {
		d.t.Fatalf("Info = %+v, want cause: deadline exceeded, after the deadline", info)
	}
	d.wantFailure(flox.ClassDeadline, "deadline exceeded")
}

func deadlinePasses(d *driver) {
	d.startDeadline(soon)
	if info := d.info(); !info.Deadline.Equal(info.Created.Add(soon)) {
		d.t.Errorf("Info = %+v, want a deadline %v after the start", info, soon)
	}
	d.idle(d.other)
	d.pass(soon)
	d.wantNoTimer()
	d.wantLateRun()
	errs, err := d.s.Errors(d.ctx, d.run)
	d.must(err)
	if len(errs) != 1 || errs[0].Class != flox.ClassDeadline || errs[0].Item != "" || !errs[0].Final || errs[0].Time.IsZero() {
		d.t.Errorf("Errors = %+v, want that of the deadline", errs)
	}
	d.wantCounts(flox.Counts{Created: 1, Live: 1})
	d.wantGrant(d.claim(d.queue), flox.GrantParked)
	d.wantCounts(flox.Counts{Created: 1, Live: 1, Parked: 1})
	d.control(flox.ControlRetry)
	if info := d.info(); !info.Deadline.IsZero() || info.Failure != nil || info.Cause != "" || !info.Ended.IsZero() {
		d.t.Errorf("Info = %+v after a retry, want neither deadline nor failure", info)
	}
	d.settle()
	d.wantNoTimer()
	d.commit(end(d.take(), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

// deadlineMet ends runs in every way before their deadlines.
func deadlineMet(d *driver) {
	endings := map[string]func(d *driver){
		"completed": func(d *driver) { d.commit(end(d.take(), "out"), flox.VerdictReleased) },
		"failed":    func(d *driver) { d.commit(fail(d.take(), "boom"), flox.VerdictReleased) },
		"held":      func(d *driver) { d.commit(hold(d.take(), 0), flox.VerdictReleased) },
		"cancelled": func(d *driver) { d.control(flox.ControlCancel) },
	}
	for name, ending := range endings {
		scene := d.scene(name)
		scene.startDeadline(never)
		d.wantNext(0, never)
		ending(scene)
		d.wantNoTimer()
		if info := scene.info(); info.Deadline.IsZero() {
			d.t.Errorf("Info = %+v, want the deadline it met", info)
		}
	}
}

func deadlinePaused(d *driver) {
	d.startDeadline(soon)
	d.control(flox.ControlPause)
	d.pass(soon)
	d.wantLateRun()
}

// deadlineDelayed has a deadline that counts from when the run's start is due.
func deadlineDelayed(d *driver) {
	req := d.request()
	const within = 4 * soon // for what is done in between, on a slow machine
	req.Delay, req.Deadline = soon, within
	d.must(d.s.Start(d.ctx, req))
	info := d.wantStatus(flox.StatusPending)
	if got := info.Deadline.Sub(info.Created); got < soon+within || got > 2*soon+within {
		d.t.Errorf("the deadline is %v after the start, want %v", got, soon+within)
	}
	d.b.Advance(soon + soon/4)
	d.promote(1)
	l := d.take()
	d.pass(within)
	d.wantLateRun()
	d.commit(next(l, "second"), flox.VerdictParked)
	d.wantCounts(flox.Counts{Created: 2, Committed: 1, Live: 1, Parked: 1, Version: 1})
}

// deadlineInFlight ends the last item after the deadline: it is committed, but
// the run has failed.
func deadlineInFlight(d *driver) {
	d.startDeadline(soon)
	l := d.take()
	d.pass(soon)
	d.wantLateRun()
	d.wantHealth(l, flox.HealthFailed)
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantLateRun()
	d.wantOutputs("out")
	d.wantCounts(flox.Counts{Created: 1, Committed: 1, Outputs: 1, Version: 1})
	d.wantRefusal(flox.ControlRetry, flox.StatusFailed)
}

// deadlineFailsAfter fails an item after the deadline: the run has failed of the
// deadline, and a retry goes on from the item.
func deadlineFailsAfter(d *driver) {
	d.startDeadline(soon)
	l := d.take()
	d.pass(soon)
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	d.wantLateRun()
	if errs, err := d.s.Errors(d.ctx, d.run); err != nil || len(errs) != 2 || errs[1].Message != "boom" {
		d.t.Errorf("Errors = %+v, %v, want those of the deadline and the item", errs, err)
	}
	d.control(flox.ControlRetry)
	d.settle()
	d.commit(end(d.take(), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

func deadlineWaiting(d *driver) {
	d.startDeadline(soon)
	d.commit(await(d.take(), "go"), flox.VerdictReleased)
	d.pass(soon)
	d.wantLateRun()
	d.wantWaiting(flox.RootToken, "go", false)
	d.control(flox.ControlRetry)
	d.settle()
	d.signal("go", "yes")
	d.wantAnswer("0.1", "yes")
}

// deadlineUndone undoes what a late run did.
func deadlineUndone(d *driver) {
	d.startDeadline(soon)
	d.commit(undone(next(d.take(), "second")), flox.VerdictReleased)
	d.pass(soon)
	info := d.wantStatus(flox.StatusUndoing)
	if info.Cause != "deadline exceeded" || !info.Ended.IsZero() {
		d.t.Errorf("Info = %+v, want cause: deadline exceeded, and no end", info)
	}
	d.wantFailure(flox.ClassDeadline, "deadline exceeded")
	d.settle()
	l := d.takeUndo(1, "0.0")
	d.wantCause(l, flox.ClassDeadline, "deadline exceeded")
	d.commit(endSilently(l), flox.VerdictReleased)
	d.wantLateRun()
	d.wantUndone("deadline exceeded", flox.Counts{Created: 3, Committed: 2, Dropped: 1, Version: 2})
}

// deadlineWhileUndoing lets the deadline of a run pass that undoes already.
func deadlineWhileUndoing(d *driver) {
	d.startDeadline(soon)
	d.commit(undone(next(d.take(), "second")), flox.VerdictReleased)
	d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	d.settle()
	d.pass(soon)
	d.wantNoTimer()
	d.wantStatus(flox.StatusUndoing)
	d.wantFailure(flox.ClassError, "boom")
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 3, Committed: 2, Dropped: 1, Version: 2})
}

func deadlineStartRepeated(d *driver) {
	d.startDeadline(never)
	d.unchanged("a repeated Start", func() { d.startDeadline(never) })
	req := d.request()
	req.Nonce, req.Deadline = "another", never/2
	d.unchanged("a refused Start", func() {
		if err := d.s.Start(d.ctx, req); !errors.Is(err, flox.ErrRunExists) {
			d.t.Errorf("Start of a taken id = %v, want flox.ErrRunExists", err)
		}
	})
	d.wantNext(never/2, never)
}
