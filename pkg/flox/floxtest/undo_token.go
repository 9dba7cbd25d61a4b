package floxtest

import "github.com/floxrun/flox/pkg/flox"

var undoTokenChecks = []check{
	{"Retry", undoRetry},
	{"Steps", undoSteps},
	{"Fails", undoFails},
	{"Crashes", undoCrashes},
	{"RebuildLost", undoRebuildLost},
}

func undoRetry(d *driver) {
	d.beginUndo(1)
	d.commit(retry(d.takeUndo(1, "0.0")), flox.VerdictReleased)
	d.settle()
	d.promote(1)
	l := d.takeUndo(1, "0.0")
	if l.Lease.Attempt != 1 {
		d.t.Errorf("took attempt %d, want 1", l.Lease.Attempt)
	}
	d.wantCause(l, flox.ClassError, "boom")
	d.handback(l, false, flox.VerdictReleased)
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 3, Committed: 2, Dropped: 1, Version: 2})
}

// undoSteps lets an undo take two steps: they are granted as ever.
func undoSteps(d *driver) {
	d.beginUndo(2)
	c := keep(d.takeUndo(2, "0.1"), "more")
	d.commit(c, flox.VerdictKept)
	d.unchanged("a repeat", func() {
		if result := d.commit(c, flox.VerdictKept); !result.Again {
			d.t.Errorf("a repeat = %+v, want it told", result)
		}
	})
	d.commit(next(kept(flox.Loaded{Lease: c.Lease}, c), "last"), flox.VerdictReleased)
	d.commit(endSilently(d.takeItem("u2.2", "last")), flox.VerdictReleased)
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 7, Committed: 6, Dropped: 1, Version: 6})
}

// undoFails fails an undo: the run fails with what is left, and a retry goes on
// to undo.
func undoFails(d *driver) {
	d.beginUndo(2)
	c := fail(d.takeUndo(2, "0.1"), "stuck")
	d.commit(c, flox.VerdictReleased)
	info := d.wantStatus(flox.StatusFailed)
	if info.Cause != "boom; stuck" || info.Ended.IsZero() {
		d.t.Errorf("Info = %+v, want cause: boom; stuck", info)
	}
	d.wantFailure(flox.ClassError, "boom")
	token := d.tokens()["u2"]
	if !token.Failed || token.Place != flox.PlaceParked {
		d.t.Errorf("Checkpoint = %+v, want u2 failed", token)
	}
	d.wantCounts(flox.Counts{Created: 4, Committed: 2, Dropped: 1, Live: 1, Parked: 1, Version: 2})
	d.settle()
	d.idle(d.queue)
	if status := d.control(flox.ControlRetry); status != flox.StatusUndoing {
		d.t.Errorf("retry = %q, want undoing", status)
	}
	if info := d.wantStatus(flox.StatusUndoing); !info.Ended.IsZero() {
		d.t.Errorf("Info = %+v, want no end", info)
	}
	d.settle()
	l := d.takeUndo(2, "0.1")
	if l.Lease.Attempt != 0 || l.Item.Crashes != 0 {
		d.t.Errorf("took attempt %d with %d crashes, want none", l.Lease.Attempt, l.Item.Crashes)
	}
	d.wantCause(l, flox.ClassError, "boom")
	d.commit(endSilently(l), flox.VerdictReleased)
	d.undo(1, "0.0")
	d.wantStatus(flox.StatusFailed)
	d.wantFailure(flox.ClassError, "boom")
	d.wantCounts(flox.Counts{Created: 5, Committed: 4, Dropped: 1, Version: 4})
	d.wantQuiet()
}

// undoCrashes loses the worker of an undo: another takes it over.
func undoCrashes(d *driver) {
	d.beginUndo(1)
	old := d.takeUndo(1, "0.0")
	d.expire()
	l := d.wantGrant(d.reclaim("w1")[0], flox.GrantOK)
	d.settle()
	d.wantHealth(l, flox.HealthOK)
	d.unchanged("a commit by the old holder", func() { d.commit(endSilently(old), flox.VerdictLost) })
	if l.Item.Crashes != 1 {
		d.t.Errorf("took it with %d crashes, want 1", l.Item.Crashes)
	}
	d.commit(endSilently(l), flox.VerdictReleased)
	d.wantUndone("boom", flox.Counts{Created: 3, Committed: 2, Dropped: 1, Version: 2})
}

// undoRebuildLost loses the queues while an undo is ready.
func undoRebuildLost(d *driver) {
	d.beginUndo(1)
	d.unchanged("Rebuild of a healthy run", func() { d.rebuild(d.run, 0) })
	if d.b.LoseQueues == nil || !d.b.LoseQueues(d.t) {
		return
	}
	d.rebuild(d.run, 1)
	d.rebuild(d.run, 0)
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 3, Committed: 2, Dropped: 1, Version: 2})
}
