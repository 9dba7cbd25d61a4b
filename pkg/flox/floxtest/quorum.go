package floxtest

import "github.com/floxrun/flox/pkg/flox"

var quorumChecks = []check{
	{"Fires", quorumFires},
	{"OfAll", quorumOfAll},
	{"OverAll", quorumOverAll},
	{"OfOne", quorumOfOne},
	{"TooFew", quorumTooFew},
	{"InnerFan", quorumInnerFan},
	{"Nested", quorumNested},
	{"Paused", quorumPaused},
	{"Failed", quorumFailed},
	{"Cancelled", quorumCancelled},
	{"Undone", quorumUndone},
	{"Watch", quorumWatch},
}

// quorum is a fan-out whose join fires when some of the n branches have arrived.
func quorum(l flox.Loaded, n, need int) flox.Commit {
	c := fanJoin(l, n)
	c.Fan.Frame.Quorum = need
	return c
}

// closes commits what fires a join while branches are out.
func (d *driver) closes(c flox.Commit) {
	d.t.Helper()
	if result := d.commit(c, flox.VerdictReleased); !result.Settle {
		d.t.Fatalf("Commit(%s) = %+v, want it to ask for Settle", c.Item(), result)
	}
}

// leaves commits what leaves no work for Settle.
func (d *driver) leaves(c flox.Commit) {
	d.t.Helper()
	if result := d.commit(c, flox.VerdictReleased); result.Settle {
		d.t.Fatalf("Commit(%s) = %+v, want nothing for Settle", c.Item(), result)
	}
}

