package floxtest

import (
	"errors"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

var restartRefusedChecks = []check{
	{"Status", restartStatus},
	{"NotKept", restartNotKept},
	{"Branches", restartInBranches},
	{"NotAlone", restartNotAlone},
	{"OnlyInFrame", restartOnlyInFrame},
	{"Undone", restartUndone},
	{"NotFound", restartNotFound},
	{"Repeat", restartRepeat},
	{"UnderWay", restartUnderWay},
	{"Invalid", restartInvalid},
	{"InvalidMeanwhile", restartInvalidMeanwhile},
}

// wantRefusedFrom checks that a retry from a node is refused and changes nothing.
func (d *driver) wantRefusedFrom(node string) *flox.RefusedError {
	d.t.Helper()
	var refusal *flox.RefusedError
	d.unchanged("a refused retry from "+node, func() {
		_, err := d.s.Control(d.ctx, flox.ControlRequest{Run: d.run, Op: flox.ControlRetry, Nonce: newOwner(), From: node})
		var ok bool
		if refusal, ok = errors.AsType[*flox.RefusedError](err); !ok || !errors.Is(err, flox.ErrRefused) {
			d.t.Fatalf("retry from %s = %v, want a *flox.RefusedError", node, err)
		}
		if refusal.Run != d.run || refusal.Op != flox.ControlRetry {
			d.t.Fatalf("retry from %s = %+v, want it of retry and run %s", node, refusal, d.run)
		}
	})
	return refusal
}

// restartStatus asks in every status but failed.
func restartStatus(d *driver) {
	stands := []struct {
		status  flox.Status
		prepare func(d *driver)
	}{
		{flox.StatusRunning, func(*driver) {}},
		{flox.StatusPaused, func(d *driver) { d.control(flox.ControlPause) }},
		{flox.StatusCompleted, func(d *driver) { d.commit(end(d.take(), "out"), flox.VerdictReleased) }},
		{flox.StatusCancelled, func(d *driver) { d.control(flox.ControlCancel); d.settle() }},
	}
	for _, s := range stands {
		scene := d.scene(string(s.status))
		scene.commit(visiting(scene.begin(), "second"), flox.VerdictReleased)
		s.prepare(scene)
		if refusal := scene.wantRefusedFrom("first"); refusal.Status != s.status || refusal.Reason != "" {
			d.t.Errorf("retry of a run that is %s = %+v, want that status and no reason", s.status, refusal)
		}
	}
}

func restartNotKept(d *driver) {
	d.commit(fail(d.walk("second"), "boom"), flox.VerdictReleased)
	d.wantNotFrom("nowhere", "node nowhere")
	d.wantNotFrom("firs", "node firs")
	d.retryFrom("first")
}

// restartInBranches asks for nodes of branches, of a join, and of what is nested.
func restartInBranches(d *driver) {
	l := d.walk("split")
	d.commit(scoped(l, 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(deposit(items["0"], "a"), flox.VerdictReleased)
	l = d.follow(items["0.1.1"], "inside")
	d.commit(deposit(l, "b"), flox.VerdictReleased)
	l = d.follow(d.wantJoin("0.1.j", "a", "b"), "after", "last")
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	for _, node := range []string{"branch", "inside", "join"} {
		d.wantNotFrom(node, "fan-out")
	}
	d.retryFrom("after")
	d.commit(fail(d.wantRestarted("r1.0", "after", "after after 0.1.j.0"), "boom"), flox.VerdictReleased)
	d.retryFrom("split")
	l = d.wantRestarted("r2.0", "split", "split after 0.0")
	// What is done again has other frames.
	d.commit(fanJoin(l, 2), flox.VerdictReleased)
	items = d.takeAll(2)
	d.commit(deposit(items["r2"], "c"), flox.VerdictReleased)
	d.commit(deposit(items["r2.0.1"], "d"), flox.VerdictReleased)
	d.commit(end(d.wantJoin("r2.0.j", "c", "d"), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

// restartNotAlone asks for nodes that were left while others were out.
func restartNotAlone(d *driver) {
	d.commit(fan(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(next(items["0"], "second"), flox.VerdictReleased)
	d.commit(end(items["0.0.1"], "out"), flox.VerdictReleased)
	d.commit(fail(d.follow(d.take(), "third"), "boom"), flox.VerdictReleased)
	d.wantNotFrom("branch", "fan-out")
	d.retryFrom("second")
}

// restartOnlyInFrame asks for the node of a branch that is the run's only token.
func restartOnlyInFrame(d *driver) {
	d.commit(fanJoin(d.begin(), 1), flox.VerdictReleased)
	d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	d.wantNotFrom("branch", "fan-out")
	d.retryFrom("first")
}

func restartUndone(d *driver) {
	c := undone(visiting(d.begin(), "second"))
	d.commit(c, flox.VerdictReleased)
	d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	d.settle()
	if refusal := d.wantRefusedFrom("first"); refusal.Status != flox.StatusUndoing {
		d.t.Errorf("retry of a run that undoes = %+v, want status undoing", refusal)
	}
	d.commit(fail(d.take(), "stuck"), flox.VerdictReleased)
	d.wantStatus(flox.StatusFailed)
	d.wantNotFrom("first", "undone")
	d.wantNotFrom("nowhere", "undone")
	d.control(flox.ControlRetry)
	d.settle()
	d.commit(endSilently(d.take()), flox.VerdictReleased)
	d.wantStatus(flox.StatusFailed)
	d.wantNotFrom("first", "undone")
	d.wantNotFrom("", "undone")
}

func restartNotFound(d *driver) {
	_, err := d.s.Control(d.ctx, flox.ControlRequest{Run: "nobody", Op: flox.ControlRetry, Nonce: "n", From: "first"})
	if !errors.Is(err, flox.ErrNotFound) {
		d.t.Errorf("retry of an unknown run = %v, want flox.ErrNotFound", err)
	}
}

// restartRepeat repeats the request before and after it is settled.
func restartRepeat(d *driver) {
	d.commit(fail(d.walk("second", "third"), "boom"), flox.VerdictReleased)
	req := flox.ControlRequest{Run: d.run, Op: flox.ControlRetry, Nonce: "once", From: "second"}
	repeat := func() {
		if _, err := d.s.Control(d.ctx, req); err != nil {
			d.t.Errorf("a repeated retry = %v, want nil", err)
		}
	}
	repeat()
	d.unchanged("a repeat before Settle", repeat)
	d.settle()
	d.unchanged("a repeat after Settle", repeat)
	l := d.wantRestarted("r1.0", "second", "second after 0.0")
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	d.unchanged("a repeat after it failed again", func() { repeat(); d.settle() })
	d.wantStatus(flox.StatusFailed)
}

// restartUnderWay asks for other things before the tokens are dropped.
func restartUnderWay(d *driver) {
	d.commit(fail(d.walk("second", "third"), "boom"), flox.VerdictReleased)
	status, err := d.s.Control(d.ctx, flox.ControlRequest{Run: d.run, Op: flox.ControlRetry, Nonce: "n", From: "second"})
	if err != nil || status != flox.StatusFailed {
		d.t.Fatalf("retry from second = %q, %v, want failed until it is settled", status, err)
	}
	for _, op := range []flox.ControlOp{flox.ControlPause, flox.ControlResume, flox.ControlCancel} {
		d.wantRefusal(op, flox.StatusFailed)
	}
	for _, from := range []string{"", "first", "second", "third"} {
		d.unchanged("another retry", func() {
			_, err := d.s.Control(d.ctx, flox.ControlRequest{Run: d.run, Op: flox.ControlRetry, Nonce: newOwner(), From: from})
			if refusal, ok := errors.AsType[*flox.RefusedError](err); !ok || !strings.Contains(refusal.Reason, "under way") {
				d.t.Errorf("another retry from %q = %v, want it refused: one is under way", from, err)
			}
		})
	}
	d.unchanged("a compaction", func() {
		if d.compact(0, 2, "snapshot") {
			d.t.Error("a log that is about to be cut back was compacted")
		}
	})
	d.settle()
	d.wantRestarted("r1.0", "second", "second after 0.0")
}

// restartInvalid asks for it when a key that it needs has a wrong type.
func restartInvalid(d *driver) {
	for _, kind := range []string{"run", "state"} {
		scene := d.scene(kind)
		scene.commit(fail(scene.walk("second", "third"), "boom"), flox.VerdictReleased)
		if d.b.BreakKey == nil || !d.b.BreakKey(d.t, scene.run, kind) {
			return
		}
		scene.unchanged("a retry with a broken "+kind+" key", func() {
			_, err := d.s.Control(d.ctx, flox.ControlRequest{
				Run: scene.run, Op: flox.ControlRetry, Nonce: newOwner(), From: "second",
			})
			if !errors.Is(err, flox.ErrInvalid) {
				d.t.Errorf("retry with a broken %s key = %v, want flox.ErrInvalid", kind, err)
			}
		})
	}
}

// restartInvalidMeanwhile breaks the state between the retry and its end: the run
// stays failed, and can be deleted.
func restartInvalidMeanwhile(d *driver) {
	d.commit(fail(d.walk("second", "third"), "boom"), flox.VerdictReleased)
	_, err := d.s.Control(d.ctx, flox.ControlRequest{Run: d.run, Op: flox.ControlRetry, Nonce: "n", From: "second"})
	d.must(err)
	if d.b.BreakKey == nil || !d.b.BreakKey(d.t, d.run, "state") {
		return
	}
	for range 2 {
		if _, err := d.s.Settle(d.ctx, d.run); !errors.Is(err, flox.ErrInvalid) {
			d.t.Fatalf("Settle with a broken state key = %v, want flox.ErrInvalid", err)
		}
		d.wantStatus(flox.StatusFailed)
	}
	if n, err := d.s.Delete(d.ctx, d.run); n != 1 || err != nil {
		d.t.Errorf("Delete = %d, %v, want it deleted", n, err)
	}
}
