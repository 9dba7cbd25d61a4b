package floxtest

import "github.com/floxrun/flox/pkg/flox"

// What happens to the run or the token while it waits, and after its answer.
var awaitStaysChecks = []check{
	{"Paused", awaitPaused},
	{"TimeoutPaused", awaitTimeoutPaused},
	{"Failed", awaitFailed},
	{"Cancelled", awaitCancelled},
	{"Answer", awaitAnswerStays},
	{"TimedOut", awaitTimedOutStays},
	{"RebuildLost", awaitRebuildLost},
}

// awaitPaused waits in a paused run, and on after it was resumed.
func awaitPaused(d *driver) {
	l := d.begin()
	d.control(flox.ControlPause)
	d.commit(await(l, "go"), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: 2, Committed: 1, Live: 1, Version: 1})
	d.control(flox.ControlResume)
	d.settle()
	d.idle(d.queue)
	d.wantWaiting(flox.RootToken, "go", false)
	d.signal("go", "yes")
	d.wantAnswer("0.1", "yes")
}

func awaitTimeoutPaused(d *driver) {
	d.commit(after(soon, await(d.begin(), "go")), flox.VerdictReleased)
	d.control(flox.ControlPause)
	d.b.Advance(soon + soon/4)
	d.promote(1)
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 2, Committed: 1, Live: 1, Parked: 1, Version: 1})
	d.control(flox.ControlResume)
	d.settle()
	d.wantTimedOut("0.1")
}

// awaitFailed waits on while the run fails and is retried.
func awaitFailed(d *driver) {
	d.commit(fan(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(await(items["0"], "go"), flox.VerdictReleased)
	d.commit(fail(items["0.0.1"], "boom"), flox.VerdictReleased)
	d.wantNoSignal("go", false, flox.StatusFailed)
	d.wantWaiting(flox.RootToken, "go", false)
	d.control(flox.ControlRetry)
	d.settle()
	d.takeItem("0.0.1.0", "branch")
	d.idle(d.queue)
	d.signal("go", "yes")
	d.wantAnswer("0.2", "yes")
}

func awaitCancelled(d *driver) {
	d.commit(fan(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(await(items["0"], "go"), flox.VerdictReleased)
	d.commit(after(soon, await(items["0.0.1"], "go")), flox.VerdictReleased)
	d.control(flox.ControlCancel)
	d.settle()
	d.wantNoTimer()
	d.wantCounts(flox.Counts{Created: 5, Committed: 3, Dropped: 2, Version: 3})
	if tokens := d.tokens(); len(tokens) > 0 {
		d.t.Errorf("Checkpoint = %v, want no token", tokens)
	}
}

// awaitAnswerStays does all that is no commit of the answered item: it keeps
// the answer.
func awaitAnswerStays(d *driver) {
	d.commit(await(d.begin(), "go"), flox.VerdictReleased)
	d.signal("go", "yes")
	d.handback(d.wantAnswer("0.1", "yes"), false, flox.VerdictReleased)
	d.commit(retry(d.wantAnswer("0.1", "yes")), flox.VerdictReleased)
	d.promote(1)
	d.wantAnswer("0.1", "yes")
	d.expire()
	l := d.wantGrant(d.reclaim("w1")[0], flox.GrantOK)
	d.wantAnswered(l, "yes")
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	if token := d.tokens()[flox.RootToken]; !token.Failed {
		d.t.Errorf("Checkpoint = %+v, want it failed", token)
	}
	d.control(flox.ControlRetry)
	d.settle()
	if d.tokens()[flox.RootToken].Failed {
		d.t.Error("after a retry of the run the token still counts as failed")
	}
	l = d.wantAnswer("0.1", "yes")
	d.commit(fallback(l, "plan-b"), flox.VerdictReleased)
	if l = d.takeItem("0.2", "plan-b"); l.Item.Input.Answer != nil {
		d.t.Errorf("after the answer: input %+v, want none", l.Item.Input)
	}
}

func awaitTimedOutStays(d *driver) {
	d.commit(after(1, await(d.begin(), "go")), flox.VerdictReleased)
	d.promote(1)
	d.commit(fail(d.wantTimedOut("0.1"), "boom"), flox.VerdictReleased)
	d.control(flox.ControlRetry)
	d.settle()
	d.commit(retry(d.wantTimedOut("0.1")), flox.VerdictReleased)
	d.promote(1)
	d.wantTimedOut("0.1")
}

// awaitRebuildLost loses the timers: those of the waiting come back too.
func awaitRebuildLost(d *driver) {
	d.commit(fan(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(await(items["0"], "go"), flox.VerdictReleased)
	d.commit(after(soon, await(items["0.0.1"], "go")), flox.VerdictReleased)
	d.unchanged("Rebuild of a healthy run", func() { d.rebuild(d.run, 0) })
	if d.b.LoseQueues == nil || !d.b.LoseQueues(d.t) {
		return
	}
	d.rebuild(d.run, 1)
	d.rebuild(d.run, 0)
	d.b.Advance(soon + soon/4)
	d.promote(1)
	d.wantTimedOut("0.0.1.1")
	d.signal("go", "yes")
	d.wantAnswer("0.2", "yes")
}