// quorumFires joins two of five: one of the others is with a worker, one is
// claimed, one is ready.
func quorumFires(d *driver) {
	d.commit(quorum(d.begin(), 5, 2), flox.VerdictReleased)
	items := d.takeAll(3) // the first three: branch 0 stands behind the others
	claimed := d.claim(d.queue)
	d.leaves(deposit(items["0.0.2"], "b"))
	d.closes(deposit(items["0.0.1"], "a"))
	d.wantCounts(flox.Counts{Created: 7, Committed: 3, Live: 4, Version: 3})
	held := items["0.0.3"]
	d.unchanged("Renew of a late token", func() { d.wantHealth(held, flox.HealthDropped) })
	d.wantGrant(claimed, flox.GrantDropped)
	d.wantGrant(d.claim(d.queue), flox.GrantDropped)
	d.wantCounts(flox.Counts{Created: 7, Committed: 3, Live: 4, Parked: 2, Version: 3})
	join := d.wantJoin("0.0.j", "a", "b")
	d.settle()
	d.wantCounts(flox.Counts{Created: 7, Committed: 3, Dropped: 2, Live: 2, Version: 3})
	d.commit(end(join, "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusRunning)
	d.commit(deposit(held, "c"), flox.VerdictDropped)
	d.wantHealth(held, flox.HealthLost)
	d.wantCounts(flox.Counts{Created: 7, Committed: 4, Dropped: 2, Live: 1, Parked: 1, Outputs: 1, Version: 4})
	d.settle()
	d.wantStatus(flox.StatusCompleted)
	d.wantCounts(flox.Counts{Created: 7, Committed: 4, Dropped: 3, Outputs: 1, Version: 4})
	d.wantDeltas("delta of 0.0", "delta of 0.0.2.0", "delta of 0.0.1.0", "delta of 0.0.j.0")
	d.wantQuiet()
}

// quorumOfAll waits for all branches: nobody is late.
func quorumOfAll(d *driver) {
	d.commit(quorum(d.begin(), 3, 3), flox.VerdictReleased)
	items := d.takeAll(3)
	d.leaves(deposit(items["0"], "a"))
	d.leaves(deposit(items["0.0.2"], "c"))
	d.idle(d.queue)
	d.leaves(deposit(items["0.0.1"], "b"))
	d.leaves(end(d.wantJoin("0.0.j", "a", "b", "c"), "out"))
	d.wantStatus(flox.StatusCompleted)
	d.wantQuiet()
}

func quorumOverAll(d *driver) {
	d.commit(quorum(d.begin(), 2, 7), flox.VerdictReleased)
	items := d.takeAll(2)
	d.leaves(deposit(items["0"], "a"))
	d.idle(d.queue)
	d.leaves(deposit(items["0.0.1"], "b"))
	d.wantJoin("0.0.j", "a", "b")
}

func quorumOfOne(d *driver) {
	d.commit(quorum(d.begin(), 1, 1), flox.VerdictReleased)
	d.leaves(deposit(d.take(), "a"))
	d.wantJoin("0.0.j", "a")
	d.wantQuiet()
}

// quorumTooFew has branches end: the join gets what there is.
func quorumTooFew(d *driver) {
	d.commit(quorum(d.begin(), 3, 2), flox.VerdictReleased)
	items := d.takeAll(3)
	d.leaves(endSilently(items["0"]))
	d.leaves(deposit(items["0.0.1"], "b"))
	d.idle(d.queue)
	d.leaves(endSilently(items["0.0.2"]))
	d.wantJoin("0.0.j", "b")
	d.wantQuiet()
}

// quorumInnerFan has a branch fan out in the frame: its branches count as well.
func quorumInnerFan(d *driver) {
	d.commit(quorum(d.begin(), 2, 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(fan(items["0.0.1"], 2), flox.VerdictReleased)
	inner := d.takeAll(2)
	d.leaves(deposit(inner["0.0.1.0.1"], "y"))
	d.closes(deposit(inner["0.0.1"], "x"))
	d.wantJoin("0.0.j", "x", "y")
	d.commit(deposit(items["0"], "a"), flox.VerdictDropped)
}

// quorumNested closes a frame in a branch of another: its join goes on there.
func quorumNested(d *driver) {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	outer := d.takeAll(2)
	d.commit(quorum(outer["0.0.1"], 2, 1), flox.VerdictReleased)
	inner := d.takeAll(2)
	d.closes(deposit(inner["0.0.1.0.1"], "y"))
	d.wantHealth(outer["0"], flox.HealthOK)
	join := d.wantJoin("0.0.1.0.j", "y")
	d.wantHealth(join, flox.HealthOK)
	d.leaves(deposit(outer["0"], "a"))
	d.leaves(deposit(join, "b"))
	d.commit(end(d.wantJoin("0.0.j", "a", "b"), "out"), flox.VerdictReleased)
	d.handback(inner["0.0.1"], false, flox.VerdictDropped)
	d.settle()
	d.wantStatus(flox.StatusCompleted)
	d.wantQuiet()
}

// quorumPaused closes in a paused run, whose late branches go at once.
func quorumPaused(d *driver) {
	d.commit(quorum(d.begin(), 3, 1), flox.VerdictReleased)
	items := d.takeAll(3)
	d.control(flox.ControlPause)
	d.commit(next(items["0.0.2"], "second"), flox.VerdictParked)
	d.closes(deposit(items["0"], "a"))
	d.wantHealth(items["0.0.1"], flox.HealthDropped)
	d.commit(next(items["0.0.1"], "second"), flox.VerdictDropped)
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 6, Committed: 3, Live: 3, Parked: 3, Version: 3})
	d.settle()
	d.wantCounts(flox.Counts{Created: 6, Committed: 3, Dropped: 2, Live: 1, Parked: 1, Version: 3})
	d.control(flox.ControlResume)
	d.settle()
	d.commit(end(d.wantJoin("0.0.j", "a"), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
	d.wantQuiet()
}

// quorumFailed closes after a branch failed: it is late, and what is retried is
// the rest.
func quorumFailed(d *driver) {
	d.commit(quorum(d.begin(), 3, 1), flox.VerdictReleased)
	items := d.takeAll(3)
	d.commit(fail(items["0.0.1"], "boom"), flox.VerdictReleased)
	d.closes(deposit(items["0"], "a"))
	d.wantStatus(flox.StatusFailed)
	d.settle()
	d.wantCounts(flox.Counts{Created: 5, Committed: 2, Dropped: 1, Live: 2, Parked: 1, Version: 2})
	d.control(flox.ControlRetry)
	d.settle()
	d.commit(end(d.wantJoin("0.0.j", "a"), "out"), flox.VerdictReleased)
	d.commit(fail(items["0.0.2"], "too late"), flox.VerdictDropped)
	d.settle()
	d.wantStatus(flox.StatusCompleted)
	d.wantQuiet()
}

func quorumCancelled(d *driver) {
	d.commit(quorum(d.begin(), 3, 1), flox.VerdictReleased)
	items := d.takeAll(3)
	d.closes(deposit(items["0"], "a"))
	d.control(flox.ControlCancel)
	d.wantHealth(items["0.0.1"], flox.HealthCancelled)
	d.commit(deposit(items["0.0.1"], "b"), flox.VerdictCancelled)
	d.settle()
	d.wantCounts(flox.Counts{Created: 5, Committed: 2, Dropped: 3, Version: 2})
	d.idle(d.queue)
	d.wantQuiet()
}

// quorumUndone undoes a run with late branches: what they did counts for nothing.
func quorumUndone(d *driver) {
	d.commit(undone(quorum(d.begin(), 3, 1)), flox.VerdictReleased)
	items := d.takeAll(3)
	d.closes(deposit(items["0"], "a"))
	d.commit(fail(d.wantJoin("0.0.j", "a"), "boom"), flox.VerdictReleased)
	d.settle()
	d.commit(undone(next(items["0.0.1"], "second")), flox.VerdictDropped)
	d.settle()
	d.idle(d.queue)
	d.handback(items["0.0.2"], false, flox.VerdictDropped)
	d.settle()
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 6, Committed: 3, Dropped: 3, Version: 3})
}

// quorumWatch checks that workers are told when a join fires without branches
// that may be theirs.
func quorumWatch(d *driver) {
	d.commit(quorum(d.begin(), 2, 1), flox.VerdictReleased)
	items := d.takeAll(2)
	alerts, stop := d.alerts()
	defer stop()
	d.closes(deposit(items["0"], "a"))
	want := flox.Alert{Run: d.run, Status: flox.StatusRunning}
	if a := <-alerts; a != want {
		d.t.Errorf("alert %+v, want %+v", a, want)
	}
}
