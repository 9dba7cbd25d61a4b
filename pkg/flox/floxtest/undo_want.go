package floxtest

import "github.com/floxrun/flox/pkg/flox"

// What the checks of undoing do and check.

// undone lets a commit be undone at a node named after the item.
func undone(c flox.Commit) flox.Commit {
	c.Undo = &flox.Undo{Node: "undo-" + c.Item(), Queue: c.Queue, Input: []byte("what " + c.Item() + " did")}
	if c.Queue == "" {
		c.Undo.Queue = c.Lease.Queue
	}
	return c
}

// prepareFailUndo is a failure after one step that can be undone.
func prepareFailUndo(d *driver) flox.Commit { return prepareUndo(d, 1) }

// prepareUndo is a failure after n steps that can be undone.
func prepareUndo(d *driver, n int) flox.Commit {
	l := d.begin()
	for range n {
		c := undone(keep(l, "again"))
		d.commit(c, flox.VerdictKept)
		l = kept(l, c)
	}
	return fail(l, "boom")
}

// beginUndo fails a run that did n steps which can be undone, and settles it.
func (d *driver) beginUndo(n int) {
	d.t.Helper()
	if result := d.commit(prepareUndo(d, n), flox.VerdictReleased); !result.Settle {
		d.t.Errorf("Commit = %+v, want it to ask for Settle", result)
	}
	d.settle()
}

// takeUndo takes the nth undo, which must be that of an item.
func (d *driver) takeUndo(n int64, item string) flox.Loaded {
	d.t.Helper()
	l := d.takeItem(flox.ItemID(flox.UndoToken(n), 0), "undo-"+item)
	if input := string(l.Item.Input.Payload); input != "what "+item+" did" || l.Item.Input.Joined || l.Item.Scope != "" {
		d.t.Fatalf("undo %d got %q, want what %s did", n, input, item)
	}
	d.idle(d.queue)
	return l
}

// undo takes the nth undo, that of an item, and does it.
func (d *driver) undo(n int64, item string) {
	d.t.Helper()
	result := d.commit(endSilently(d.takeUndo(n, item)), flox.VerdictReleased)
	if result.Settle {
		d.t.Errorf("undo %d asks for Settle, want it to leave nothing", n)
	}
}

// wantFailure checks the error record of a failed run.
func (d *driver) wantFailure(class, message string) {
	d.t.Helper()
	info := d.info()
	f := info.Failure
	if f == nil || f.Class != class || f.Message != message || !f.Final || f.Time.Before(info.Created) {
		d.t.Fatalf("Info(%q).Failure = %+v, want %s: %s", d.run, f, class, message)
	}
}

// wantCause checks what an undo is told of the failure.
func (d *driver) wantCause(l flox.Loaded, class, message string) {
	d.t.Helper()
	var cause flox.ErrorRecord
	d.must(flox.DecodeRecord(l.Item.Input.Cause, &cause))
	if cause.Class != class || cause.Message != message {
		d.t.Fatalf("cause of %s = %+v, want %s: %s", l.Lease.Item(), cause, class, message)
	}
}

// wantUndone checks the end of a run that was undone.
func (d *driver) wantUndone(cause string, want flox.Counts) {
	d.t.Helper()
	info := d.wantStatus(flox.StatusFailed)
	if info.Cause != cause || info.Ended.IsZero() {
		d.t.Fatalf("Info = %+v, want cause %q and an end", info, cause)
	}
	d.wantCounts(want)
	d.idle(d.queue)
	d.wantRefusal(flox.ControlRetry, flox.StatusFailed)
	d.wantQuiet()
}

// wantQuiet checks that janitors find nothing to do.
func (d *driver) wantQuiet() {
	d.t.Helper()
	for range 10 {
		if !d.settleSome("") {
			break
		}
	}
	d.unchanged("Settle of nothing", func() {
		if d.settleSome("") {
			d.t.Fatal("Settle leaves something, want nothing left")
		}
	})
}
