package floxtest

import (
	"errors"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

var controlChecks = []check{
	{"PauseResume", pauseResume},
	{"PauseParksNothingNew", pauseQueued},
	{"PausedRunCompletes", pausedCompletes},
	{"PausedRunFails", pausedFails},
	{"Cancel", cancelRun},
	{"Retry", retryRun},
	{"RetryManyFailed", retryMany},
	{"Refused", refused},
	{"RetryWithoutTokens", retryNothing},
	{"Repeat", controlRepeat},
	{"LateRepeat", controlLateRepeat},
	{"NotFound", controlNotFound},
}

func pauseResume(d *driver) {
	l := d.begin()
	if status := d.control(flox.ControlPause); status != flox.StatusPaused {
		d.t.Errorf("pause = %q, want paused", status)
	}
	d.wantStatus(flox.StatusPaused)
	d.commit(next(l, "second"), flox.VerdictParked)
	if status := d.control(flox.ControlResume); status != flox.StatusRunning {
		d.t.Errorf("resume = %q, want running", status)
	}
	d.settle()
	d.unchanged("another Settle", func() { d.settle() })
	l = d.take()
	d.idle(d.queue)
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: 2, Committed: 2, Outputs: 1, Version: 2})
}

// pauseQueued pauses a run whose tokens are ready: claimed, they are parked.
func pauseQueued(d *driver) {
	d.commit(fan(d.begin(), 3), flox.VerdictReleased)
	held := d.take()
	d.control(flox.ControlPause)
	for range 2 {
		d.wantGrant(d.claim(d.queue), flox.GrantParked)
	}
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 4, Committed: 1, Live: 3, Parked: 2, Version: 1})
	d.control(flox.ControlResume)
	d.settle()
	d.wantHealth(held, flox.HealthOK)
	d.takeAll(2)
	d.idle(d.queue)
}

