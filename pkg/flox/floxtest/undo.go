package floxtest

import (
	"fmt"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

var undoChecks = []check{
	{"Reverse", undoReverse},
	{"OtherQueue", undoOtherQueue},
	{"EveryCommit", undoEveryCommit},
	{"NothingToUndo", undoNothing},
	{"Completed", undoCompleted},
	{"NoOutput", undoNoOutput},
	{"FailPaused", undoFailPaused},
	{"Controls", undoControls},
	{"Late", undoLate},
	{"Lost", undoLost},
	{"LostLate", undoLostLate},
	{"RetriedRun", undoRetriedRun},
}

// undoReverse undoes three steps, the last first.
func undoReverse(d *driver) {
	d.commit(prepareUndo(d, 3), flox.VerdictReleased)
	info := d.wantStatus(flox.StatusUndoing)
	if info.Cause != "boom" || !info.Ended.IsZero() {
		d.t.Errorf("Info = %+v, want cause boom and no end", info)
	}
	d.wantFailure(flox.ClassError, "boom")
	d.wantCounts(flox.Counts{Created: 4, Committed: 3, Live: 1, Parked: 1, Version: 3})
	d.idle(d.queue)
	d.wantList(flox.ListRequest{RunFilter: activeRuns, Limit: 10}, d.run)
	d.wantList(flox.ListRequest{RunFilter: byStatus(flox.StatusFailed), Limit: 10})
	d.settle()
	d.wantCounts(flox.Counts{Created: 5, Committed: 3, Dropped: 1, Live: 1, Version: 3})
	l := d.takeUndo(3, "0.2")
	d.wantCause(l, flox.ClassError, "boom")
	d.wantHealth(l, flox.HealthOK)
	d.commit(endSilently(l), flox.VerdictReleased)
	d.wantStatus(flox.StatusUndoing)
	d.wantCounts(flox.Counts{Created: 6, Committed: 4, Dropped: 1, Live: 1, Version: 4})
	d.undo(2, "0.1")
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 7, Committed: 6, Dropped: 1, Version: 6})
	d.wantFailure(flox.ClassError, "boom")
	d.wantOutputs()
	d.wantList(flox.ListRequest{RunFilter: activeRuns, Limit: 10})
	d.wantList(flox.ListRequest{RunFilter: byStatus(flox.StatusFailed), Limit: 10}, d.run)
}

func undoOtherQueue(d *driver) {
	c := undone(keep(d.begin(), "second"))
	c.Undo.Queue = d.other
	d.commit(c, flox.VerdictKept)
	d.commit(fail(kept(flox.Loaded{Lease: c.Lease}, c), "boom"), flox.VerdictReleased)
	d.settle()
	d.idle(d.queue)
	d.commit(endSilently(d.takeFrom(d.other)), flox.VerdictReleased)
	d.wantUndone("boom", flox.Counts{Created: 3, Committed: 2, Dropped: 1, Version: 2})
}

