package floxtest

import (
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

var lateChecks = []check{
	{"EveryCommit", lateEveryCommit},
	{"KeptRepeat", lateKeptRepeat},
	{"EveryPlace", lateEveryPlace},
	{"Reclaimed", lateReclaimed},
	{"Leased", lateLeased},
	{"InnerFrames", lateInnerFrames},
	{"InnerJoin", lateInnerJoin},
	{"Twice", lateTwice},
	{"Waiting", lateWaiting},
}

// lateBranches closes a frame over n branches that are with workers, and
// returns them and the join.
func (d *driver) lateBranches(n int) (map[string]flox.Loaded, flox.Loaded) {
	d.t.Helper()
	d.commit(quorum(d.begin(), n+1, 1), flox.VerdictReleased)
	items := d.takeAll(n + 1)
	d.closes(deposit(items["0"], "a"))
	delete(items, "0")
	return items, d.wantJoin("0.0.j", "a")
}

// wantLateEnd ends the join's token, after which only late tokens are left, and
// settles them away.
func (d *driver) wantLateEnd(join flox.Loaded, want flox.Counts) {
	d.t.Helper()
	d.commit(end(join, "out"), flox.VerdictReleased)
	d.settle()
	d.wantStatus(flox.StatusCompleted)
	d.wantCounts(want)
	d.idle(d.queue)
	d.wantNoTimer()
	d.wantQuiet()
}

// lateEveryCommit commits late branches in every way.
func lateEveryCommit(d *driver) {
	commits := []func(l flox.Loaded) flox.Commit{
		func(l flox.Loaded) flox.Commit { return keep(l, "second") },
		func(l flox.Loaded) flox.Commit { return undone(after(never, next(l, "second"))) },
		func(l flox.Loaded) flox.Commit { return endSilently(l) },
		func(l flox.Loaded) flox.Commit { return deposit(l, "x") },
		func(l flox.Loaded) flox.Commit { return fan(l, 3) },
		func(l flox.Loaded) flox.Commit { return fanJoin(l, small+1) },
		func(l flox.Loaded) flox.Commit { return hold(l, 0) },
		func(l flox.Loaded) flox.Commit { return await(l, "go") },
		func(l flox.Loaded) flox.Commit { return fallback(l, "plan-b") },
		retry,
		func(l flox.Loaded) flox.Commit { return fail(l, "boom") },
	}
	n := len(commits)
	items, join := d.lateBranches(n)
	for i, commit := range commits {
		c := commit(items[flox.ChildToken("0", 0, i+1)])
		d.commit(c, flox.VerdictDropped)
		d.unchanged("a repeated late commit", func() { d.commit(c, flox.VerdictRepeat) })
	}
	d.wantCounts(flox.Counts{Created: int64(n) + 3, Committed: 2, Live: int64(n) + 1, Parked: int64(n), Version: 2})
	d.wantStatus(flox.StatusRunning)
	if errs, err := d.s.Errors(d.ctx, d.run); err != nil || len(errs) > 0 {
		d.t.Errorf("Errors = %+v, %v, want none of late branches", errs, err)
	}
	d.wantLateEnd(join, flox.Counts{Created: int64(n) + 3, Committed: 3, Dropped: int64(n), Outputs: 1, Version: 3})
}

// lateKeptRepeat repeats a kept commit after its branch has become late: that
// would start a step.
func lateKeptRepeat(d *driver) {
	d.commit(quorum(d.begin(), 2, 1), flox.VerdictReleased)
	items := d.takeAll(2)
	c := keep(items["0.0.1"], "second")
	d.commit(c, flox.VerdictKept)
	d.closes(deposit(items["0"], "a"))
	d.commit(c, flox.VerdictDropped)
	d.unchanged("a repeat of it", func() { d.commit(c, flox.VerdictRepeat) })
	d.wantLateEnd(d.wantJoin("0.0.j", "a"), flox.Counts{Created: 5, Committed: 4, Dropped: 1, Outputs: 1, Version: 4})
}

// lateEveryPlace closes over branches that stand everywhere.
func lateEveryPlace(d *driver) {
	d.commit(quorum(d.begin(), 6, 1), flox.VerdictReleased)
	items := d.takeAll(6)
	d.commit(after(never, next(items["0.0.1"], "second")), flox.VerdictReleased)
	d.commit(await(items["0.0.2"], "go"), flox.VerdictReleased)
	d.commit(after(never, await(items["0.0.3"], "go")), flox.VerdictReleased)
	d.commit(next(items["0.0.4"], "second"), flox.VerdictReleased)
	d.control(flox.ControlPause)
	d.commit(next(items["0.0.5"], "second"), flox.VerdictParked)
	d.control(flox.ControlResume)
	d.closes(deposit(items["0"], "a"))
	d.settle()
	d.wantNoTimer()
	d.signal("go", "nobody waits any more")
	d.wantCounts(flox.Counts{Created: 13, Committed: 7, Dropped: 5, Live: 1, Version: 7})
	d.wantLateEnd(d.wantJoin("0.0.j", "a"), flox.Counts{Created: 13, Committed: 8, Dropped: 5, Outputs: 1, Version: 8})
}

// lateReclaimed loses the workers of two late branches: one is dropped when it
// is loaded, one by a janitor.
func lateReclaimed(d *driver) { d.swiftly(lease*3/2+lease, lateAreTaken) }

func lateAreTaken(d *driver) string {
	items, join := d.lateBranches(2)
	for range 3 {
		d.b.Advance(lease / 2)
		d.wantHealth(join, flox.HealthOK)
	}
	entries := d.reclaim("w1")
	if len(entries) != 2 {
		return fmt.Sprintf("Reclaim = %+v, want the late branches", entries)
	}
	d.wantGrant(entries[0], flox.GrantDropped)
	d.wantHealth(items[entries[1].Token], flox.HealthLost)
	d.settle()
	d.wantGrant(entries[1], flox.GrantStray)
	d.wantLateEnd(join, flox.Counts{Created: 5, Committed: 3, Dropped: 2, Outputs: 1, Version: 3})
	return ""
}

// lateLeased leaves a late branch to its worker, without keeping janitors busy.
func lateLeased(d *driver) {
	items, join := d.lateBranches(1)
	d.wantQuiet()
	d.commit(end(join, "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusRunning)
	d.wantQuiet()
	d.handback(items["0.0.1"], true, flox.VerdictDropped)
	d.settleSome("")
	d.wantStatus(flox.StatusCompleted)
	d.wantCounts(flox.Counts{Created: 4, Committed: 3, Dropped: 1, Outputs: 1, Version: 3})
	d.wantQuiet()
}

// lateInnerFrames has frames two deep in a late branch: they go without firing.
func lateInnerFrames(d *driver) {
	d.commit(quorum(d.begin(), 2, 1), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(fanJoin(items["0.0.1"], 2), flox.VerdictReleased)
	inner := d.takeAll(2)
	d.commit(fanJoin(inner["0.0.1"], 3), flox.VerdictReleased)
	innermost := d.takeAll(3)
	d.commit(deposit(innermost["0.0.1"], "x"), flox.VerdictReleased)
	d.closes(deposit(items["0"], "a"))
	held := innermost["0.0.1.1.1"]
	d.commit(deposit(innermost["0.0.1.1.2"], "y"), flox.VerdictDropped)
	d.commit(deposit(inner["0.0.1.0.1"], "z"), flox.VerdictDropped)
	d.settle()
	d.wantHealth(held, flox.HealthDropped)
	d.wantCounts(flox.Counts{Created: 9, Committed: 5, Dropped: 2, Live: 2, Version: 5})
	d.commit(next(held, "second"), flox.VerdictDropped)
	d.wantLateEnd(d.wantJoin("0.0.j", "a"), flox.Counts{Created: 9, Committed: 6, Dropped: 3, Outputs: 1, Version: 6})
}

// lateInnerJoin closes over a join that has just fired in a late branch.
func lateInnerJoin(d *driver) {
	d.commit(quorum(d.begin(), 2, 1), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(fanJoin(items["0.0.1"], 1), flox.VerdictReleased)
	d.commit(deposit(d.take(), "x"), flox.VerdictReleased)
	d.closes(deposit(items["0"], "a"))
	d.wantGrant(d.claim(d.queue), flox.GrantDropped)
	d.wantLateEnd(d.wantJoin("0.0.j", "a"), flox.Counts{Created: 6, Committed: 5, Dropped: 1, Outputs: 1, Version: 5})
}

// lateTwice closes a frame in a branch, and then the one around it.
func lateTwice(d *driver) {
	d.commit(quorum(d.begin(), 2, 1), flox.VerdictReleased)
	outer := d.takeAll(2)
	d.commit(quorum(outer["0.0.1"], 2, 1), flox.VerdictReleased)
	inner := d.takeAll(2)
	d.closes(deposit(inner["0.0.1"], "x"))
	join := d.wantJoin("0.0.1.0.j", "x")
	d.closes(deposit(outer["0"], "a"))
	d.wantHealth(join, flox.HealthDropped)
	d.commit(deposit(inner["0.0.1.0.1"], "y"), flox.VerdictDropped)
	d.settle()
	d.commit(deposit(join, "xy"), flox.VerdictDropped)
	d.wantLateEnd(d.wantJoin("0.0.j", "a"), flox.Counts{Created: 7, Committed: 5, Dropped: 2, Outputs: 1, Version: 5})
}

// lateWaiting signals while a late branch waits: it must not take the signal with
// it, which is for who awaits it next.
func lateWaiting(d *driver) {
	d.commit(quorum(d.begin(), 3, 1), flox.VerdictReleased)
	items := d.takeAll(3)
	d.commit(await(items["0.0.1"], "go"), flox.VerdictReleased)
	d.closes(deposit(items["0"], "a"))
	d.signal("go", "yes")
	d.commit(await(d.wantJoin("0.0.j", "a"), "go"), flox.VerdictReleased)
	d.wantAnswer("0.0.j.1", "yes")
}