func pausedCompletes(d *driver) {
	l := d.begin()
	d.control(flox.ControlPause)
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

func pausedFails(d *driver) {
	l := d.begin()
	d.control(flox.ControlPause)
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	d.wantStatus(flox.StatusFailed)
}

func cancelRun(d *driver) {
	d.commit(fan(d.begin(), 5), flox.VerdictReleased)
	held := d.take()
	late := retry(d.take())
	late.Delay = 1 << 40
	d.commit(late, flox.VerdictReleased)
	claimed := d.claim(d.queue)
	if status := d.control(flox.ControlCancel); status != flox.StatusCancelled {
		d.t.Errorf("cancel = %q, want cancelled", status)
	}
	info := d.wantStatus(flox.StatusCancelled)
	if info.Ended.IsZero() {
		d.t.Error("a cancelled run has no end time")
	}
	d.wantHealth(held, flox.HealthCancelled)
	d.wantGrant(claimed, flox.GrantCancelled)
	d.settle()
	d.commit(end(held, "out"), flox.VerdictCancelled)
	d.wantCounts(flox.Counts{Created: 6, Committed: 1, Dropped: 5, Version: 1})
	d.idle(d.queue)
	if tokens := d.tokens(); len(tokens) > 0 {
		d.t.Errorf("Checkpoint = %v, want no token", tokens)
	}
}

func retryRun(d *driver) {
	l := d.begin()
	d.commit(retry(l), flox.VerdictReleased)
	d.promote(1)
	d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	d.control(flox.ControlRetry)
	d.settle()
	if l = d.take(); l.Item.Retried != 1 {
		d.t.Errorf("Retried = %d after one retry, want 1", l.Item.Retried)
	}
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	if status := d.control(flox.ControlRetry); status != flox.StatusRunning {
		d.t.Errorf("retry = %q, want running", status)
	}
	info := d.wantStatus(flox.StatusRunning)
	if info.Cause != "" || !info.Ended.IsZero() {
		d.t.Errorf("Info = %+v, want neither cause nor end", info)
	}
	d.settle()
	l = d.take()
	if l.Lease.Attempt != 0 || l.Lease.Step != 0 || string(l.Item.Input.Payload) != "input" {
		d.t.Errorf("took %+v with %q, want a first attempt of 0.0", l.Lease, l.Item.Input.Payload)
	}
	if d.tokens()[flox.RootToken].Failed {
		d.t.Error("the token still counts as failed")
	}
	if l.Item.Retried != 2 {
		d.t.Errorf("Retried = %d after two retries, want 2", l.Item.Retried)
	}
	d.commit(next(l, "second"), flox.VerdictReleased)
	if l = d.take(); l.Item.Retried != 0 {
		d.t.Errorf("Retried = %d at the next item, want 0", l.Item.Retried)
	}
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
	d.wantCounts(flox.Counts{Created: 2, Committed: 2, Outputs: 1, Version: 2})
}

func retryMany(d *driver) {
	d.commit(fan(d.begin(), 3), flox.VerdictReleased)
	items := d.takeAll(3)
	d.commit(fail(items["0"], "boom"), flox.VerdictReleased)
	d.commit(fail(items["0.0.1"], "bang"), flox.VerdictReleased)
	d.commit(next(items["0.0.2"], "second"), flox.VerdictParked)
	if info := d.wantStatus(flox.StatusFailed); info.Cause != "boom" {
		d.t.Errorf("cause %q, want boom", info.Cause)
	}
	d.control(flox.ControlRetry)
	d.settle()
	for _, l := range d.takeAll(3) {
		d.commit(end(l, "out"), flox.VerdictReleased)
	}
	d.wantStatus(flox.StatusCompleted)
}

// wantRefusal checks that op is refused in a status and changes nothing.
func (d *driver) wantRefusal(op flox.ControlOp, want ...flox.Status) {
	d.t.Helper()
	d.unchanged("a refused "+string(op), func() {
		_, err := d.s.Control(d.ctx, flox.ControlRequest{Run: d.run, Op: op, Nonce: newOwner()})
		refusal, ok := errors.AsType[*flox.RefusedError](err)
		if !ok || !errors.Is(err, flox.ErrRefused) {
			d.t.Fatalf("%s of a run that is %q = %v, want a *flox.RefusedError", op, want, err)
		}
		if refusal.Run != d.run || refusal.Op != op || !slices.Contains(want, refusal.Status) {
			d.t.Fatalf("%s = %+v, want status one of %q", op, refusal, want)
		}
	})
}

func refused(d *driver) {
	all := []flox.ControlOp{flox.ControlPause, flox.ControlResume, flox.ControlCancel, flox.ControlRetry}
	running := d.scene("running")
	running.start()
	for _, op := range []flox.ControlOp{flox.ControlResume, flox.ControlRetry} {
		running.wantRefusal(op, flox.StatusPending, flox.StatusRunning)
	}
	paused := d.scene("paused")
	paused.start()
	paused.control(flox.ControlPause)
	for _, op := range []flox.ControlOp{flox.ControlPause, flox.ControlRetry} {
		paused.wantRefusal(op, flox.StatusPaused)
	}
	failed := d.scene("failed")
	failed.commit(fail(failed.begin(), "boom"), flox.VerdictReleased)
	for _, op := range []flox.ControlOp{flox.ControlPause, flox.ControlResume, flox.ControlCancel} {
		failed.wantRefusal(op, flox.StatusFailed)
	}
	completed := d.scene("completed")
	completed.commit(end(completed.begin(), "out"), flox.VerdictReleased)
	cancelled := d.scene("cancelled")
	cancelled.start()
	cancelled.control(flox.ControlCancel)
	cancelled.settle()
	for _, op := range all {
		completed.wantRefusal(op, flox.StatusCompleted)
		cancelled.wantRefusal(op, flox.StatusCancelled)
	}
}

func retryNothing(d *driver) {
	d.commit(endSilently(d.begin()), flox.VerdictReleased)
	d.wantRefusal(flox.ControlRetry, flox.StatusFailed)
}

// controlRepeat repeats each operation under its nonce.
func controlRepeat(d *driver) {
	d.begin()
	for _, op := range []flox.ControlOp{flox.ControlPause, flox.ControlResume, flox.ControlCancel} {
		req := flox.ControlRequest{Run: d.run, Op: op, Nonce: "nonce-of-" + string(op)}
		first, err := d.s.Control(d.ctx, req)
		d.must(err)
		d.settle()
		d.unchanged("a repeated "+string(op), func() {
			again, err := d.s.Control(d.ctx, req)
			d.must(err)
			if again != first {
				d.t.Errorf("a repeated %s = %q, want %q", op, again, first)
			}
		})
	}
}

// controlLateRepeat repeats a pause after others have resumed the run.
func controlLateRepeat(d *driver) {
	d.begin()
	pause := flox.ControlRequest{Run: d.run, Op: flox.ControlPause, Nonce: "pause"}
	_, err := d.s.Control(d.ctx, pause)
	d.must(err)
	for i := range 7 {
		d.control([]flox.ControlOp{flox.ControlResume, flox.ControlPause}[i%2])
	}
	d.settle()
	d.unchanged("a late repeat", func() {
		if status, err := d.s.Control(d.ctx, pause); err != nil || status != flox.StatusRunning {
			d.t.Errorf("a late repeat of pause = %q, %v, want running", status, err)
		}
	})
}

func controlNotFound(d *driver) {
	_, err := d.s.Control(d.ctx, flox.ControlRequest{Run: "nobody", Op: flox.ControlPause, Nonce: "n"})
	if !errors.Is(err, flox.ErrNotFound) {
		d.t.Errorf("pause of an unknown run = %v, want flox.ErrNotFound", err)
	}
}
