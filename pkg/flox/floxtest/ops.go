package floxtest

import "github.com/floxrun/flox/pkg/flox"

// opCase is one way to commit: it starts the driver's run, brings it to where
// an item can be committed that way, and returns that commit.
type opCase struct {
	name    string
	prepare func(d *driver) flox.Commit
	want    flox.Verdict
}

var opCases = []opCase{
	{"next", func(d *driver) flox.Commit { return next(d.begin(), "second") }, flox.VerdictReleased},
	{"next-kept", func(d *driver) flox.Commit { return keep(d.begin(), "second") }, flox.VerdictKept},
	{"next-other-queue", prepareOtherQueue, flox.VerdictReleased},
	{"fallback", func(d *driver) flox.Commit { return fallback(d.begin(), "second") }, flox.VerdictReleased},
	{"end", func(d *driver) flox.Commit { return end(d.begin(), "out") }, flox.VerdictReleased},
	{"end-silently", func(d *driver) flox.Commit { return endSilently(d.begin()) }, flox.VerdictReleased},
	{"end-in-frame", prepareEndInFrame, flox.VerdictReleased},
	{"deposit", func(d *driver) flox.Commit { return prepareDeposit(d, 2) }, flox.VerdictReleased},
	{"deposit-last", func(d *driver) flox.Commit { return prepareDeposit(d, 1) }, flox.VerdictReleased},
	{"join", prepareJoin, flox.VerdictReleased},
	{"fan", func(d *driver) flox.Commit { return fan(d.begin(), 3) }, flox.VerdictReleased},
	{"fan-kept", prepareFanKept, flox.VerdictKept},
	{"fan-join", func(d *driver) flox.Commit { return fanJoin(d.begin(), 3) }, flox.VerdictReleased},
	{"fan-none", func(d *driver) flox.Commit { return fan(d.begin(), 0) }, flox.VerdictReleased},
	{"fan-join-none", func(d *driver) flox.Commit { return fanJoin(d.begin(), 0) }, flox.VerdictReleased},
	{"fan-large", func(d *driver) flox.Commit { return fanJoin(d.begin(), small+1) }, flox.VerdictReleased},
	{"release", prepareRelease, flox.VerdictReleased},
	{"retry", prepareRetry, flox.VerdictReleased},
	{"fail", func(d *driver) flox.Commit { return fail(d.begin(), "boom") }, flox.VerdictReleased},
	{"hold", func(d *driver) flox.Commit { return hold(d.begin(), 0) }, flox.VerdictReleased},
	{"hold-in-frame", prepareHoldInFrame, flox.VerdictReleased},
	{"next-later", func(d *driver) flox.Commit { return after(never, keep(d.begin(), "second")) }, flox.VerdictReleased},
	{"fan-later", func(d *driver) flox.Commit { return after(never, fanJoin(d.begin(), 3)) }, flox.VerdictReleased},
	{"await", func(d *driver) flox.Commit { return await(d.begin(), "go") }, flox.VerdictReleased},
	{"await-timeout", func(d *driver) flox.Commit { return after(never, await(d.begin(), "go")) }, flox.VerdictReleased},
	{"await-kept-signal", prepareAwaitKept, flox.VerdictReleased},
	{"await-kept-lease", prepareAwaitKeptLease, flox.VerdictKept},
	{"answered", prepareAnswered, flox.VerdictReleased},
	{"next-undo", func(d *driver) flox.Commit { return undone(keep(d.begin(), "second")) }, flox.VerdictKept},
	{"fan-undo", func(d *driver) flox.Commit { return undone(fan(d.begin(), 3)) }, flox.VerdictReleased},
	{"end-undo", prepareEndUndo, flox.VerdictReleased},
	{"deposit-undo", func(d *driver) flox.Commit { return undone(prepareDeposit(d, 2)) }, flox.VerdictReleased},
	{"fail-undo", prepareFailUndo, flox.VerdictReleased},
	{"undo-end", func(d *driver) flox.Commit { d.beginUndo(2); return endSilently(d.take()) }, flox.VerdictReleased},
	{"undo-last", func(d *driver) flox.Commit { d.beginUndo(1); return endSilently(d.take()) }, flox.VerdictReleased},
	{"undo-kept", func(d *driver) flox.Commit { d.beginUndo(1); return keep(d.take(), "more") }, flox.VerdictKept},
	{"undo-fail", func(d *driver) flox.Commit { d.beginUndo(1); return fail(d.take(), "stuck") }, flox.VerdictReleased},
	{"while-undoing", prepareWhileUndoing, flox.VerdictParked},
	{"deposit-quorum", func(d *driver) flox.Commit { return prepareQuorum(d, 3) }, flox.VerdictReleased},
	{"deposit-quorum-last", func(d *driver) flox.Commit { return prepareQuorum(d, 1) }, flox.VerdictReleased},
	{"close-outer", prepareCloseOuter, flox.VerdictReleased},
	{"scope", func(d *driver) flox.Commit { return scoped(d.begin(), 2) }, flox.VerdictReleased},
}

