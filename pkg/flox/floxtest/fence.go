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

// wantRepeats repeats an applied commit and checks that nothing changes.
func (d *driver) wantRepeats(op opCase, c flox.Commit, first flox.CommitResult, times int) {
	d.t.Helper()
	d.unchanged("a repeated "+op.name, func() {
		for range times {
			result, err := d.s.Commit(d.ctx, c)
			d.must(err)
			d.wantRepeatResult(op, result, first)
		}
	})
}

func (d *driver) wantRepeatResult(op opCase, result, first flox.CommitResult) {
	d.t.Helper()
	if op.want == flox.VerdictKept {
		first.Again, first.Note = true, result.Note
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
		d.wantRepeats(op, c, first, times-1)
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
