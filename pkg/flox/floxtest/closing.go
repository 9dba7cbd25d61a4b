package floxtest

import "github.com/floxrun/flox/pkg/flox"

var closingChecks = []check{
	{"OwnFrame", closeOwn},
	{"LastBranch", closeLast},
	{"OuterFrame", closeOuter},
	{"OuterFrameAlone", closeOuterAlone},
	{"FarFrame", closeFar},
	{"Fallback", closeFallback},
	{"Undoing", closeUndoing},
}

// closing is a deposit that fires the join of a frame outside the token's own.
func closing(l flox.Loaded, output string, up int) flox.Commit {
	c := deposit(l, output)
	c.Close, c.Up = true, up
	return c
}

func closeOwn(d *driver) {
	d.commit(fanJoin(d.begin(), 3), flox.VerdictReleased)
	items := d.takeAll(3)
	d.leaves(deposit(items["0.0.2"], "c"))
	d.closes(closing(items["0.0.1"], "b", 0))
	d.commit(deposit(items["0"], "a"), flox.VerdictDropped)
	d.wantLateEnd(d.wantJoin("0.0.j", "b", "c"), flox.Counts{Created: 5, Committed: 4, Dropped: 1, Outputs: 1, Version: 4})
}

// closeLast closes when nobody else is out: nobody is late.
func closeLast(d *driver) {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.leaves(deposit(items["0"], "a"))
	d.leaves(closing(items["0.0.1"], "b", 0))
	d.wantQuiet()
	d.wantLateEnd(d.wantJoin("0.0.j", "a", "b"), flox.Counts{Created: 4, Committed: 4, Outputs: 1, Version: 4})
}

// closeOuter closes a frame from within a branch's own, which goes with it. The
// deposit counts as that branch's.
func closeOuter(d *driver) {
	d.commit(fanJoin(d.begin(), 3), flox.VerdictReleased)
	outer := d.takeAll(3)
	d.leaves(deposit(outer["0.0.1"], "b"))
	d.commit(fanJoin(outer["0"], 3), flox.VerdictReleased)
	inner := d.takeAll(3)
	d.closes(closing(inner["0.1.2"], "a", 1))
	d.wantCounts(flox.Counts{Created: 8, Committed: 4, Live: 4, Version: 4})
	d.wantHealth(inner["0.1.1"], flox.HealthDropped)
	d.commit(deposit(inner["0.1.1"], "x"), flox.VerdictDropped)
	d.commit(deposit(inner["0"], "y"), flox.VerdictDropped)
	d.commit(deposit(outer["0.0.2"], "c"), flox.VerdictDropped)
	d.wantLateEnd(d.wantJoin("0.0.j", "a", "b"), flox.Counts{Created: 8, Committed: 5, Dropped: 3, Outputs: 1, Version: 5})
}

// closeOuterAlone closes from the only branch of the only branch.
func closeOuterAlone(d *driver) {
	d.commit(fanJoin(d.begin(), 1), flox.VerdictReleased)
	d.commit(fanJoin(d.take(), 1), flox.VerdictReleased)
	d.leaves(closing(d.take(), "x", 1))
	d.wantLateEnd(d.wantJoin("0.0.j", "x"), flox.Counts{Created: 4, Committed: 4, Outputs: 1, Version: 4})
}

// closeFar closes the second of four frames from the innermost: the outermost
// stays open, and the join goes on in it.
func closeFar(d *driver) {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	first := d.takeAll(2)
	d.commit(fanJoin(first["0.0.1"], 2), flox.VerdictReleased)
	second := d.takeAll(2)
	d.commit(fanJoin(second["0.0.1"], 2), flox.VerdictReleased)
	third := d.takeAll(2)
	d.commit(fanJoin(third["0.0.1"], 1), flox.VerdictReleased)
	d.closes(closing(d.take(), "x", 2))
	d.wantHealth(first["0"], flox.HealthOK)
	d.wantHealth(second["0.0.1.0.1"], flox.HealthDropped)
	d.wantHealth(third["0.0.1.1.1"], flox.HealthDropped)
	d.commit(deposit(d.wantJoin("0.0.1.0.j", "x"), "b"), flox.VerdictReleased)
	d.commit(deposit(second["0.0.1.0.1"], "y"), flox.VerdictDropped)
	d.commit(deposit(first["0"], "a"), flox.VerdictReleased)
	d.commit(retry(third["0.0.1.1.1"]), flox.VerdictDropped)
	d.wantLateEnd(d.wantJoin("0.0.j", "a", "b"), flox.Counts{Created: 10, Committed: 8, Dropped: 2, Outputs: 1, Version: 8})
}

// closeFallback closes with the failure of a branch: the item has failed.
func closeFallback(d *driver) {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	c := closing(items["0"], "failed", 0)
	c.Fallback, c.Delta, c.Err = true, nil, failure(items["0"], true)
	d.closes(c)
	d.wantCounts(flox.Counts{Created: 4, Committed: 1, Failed: 1, Live: 2, Version: 1})
	if errs, err := d.s.Errors(d.ctx, d.run); err != nil || len(errs) != 1 {
		d.t.Errorf("Errors = %+v, %v, want one", errs, err)
	}
	d.commit(deposit(items["0.0.1"], "b"), flox.VerdictDropped)
	d.wantLateEnd(d.wantJoin("0.0.j", "failed"), flox.Counts{Created: 4, Committed: 2, Failed: 1, Dropped: 1, Outputs: 1, Version: 2})
}

// closeUndoing closes in a run that undoes: no join fires.
func closeUndoing(d *driver) {
	items := d.beginUndoBeside(3)
	d.settle()
	d.commit(closing(items["0.0.1"], "b", 0), flox.VerdictReleased)
	d.wantHealth(items["0.0.2"], flox.HealthFailed)
	d.commit(undone(deposit(items["0.0.2"], "c")), flox.VerdictReleased)
	d.undo(2, "0.0.2.0")
	d.undo(1, "0.0")
	d.wantUndone("boom", flox.Counts{Created: 6, Committed: 5, Dropped: 1, Version: 5})
}
