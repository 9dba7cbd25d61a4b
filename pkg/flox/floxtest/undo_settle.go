package floxtest

import "github.com/floxrun/flox/pkg/flox"

var undoSettleChecks = []check{
	{"WaitsForLeased", undoWaitsForLeased},
	{"DropsWhatIsIdle", undoDropsIdle},
	{"LoadParks", undoLoadParks},
	{"StartedAndLost", undoStartedAndLost},
	{"LeasedFails", undoLeasedFails},
	{"LeasedRetries", undoLeasedRetries},
	{"LeasedHandedBack", undoLeasedHandedBack},
	{"LeasedHolds", undoLeasedHolds},
	{"LeasedJoins", undoLeasedJoins},
	{"Janitor", undoJanitor},
	{"ManyTokens", undoManyTokens},
}

// beginUndoBeside fails one of n branches, of which the fan-out can be undone,
// and returns the others, which are with workers.
func (d *driver) beginUndoBeside(n int) map[string]flox.Loaded {
	d.t.Helper()
	d.commit(undone(fanJoin(d.begin(), n)), flox.VerdictReleased)
	items := d.takeAll(n)
	d.commit(fail(items["0"], "boom"), flox.VerdictReleased)
	delete(items, "0")
	d.wantStatus(flox.StatusUndoing)
	return items
}

// undoWaitsForLeased lets a worker commit what it has begun: that is undone
// first.
func undoWaitsForLeased(d *driver) {
	items := d.beginUndoBeside(2)
	d.settle()
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 3, Committed: 1, Dropped: 1, Live: 1, Version: 1})
	l := items["0.0.1"]
	d.wantHealth(l, flox.HealthFailed)
	d.commit(undone(keep(l, "second")), flox.VerdictParked)
	d.wantCounts(flox.Counts{Created: 4, Committed: 2, Dropped: 1, Live: 1, Parked: 1, Version: 2})
	d.idle(d.queue)
	d.settle()
	d.undo(2, "0.0.1.0")
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 6, Committed: 4, Dropped: 2, Version: 4})
}

// undoDropsIdle drops tokens wherever they stand.
func undoDropsIdle(d *driver) {
	d.commit(undone(fan(d.begin(), 6)), flox.VerdictReleased)
	items := d.takeAll(6)
	d.commit(after(never, next(items["0.0.1"], "second")), flox.VerdictReleased)
	d.commit(await(items["0.0.2"], "go"), flox.VerdictReleased)
	d.commit(after(never, await(items["0.0.3"], "go")), flox.VerdictReleased)
	d.commit(next(items["0.0.4"], "second"), flox.VerdictReleased)
	d.control(flox.ControlPause)
	d.commit(next(items["0.0.5"], "second"), flox.VerdictParked)
	d.commit(fail(items["0"], "boom"), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: 12, Committed: 6, Live: 6, Parked: 2, Version: 6})
	d.settle()
	d.wantNoTimer()
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 13, Committed: 7, Dropped: 6, Version: 7})
}

// undoLoadParks loads what was claimed before the run failed.
func undoLoadParks(d *driver) {
	d.commit(undone(fan(d.begin(), 3)), flox.VerdictReleased)
	l := d.take()
	early, late := d.claim(d.queue), d.claim(d.queue)
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	d.wantGrant(early, flox.GrantParked)
	d.wantCounts(flox.Counts{Created: 4, Committed: 1, Live: 3, Parked: 2, Version: 1})
	d.settle()
	d.wantGrant(late, flox.GrantStray)
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 5, Committed: 2, Dropped: 3, Version: 2})
}

// undoStartedAndLost takes over what a dead worker had begun: it may have done
// something, so it is done again and committed, to be undone.
func undoStartedAndLost(d *driver) {
	d.beginUndoBeside(2)
	d.expire()
	entries := d.reclaim("w1")
	if len(entries) != 1 {
		d.t.Fatalf("Reclaim = %+v, want the branch that was begun", entries)
	}
	d.settle()
	d.wantCounts(flox.Counts{Created: 3, Committed: 1, Dropped: 1, Live: 1, Version: 1})
	l := d.wantGrant(entries[0], flox.GrantOK)
	d.wantHealth(l, flox.HealthFailed)
	c := undone(keep(l, "second"))
	d.commit(c, flox.VerdictParked)
	d.settle()
	d.undo(2, "0.0.1.0")
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 6, Committed: 4, Dropped: 2, Version: 4})
}