func prepareHoldInFrame(d *driver) flox.Commit {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	return hold(d.takeAll(2)["0.0.1"], 1)
}

func prepareAwaitKept(d *driver) flox.Commit {
	d.start()
	d.signal("go", "early")
	return await(d.take(), "go")
}

func prepareAwaitKeptLease(d *driver) flox.Commit {
	c := prepareAwaitKept(d)
	c.Keep = true
	return c
}

func prepareAnswered(d *driver) flox.Commit {
	d.commit(prepareAwaitKept(d), flox.VerdictReleased)
	return next(d.take(), "second")
}

// prepareEndUndo ends with no output, so that the run begins to undo.
func prepareEndUndo(d *driver) flox.Commit { return undone(endSilently(d.begin())) }

// prepareWhileUndoing is a commit of what was begun before the run failed.
func prepareWhileUndoing(d *driver) flox.Commit {
	return undone(keep(d.beginUndoBeside(2)["0.0.1"], "second"))
}

func prepareQuorum(d *driver, branches int) flox.Commit {
	d.commit(quorum(d.begin(), branches, 1), flox.VerdictReleased)
	return deposit(d.takeAll(branches)[flox.RootToken], "out")
}

func prepareCloseOuter(d *driver) flox.Commit {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	d.commit(fanJoin(d.takeAll(2)["0.0.1"], 2), flox.VerdictReleased)
	return closing(d.takeAll(2)["0.0.1"], "out", 1)
}

func prepareOtherQueue(d *driver) flox.Commit {
	c := keep(d.begin(), "second")
	c.Queue = d.other
	return c
}

func prepareEndInFrame(d *driver) flox.Commit {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	return endSilently(d.takeAll(2)["0.0.1"])
}

func prepareDeposit(d *driver, branches int) flox.Commit {
	d.commit(fanJoin(d.begin(), branches), flox.VerdictReleased)
	return deposit(d.takeAll(branches)[flox.RootToken], "out")
}

func prepareJoin(d *driver) flox.Commit {
	d.commit(prepareDeposit(d, 1), flox.VerdictReleased)
	return next(d.take(), "after")
}

func prepareFanKept(d *driver) flox.Commit {
	c := fanJoin(d.begin(), 3)
	c.Keep = true
	return c
}

func prepareRelease(d *driver) flox.Commit {
	d.commit(fanJoin(d.begin(), small+1), flox.VerdictReleased)
	return release(d.take())
}

// prepareRetry retries after so long that no test sees the next attempt.
func prepareRetry(d *driver) flox.Commit {
	c := retry(d.begin())
	c.Delay = 1 << 40
	return c
}

// eachOp prepares every kind of commit, each in a run of its own, and calls f
// with all of them.
func eachOp(d *driver, f func(d *driver, op opCase, c flox.Commit)) {
	type prepared struct {
		scene  *driver
		op     opCase
		commit flox.Commit
	}
	var all []prepared
	for _, op := range opCases {
		scene := d.scene(op.name)
		all = append(all, prepared{scene, op, op.prepare(scene)})
	}
	for _, p := range all {
		f(p.scene, p.op, p.commit)
	}
}
