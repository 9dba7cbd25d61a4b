package floxtest

import (
	"fmt"
	"slices"
	"sync"

	"github.com/floxrun/flox/pkg/flox"
)

var fenceChecks = []check{
	{"Repeat1", func(d *driver) { repeated(d, 1) }},
	{"Repeat2", func(d *driver) { repeated(d, 2) }},
	{"Repeat16", func(d *driver) { repeated(d, 16) }},
	{"RepeatTogether", repeatedTogether},
	{"WrongOwner", wrongOwner},
	{"WrongStep", wrongStep},
	{"UnknownRun", unknownRun},
	{"Cancelled", commitCancelled},
	{"Reclaimed", commitReclaimed},
	{"TakenOver", commitTakenOver},
	{"RepeatAfterPause", repeatAfterPause},
	{"RepeatAfterNextStep", repeatAfterNextStep},
}

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

// wantRefused commits and checks that nothing changes.
func (d *driver) wantRefused(op opCase, c flox.Commit, want flox.Verdict) {
	d.t.Helper()
	d.unchanged("a refused "+op.name, func() {
		result, err := d.s.Commit(d.ctx, c)
		d.must(err)
		if result.Verdict != want {
			d.t.Errorf("Commit(%s) = verdict %d, want %d", op.name, result.Verdict, want)
		}
	})
	d.ledger()
}

// wantRepeat repeats an applied commit and checks that nothing changes.
func (d *driver) wantRepeat(op opCase, c flox.Commit, first flox.CommitResult) {
	d.t.Helper()
	d.unchanged("a repeated "+op.name, func() {
		result, err := d.s.Commit(d.ctx, c)
		d.must(err)
		d.wantRepeatResult(op, result, first)
	})
}

func (d *driver) wantRepeatResult(op opCase, result, first flox.CommitResult) {
	d.t.Helper()
	if op.want == flox.VerdictKept {
		first.Again = true
		if result != first {
			d.t.Errorf("a repeated %s = %+v, want %+v", op.name, result, first)
		}
		return
	}
	// A token that is ready again has no holder: that answers Lost.
	if !slices.Contains([]flox.Verdict{flox.VerdictRepeat, flox.VerdictLost}, result.Verdict) {
		d.t.Errorf("a repeated %s = verdict %d, want repeat or lost", op.name, result.Verdict)
	}
}

func repeated(d *driver, times int) {
	eachOp(d, func(d *driver, op opCase, c flox.Commit) {
		first := d.commit(c, op.want)
		for range times - 1 {
			d.wantRepeat(op, c, first)
		}
		d.ledger()
	})
}

// repeatedTogether sends the same commit from eight callers at once.
func repeatedTogether(d *driver) {
	const callers = 8
	eachOp(d, func(d *driver, op opCase, c flox.Commit) {
		results := make([]flox.CommitResult, callers)
		errs := make([]error, callers)
		var wg sync.WaitGroup
		for i := range callers {
			wg.Go(func() { results[i], errs[i] = d.s.Commit(d.ctx, c) })
		}
		wg.Wait()
		applied := 0
		for i, result := range results {
			d.must(errs[i])
			if result.Verdict == op.want && !result.Again {
				applied++
			} else {
				d.wantRepeatResult(op, result, results[0])
			}
		}
		if applied != 1 {
			d.t.Errorf("%d of %d equal commits of %s were applied, want 1: %+v", applied, callers, op.name, results)
		}
		d.ledger()
	})
}

func wrongOwner(d *driver) {
	eachOp(d, func(d *driver, op opCase, c flox.Commit) {
		for _, owner := range []string{"thief", ""} {
			stolen := c
			stolen.Owner = owner
			d.wantRefused(op, stolen, flox.VerdictLost)
		}
		d.commit(c, op.want)
	})
}

func wrongStep(d *driver) {
	eachOp(d, func(d *driver, op opCase, c flox.Commit) {
		ahead := c
		ahead.Step += 2
		d.wantRefused(op, ahead, flox.VerdictRepeat)
		d.commit(c, op.want)
	})
}