// undoEveryCommit undoes a fan-out, a deposit, a join's end and a plain step.
func undoEveryCommit(d *driver) {
	d.commit(undone(fan(d.begin(), 2)), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(undone(fanJoin(items["0"], 2)), flox.VerdictReleased)
	branches := d.takeAll(2)
	d.commit(undone(deposit(branches["0"], "a")), flox.VerdictReleased)
	d.commit(deposit(branches["0.1.1"], "b"), flox.VerdictReleased)
	d.commit(undone(end(d.wantJoin("0.1.j", "a", "b"), "out")), flox.VerdictReleased)
	d.commit(undone(next(items["0.0.1"], "second")), flox.VerdictReleased)
	d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	d.settle()
	for n, item := range slices.Backward([]string{"0.0", "0.1", "0.2", "0.1.j.0", "0.0.1.0"}) {
		d.undo(int64(n+1), item)
	}
	d.wantUndone("boom", flox.Counts{Created: 12, Committed: 11, Dropped: 1, Outputs: 1, Version: 11})
	d.wantOutputs("out")
}

// undoNothing fails with nothing to undo: at once, and says of what.
func undoNothing(d *driver) {
	if result := d.commit(fail(d.begin(), "boom"), flox.VerdictReleased); result.Settle {
		d.t.Errorf("Commit = %+v, want nothing for Settle", result)
	}
	d.wantStatus(flox.StatusFailed)
	d.wantFailure(flox.ClassError, "boom")
	d.control(flox.ControlRetry)
	if info := d.info(); info.Failure != nil || info.Cause != "" {
		d.t.Errorf("Info = %+v after a retry, want no failure", info)
	}
	d.settle()
	c := fail(d.take(), "no record")
	c.Err = nil
	d.commit(c, flox.VerdictReleased)
	if info := d.wantStatus(flox.StatusFailed); info.Failure != nil || info.Cause != "no record" {
		d.t.Errorf("Info = %+v, want a cause alone", info)
	}
}

func undoCompleted(d *driver) {
	d.commit(undone(next(d.begin(), "second")), flox.VerdictReleased)
	d.commit(undone(end(d.take(), "out")), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 2, Committed: 2, Outputs: 1, Version: 2})
	d.wantQuiet()
}

// undoNoOutput ends with no output: there is nothing to wait for.
func undoNoOutput(d *driver) {
	d.commit(undone(next(d.begin(), "second")), flox.VerdictReleased)
	d.commit(undone(endSilently(d.take())), flox.VerdictReleased)
	info := d.wantStatus(flox.StatusUndoing)
	if info.Cause != "ended with no output" || info.Failure != nil || !info.Ended.IsZero() {
		d.t.Errorf("Info = %+v, want cause: ended with no output", info)
	}
	l := d.takeUndo(2, "0.1")
	if l.Item.Input.Cause != nil {
		d.t.Errorf("cause %q, want none", l.Item.Input.Cause)
	}
	d.commit(endSilently(l), flox.VerdictReleased)
	d.undo(1, "0.0")
	d.wantUndone("ended with no output", flox.Counts{Created: 4, Committed: 4, Version: 4})
}

func undoFailPaused(d *driver) {
	c := prepareFailUndo(d)
	d.control(flox.ControlPause)
	d.commit(c, flox.VerdictReleased)
	d.wantStatus(flox.StatusUndoing)
	d.settle()
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 3, Committed: 2, Dropped: 1, Version: 2})
}

// undoLate fails a run before anything of it can be undone, while a sibling is at
// work that then does something which can.
func undoLate(d *driver) {
	req := d.request()
	req.Undoes = true
	d.must(d.s.Start(d.ctx, req))
	d.commit(fan(d.take(), 3), flox.VerdictReleased)
	items := d.takeAll(3)
	d.commit(fail(items["0"], "boom"), flox.VerdictReleased)
	d.wantStatus(flox.StatusUndoing)
	d.settle()
	d.commit(undone(next(items["0.0.1"], "more")), flox.VerdictParked)
	d.commit(end(items["0.0.2"], "out"), flox.VerdictReleased)
	d.settle()
	d.undo(1, "0.0.1.0")
	d.wantUndone("boom", flox.Counts{Created: 6, Committed: 4, Dropped: 2, Outputs: 1, Version: 4})

	alone := d.scene("alone")
	req = alone.request()
	req.Undoes = true
	d.must(d.s.Start(d.ctx, req))
	alone.commit(fail(alone.take(), "boom"), flox.VerdictReleased)
	alone.wantStatus(flox.StatusFailed)
}