// undoLeasedFails lets a second branch fail: the first failure stands.
func undoLeasedFails(d *driver) {
	l := d.beginUndoBeside(2)["0.0.1"]
	d.commit(fail(l, "bang"), flox.VerdictReleased)
	if info := d.wantStatus(flox.StatusUndoing); info.Cause != "boom" {
		d.t.Errorf("cause %q, want boom", info.Cause)
	}
	d.settle()
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 4, Committed: 2, Dropped: 2, Version: 2})
	if errs, err := d.s.Errors(d.ctx, d.run); err != nil || len(errs) != 2 {
		d.t.Errorf("Errors = %+v, %v, want those of both branches", errs, err)
	}
}

func undoLeasedRetries(d *driver) {
	l := d.beginUndoBeside(2)["0.0.1"]
	d.commit(retry(l), flox.VerdictReleased)
	d.settle()
	d.wantNoTimer()
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 4, Committed: 2, Dropped: 2, Version: 2})
}

func undoLeasedHandedBack(d *driver) {
	items := d.beginUndoBeside(3)
	d.handback(items["0.0.1"], false, flox.VerdictParked)
	d.handback(items["0.0.2"], true, flox.VerdictReleased)
	d.idle(d.queue)
	d.settle()
	d.wantNoTimer()
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 5, Committed: 2, Dropped: 3, Version: 2})
}

// undoLeasedHolds holds while the run undoes: stale, it parks.
func undoLeasedHolds(d *driver) {
	items := d.beginUndoBeside(3)
	d.commit(hold(items["0.0.1"], 1), flox.VerdictReleased)
	d.commit(hold(items["0.0.2"], 1), flox.VerdictParked)
	d.settle()
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 5, Committed: 3, Held: 1, Dropped: 2, Version: 3})
}

// undoLeasedJoins lets all branches of a frame arrive while the run undoes: the
// join does not fire, and nothing is left to wait for.
func undoLeasedJoins(d *driver) {
	d.commit(undone(fan(d.begin(), 2)), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(fanJoin(items["0"], 2), flox.VerdictReleased)
	branches := d.takeAll(2)
	d.commit(fail(items["0.0.1"], "boom"), flox.VerdictReleased)
	d.settle()
	d.commit(undone(deposit(branches["0.1.1"], "b")), flox.VerdictReleased)
	d.idle(d.queue)
	d.commit(deposit(branches["0"], "a"), flox.VerdictReleased)
	d.undo(2, "0.1.1.0")
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 7, Committed: 6, Dropped: 1, Version: 6})
}

// undoJanitor leaves all to janitors, who must not be kept busy by a branch
// that is with a worker, nor forget it.
func undoJanitor(d *driver) {
	l := d.beginUndoBeside(2)["0.0.1"]
	for range 10 {
		if !d.settleSome("") {
			break
		}
	}
	d.unchanged("a janitor's Settle", func() {
		if d.settleSome("") {
			d.t.Error("Settle leaves something, want nothing that can be done now")
		}
	})
	d.commit(next(l, "second"), flox.VerdictParked)
	d.settleSome("")
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 5, Committed: 3, Dropped: 2, Version: 3})
}

func undoManyTokens(d *driver) {
	const n = 250
	d.commit(undone(fan(d.begin(), n)), flox.VerdictReleased)
	d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	more := d.settleSome(d.run)
	if live := d.info().Counts.Live; !more || live == 0 {
		d.t.Errorf("Settle = %t with %d tokens left, want it to do a part", more, live)
	}
	d.ledger()
	d.settle()
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: n + 2, Committed: 2, Dropped: n, Version: 2})
}