func unknownRun(d *driver) {
	eachOp(d, func(d *driver, op opCase, c flox.Commit) {
		c.Run = "nobody"
		d.wantRefused(op, c, flox.VerdictGone)
	})
	if _, err := d.s.Info(d.ctx, "nobody"); err == nil {
		d.t.Error("a commit made a run")
	}
}

func commitCancelled(d *driver) {
	eachOp(d, func(d *driver, op opCase, c flox.Commit) {
		d.control(flox.ControlCancel)
		d.wantRefused(op, c, flox.VerdictCancelled)
		d.settle()
		d.wantRefused(op, c, flox.VerdictCancelled)
		info := d.wantStatus(flox.StatusCancelled)
		if info.Counts.Live != 0 {
			d.t.Errorf("%s: %d tokens live after cancel, want none", op.name, info.Counts.Live)
		}
	})
}

// commitReclaimed commits after the lease was reclaimed, before it is granted anew.
func commitReclaimed(d *driver) {
	eachExpired(d, func(d *driver, op opCase, c flox.Commit, _ flox.Entry) {
		d.wantRefused(op, c, flox.VerdictLost)
	})
}

// commitTakenOver commits after another worker was granted the item, and again
// after it committed the item: it is a zombie.
func commitTakenOver(d *driver) {
	eachExpired(d, func(d *driver, op opCase, c flox.Commit, e flox.Entry) {
		l := d.wantGrant(e, flox.GrantOK)
		d.wantRefused(op, c, flox.VerdictLost)
		successor := c
		successor.Lease = l.Lease
		d.commit(successor, op.want)
		d.unchanged("a zombie's "+op.name, func() {
			result, err := d.s.Commit(d.ctx, c)
			d.must(err)
			if !slices.Contains([]flox.Verdict{flox.VerdictRepeat, flox.VerdictLost}, result.Verdict) {
				d.t.Errorf("a zombie's %s = verdict %d, want repeat or lost", op.name, result.Verdict)
			}
		})
	})
}

// eachExpired is eachOp after all leases ran out and were reclaimed.
func eachExpired(d *driver, f func(d *driver, op opCase, c flox.Commit, e flox.Entry)) {
	expired := false
	eachOp(d, func(d *driver, op opCase, c flox.Commit) {
		if !expired {
			d.expire()
			expired = true
		}
		entries := d.reclaim("w1")
		i := slices.IndexFunc(entries, func(e flox.Entry) bool { return e.Token == c.Token })
		if i < 0 {
			d.t.Fatalf("Reclaim = %+v, want token %s of %s", entries, c.Token, op.name)
		}
		f(d, op, c, entries[i])
	})
}

// repeatAfterPause repeats a kept commit when the run was paused meanwhile: to
// say that the lease is kept would start a step of a paused run.
func repeatAfterPause(d *driver) {
	for i, op := range []flox.ControlOp{flox.ControlPause, flox.ControlCancel} {
		d := d.scene(fmt.Sprintf("run%d", i))
		l := d.begin()
		c := keep(l, "second")
		d.commit(c, flox.VerdictKept)
		d.control(op)
		if op == flox.ControlCancel {
			d.commit(c, flox.VerdictCancelled)
			continue
		}
		d.commit(c, flox.VerdictParked)
		d.idle(d.queue)
		d.unchanged("a repeat of a parked commit", func() { d.commit(c, flox.VerdictRepeat) })
		d.wantHealth(l, flox.HealthLost)
		d.control(flox.ControlResume)
		d.settle()
		if l = d.take(); l.Lease.Step != 1 || l.Item.Node != "second" {
			d.t.Errorf("took %s at %q, want 0.1 at second", l.Lease.Item(), l.Item.Node)
		}
	}
}

func repeatAfterNextStep(d *driver) {
	l := d.begin()
	first := keep(l, "second")
	d.commit(first, flox.VerdictKept)
	second := keep(kept(l, first), "third")
	d.commit(second, flox.VerdictKept)
	d.unchanged("a late repeat", func() { d.commit(first, flox.VerdictRepeat) })
	d.commit(end(kept(kept(l, first), second), "out"), flox.VerdictReleased)
	d.unchanged("a late repeat", func() {
		d.commit(first, flox.VerdictRepeat)
		d.commit(second, flox.VerdictRepeat)
	})
}
