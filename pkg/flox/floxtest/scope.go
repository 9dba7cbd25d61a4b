package floxtest

import "github.com/floxrun/flox/pkg/flox"

var scopeChecks = []check{
	{"Frame", scopeFrame},
	{"Inner", scopeInner},
	{"PlainFrames", scopePlainFrames},
	{"FanWithoutFrame", scopeInnerFan},
	{"Large", scopeLarge},
	{"None", scopeNone},
	{"Stays", scopeStays},
}

// scoped is a fan-out whose branches stand in a scope of their own.
func scoped(l flox.Loaded, n int) flox.Commit {
	c := fanJoin(l, n)
	c.Fan.Frame.Scope = true
	return c
}

// wantScope checks an item's scope, and the frame whose join it is.
func (d *driver) wantScope(l flox.Loaded, scope, joins string) {
	d.t.Helper()
	if l.Item.Scope != scope || l.Item.Joins != joins {
		d.t.Fatalf("item %s has scope %q, joins %q, want %q, %q", l.Lease.Item(), l.Item.Scope, l.Item.Joins, scope, joins)
	}
}

func scopeFrame(d *driver) {
	l := d.begin()
	d.wantScope(l, "", "")
	d.commit(scoped(l, 3), flox.VerdictReleased)
	for _, l := range d.takeAll(3) {
		d.wantScope(l, "0.0", "")
		d.commit(next(l, "second"), flox.VerdictReleased)
	}
	for _, l := range d.takeAll(3) {
		d.wantScope(l, "0.0", "")
		d.commit(deposit(l, l.Lease.Token), flox.VerdictReleased)
	}
	l = d.wantJoin("0.0.j", "0", "0.0.1", "0.0.2")
	d.wantScope(l, "", "0.0")
	d.commit(next(l, "after"), flox.VerdictReleased)
	d.wantScope(d.take(), "", "")
}

// scopeInner nests a scope, then a frame without one, in a scope.
func scopeInner(d *driver) {
	d.commit(scoped(d.begin(), 1), flox.VerdictReleased)
	d.commit(scoped(d.take(), 1), flox.VerdictReleased)
	l := d.take()
	d.wantScope(l, "0.1", "")
	d.commit(fanJoin(l, 2), flox.VerdictReleased)
	for _, l := range d.takeAll(2) {
		d.wantScope(l, "0.1", "")
		d.commit(deposit(l, l.Lease.Token), flox.VerdictReleased)
	}
	l = d.wantJoin("0.2.j", "0", "0.2.1")
	d.wantScope(l, "0.1", "0.2")
	d.commit(deposit(l, "y"), flox.VerdictReleased)
	l = d.wantJoin("0.1.j", "y")
	d.wantScope(l, "0.0", "0.1")
	d.commit(deposit(l, "z"), flox.VerdictReleased)
	d.wantScope(d.wantJoin("0.0.j", "z"), "", "0.0")
}

// scopePlainFrames nests frames without a scope of their own in a scope.
func scopePlainFrames(d *driver) {
	d.commit(scoped(d.begin(), 1), flox.VerdictReleased)
	d.commit(fanJoin(d.take(), 1), flox.VerdictReleased)
	d.commit(fanJoin(d.take(), 1), flox.VerdictReleased)
	d.commit(deposit(d.take(), "x"), flox.VerdictReleased)
	l := d.wantJoin("0.2.j", "x")
	d.wantScope(l, "0.0", "0.2")
	d.commit(deposit(l, "y"), flox.VerdictReleased)
	d.wantScope(d.wantJoin("0.1.j", "y"), "0.0", "0.1")
}

func scopeInnerFan(d *driver) {
	d.commit(scoped(d.begin(), 1), flox.VerdictReleased)
	d.commit(fan(d.take(), 3), flox.VerdictReleased)
	for _, l := range d.takeAll(3) {
		d.wantScope(l, "0.0", "")
	}
}

func scopeLarge(d *driver) {
	c := scoped(d.begin(), small+1)
	c.Fan.Frame.Quorum = 1
	d.commit(c, flox.VerdictReleased)
	l := d.take()
	d.wantScope(l, "0.0", "")
	d.commit(release(l), flox.VerdictReleased)
	branches := d.takeAll(small + 1)
	for _, l := range branches {
		d.wantScope(l, "0.0", "")
	}
	d.closes(deposit(branches["0.0.7"], "x"))
	d.wantScope(d.wantJoin("0.0.j", "x"), "", "0.0")
}

// scopeNone fans out to nothing: the join stands outside.
func scopeNone(d *driver) {
	d.commit(scoped(d.begin(), 0), flox.VerdictReleased)
	l := d.wantJoin("0.0.j")
	d.wantScope(l, "", "0.0")
	d.commit(scoped(l, 1), flox.VerdictReleased)
	l = d.take()
	d.wantScope(l, "0.0.j.0", "")
	d.commit(scoped(l, 0), flox.VerdictReleased)
	d.wantScope(d.wantJoin("0.0.j.1.j"), "0.0.j.0", "0.0.j.1")
}

// scopeStays does all that is no commit of a join's item: it stays what it is.
func scopeStays(d *driver) {
	d.commit(scoped(d.begin(), 1), flox.VerdictReleased)
	d.commit(fanJoin(d.take(), 1), flox.VerdictReleased)
	d.commit(deposit(d.take(), "x"), flox.VerdictReleased)
	d.handback(d.wantJoin("0.1.j", "x"), false, flox.VerdictReleased)
	d.commit(retry(d.wantJoin("0.1.j", "x")), flox.VerdictReleased)
	d.promote(1)
	d.commit(fail(d.wantJoin("0.1.j", "x"), "boom"), flox.VerdictReleased)
	d.control(flox.ControlRetry)
	d.settle()
	l := d.wantJoin("0.1.j", "x")
	d.wantScope(l, "0.0", "0.1")
	d.commit(await(l, "go"), flox.VerdictReleased)
	d.signal("go", "yes")
	l = d.wantAnswer("0.1.j.1", "yes")
	d.wantScope(l, "0.0", "")
}
