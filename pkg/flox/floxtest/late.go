package floxtest

import (
	"fmt"
	"sync"
	"sync/atomic"

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
	{"Releasing", lateReleasing},
	{"ReleasingInner", lateReleasingInner},
	{"Twice", lateTwice},
	{"LastDepositors", lateLastDepositors},
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
func lateReclaimed(d *driver) {
	items, join := d.lateBranches(2)
	for range 3 {
		d.b.Advance(lease / 2)
		d.wantHealth(join, flox.HealthOK)
	}
	entries := d.reclaim("w1")
	if len(entries) != 2 {
		d.t.Fatalf("Reclaim = %+v, want the late branches", entries)
	}
	d.wantGrant(entries[0], flox.GrantDropped)
	d.wantHealth(items[entries[1].Token], flox.HealthLost)
	d.settle()
	d.wantGrant(entries[1], flox.GrantStray)
	d.wantLateEnd(join, flox.Counts{Created: 5, Committed: 3, Dropped: 2, Outputs: 1, Version: 3})
}

// lateLeased leaves a late branch to its worker, without keeping janitors busy.
func lateLeased(d *driver) {
	items, join := d.lateBranches(1)
	d.wantQuiet()
	d.commit(end(join, "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusRunning)
	d.wantQuiet()
	d.handback(items["0.0.1"], true, flox.VerdictDropped)
	_, err := d.s.Settle(d.ctx, "")
	d.must(err)
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

// lateReleasing closes a large fan-out's frame before all branches are made.
func lateReleasing(d *driver) {
	const size = 2*small + 10
	d.commit(quorum(d.begin(), size, 2), flox.VerdictReleased)
	d.commit(release(d.takeItem("0.1", "branch")), flox.VerdictReleased)
	d.leaves(deposit(d.take(), "a"))
	d.closes(deposit(d.take(), "b"))
	d.settle()
	d.wantCounts(flox.Counts{Created: 2 + small + 1, Committed: 3, Dropped: small - 1, Live: 1, Version: 3})
	l := d.take()
	if l.Lease.Token != "0.0.j" || len(l.Item.Input.Deposits) != 2 {
		d.t.Fatalf("took %s with %d deposits, want 0.0.j with 2", l.Lease.Token, len(l.Item.Input.Deposits))
	}
	d.wantLateEnd(l, flox.Counts{Created: 3 + small, Committed: 4, Dropped: small - 1, Outputs: 1, Version: 4})
}

// lateReleasingInner closes over a branch that releases a large fan-out, in a
// frame of its own and in the branch's.
func lateReleasingInner(d *driver) {
	for i, open := range []func(flox.Loaded, int) flox.Commit{fan, fanJoin} {
		d := d.scene(fmt.Sprintf("run%d", i))
		d.commit(quorum(d.begin(), 2, 1), flox.VerdictReleased)
		items := d.takeAll(2)
		d.commit(open(items["0.0.1"], 2*small+10), flox.VerdictReleased)
		d.commit(release(d.takeItem("0.0.1.1", "branch")), flox.VerdictReleased)
		d.closes(deposit(items["0"], "a"))
		d.settle()
		d.wantCounts(flox.Counts{Created: small + 5, Committed: 3, Dropped: small + 1, Live: 1, Version: 3})
		d.wantLateEnd(d.wantJoin("0.0.j", "a"), flox.Counts{Created: small + 5, Committed: 4, Dropped: small + 1, Outputs: 1, Version: 4})
	}
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

// lateLastDepositors has eight branches arrive at once at joins that want from
// one to all of them.
func lateLastDepositors(d *driver) {
	const n = 8
	for need := 1; need <= n; need++ {
		d := d.scene(fmt.Sprintf("need%d", need))
		d.commit(quorum(d.begin(), n, need), flox.VerdictReleased)
		var arrived, dropped atomic.Int64
		var wg sync.WaitGroup
		for _, l := range d.takeAll(n) {
			wg.Go(func() {
				result, err := d.s.Commit(d.ctx, deposit(l, "x"))
				switch {
				case err == nil && result.Verdict == flox.VerdictReleased:
					arrived.Add(1)
				case err == nil && result.Verdict == flox.VerdictDropped:
					dropped.Add(1)
				default:
					d.t.Errorf("Commit(%s) = %+v, %v, want it released or dropped", l.Lease.Item(), result, err)
				}
				d.settleOften(2)
			})
		}
		wg.Wait()
		join := d.take()
		if got := len(join.Item.Input.Deposits); join.Lease.Token != "0.0.j" || got != need || int(arrived.Load()) != need || int(dropped.Load()) != n-need {
			d.t.Fatalf("quorum %d of %d: %s with %d deposits, %d arrived, %d dropped", need, n, join.Lease.Token, got, arrived.Load(), dropped.Load())
		}
		committed := int64(need) + 2
		d.wantLateEnd(join, flox.Counts{Created: n + 2, Committed: committed, Dropped: n + 2 - committed, Outputs: 1, Version: committed})
	}
}