// undoLost fails a run whose other branch was started and lost, and then handed
// back while the run was paused: it is done again, then undone.
func undoLost(d *driver) {
	req := d.request()
	req.Undoes = true
	d.must(d.s.Start(d.ctx, req))
	d.commit(fan(d.take(), 2), flox.VerdictReleased)
	d.takeAll(2)
	d.expire()
	items := map[string]flox.Loaded{}
	for _, e := range d.reclaim("w1") {
		items[e.Token] = d.wantGrant(e, flox.GrantOK)
	}
	d.control(flox.ControlPause)
	if verdict, err := d.s.Handback(d.ctx, items["0.0.1"].Lease, false); err != nil || verdict != flox.VerdictParked {
		d.t.Fatalf("Handback = %d, %v, want parked", verdict, err)
	}
	d.commit(fail(items["0"], "boom"), flox.VerdictReleased)
	d.settle()
	d.commit(undone(next(d.take(), "more")), flox.VerdictParked)
	d.settle()
	d.undo(1, "0.0.1.0")
	d.wantUndone("boom", flox.Counts{Created: 5, Committed: 3, Dropped: 2, Version: 3})
}

// undoLostLate is undoLost for a branch whose join has fired without it: it cannot
// commit any more, and is given up.
func undoLostLate(d *driver) {
	c := fanJoin(d.begin(), 3)
	c.Fan.Frame.Quorum = 1
	d.commit(undone(c), flox.VerdictReleased)
	d.takeAll(3)
	d.expire()
	items := map[string]flox.Loaded{}
	for _, e := range d.reclaim("w1") {
		items[e.Token] = d.wantGrant(e, flox.GrantOK)
	}
	d.commit(deposit(items["0"], "first"), flox.VerdictReleased)
	d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	for _, token := range []string{"0.0.1", "0.0.2"} {
		if verdict, err := d.s.Handback(d.ctx, items[token].Lease, false); err != nil || verdict != flox.VerdictDropped {
			d.t.Fatalf("Handback of %s = %d, %v, want dropped", token, verdict, err)
		}
	}
	d.settle()
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 6, Committed: 3, Dropped: 3, Version: 3})
}

// undoControls cancels at every moment of an undo; nothing else is allowed.
func undoControls(d *driver) {
	moments := []func(d *driver){
		func(*driver) {},
		func(d *driver) { d.settle() },
		func(d *driver) { d.settle(); d.take() },
		func(d *driver) { d.settle(); d.commit(retry(d.take()), flox.VerdictReleased) },
		func(d *driver) { d.settle(); d.commit(endSilently(d.take()), flox.VerdictReleased) },
		func(d *driver) { d.settle(); d.commit(endSilently(d.take()), flox.VerdictReleased); d.claim(d.queue) },
	}
	for i, moment := range moments {
		d := d.scene(fmt.Sprintf("moment%d", i))
		d.commit(prepareUndo(d, 3), flox.VerdictReleased)
		moment(d)
		d.wantStatus(flox.StatusUndoing)
		for _, op := range []flox.ControlOp{flox.ControlPause, flox.ControlResume, flox.ControlRetry} {
			d.wantRefusal(op, flox.StatusUndoing)
		}
		if status := d.control(flox.ControlCancel); status != flox.StatusCancelled {
			d.t.Errorf("cancel = %q, want cancelled", status)
		}
		d.settle()
		d.idle(d.queue)
		n := d.wantStatus(flox.StatusCancelled).Counts
		if n.Live != 0 || n.Parked != 0 || n.Dropped == 0 {
			d.t.Errorf("moment %d: %+v after cancel, want all dropped", i, n)
		}
		d.wantNoTimer()
		d.wantQuiet()
	}
}

// undoRetriedRun retries a failed run, which then does what can be undone.
func undoRetriedRun(d *driver) {
	d.commit(fail(d.begin(), "boom"), flox.VerdictReleased)
	d.control(flox.ControlRetry)
	d.settle()
	d.commit(undone(next(d.take(), "second")), flox.VerdictReleased)
	d.commit(fail(d.take(), "bang"), flox.VerdictReleased)
	d.settle()
	d.undo(1, "0.0")
	d.wantUndone("bang", flox.Counts{Created: 3, Committed: 2, Dropped: 1, Version: 2})
}
