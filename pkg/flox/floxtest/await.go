package floxtest

import "github.com/floxrun/flox/pkg/flox"

var awaitChecks = []check{
	{"Signal", awaitSignal},
	{"KeptSignal", awaitKeptSignal},
	{"KeptLease", awaitKeptLease},
	{"Timeout", awaitTimeout},
	{"SignalBeforeTimeout", awaitSignalBeforeTimeout},
	{"TimeoutLeavesOthers", awaitTimeoutLeavesOthers},
	{"Limits", awaitLimits},
	{"InFrame", awaitInFrame},
}

// wantWaiting checks that a token waits for a signal.
func (d *driver) wantWaiting(token, signal string, timeout bool) {
	d.t.Helper()
	info := d.tokens()[token]
	if info.Place != flox.PlaceWaiting || info.Signal != signal || info.Due.IsZero() == timeout || info.Owner != "" {
		d.t.Fatalf("Checkpoint = %+v, want token %s waiting for %s, timeout %t", info, token, signal, timeout)
	}
}

func awaitSignal(d *driver) {
	l := d.begin()
	d.commit(await(l, "go"), flox.VerdictReleased)
	d.wantWaiting(flox.RootToken, "go", false)
	d.wantHealth(l, flox.HealthLost)
	d.idle(d.queue)
	d.wantNoTimer()
	d.wantStatus(flox.StatusRunning)
	d.wantCounts(flox.Counts{Created: 2, Committed: 1, Live: 1, Version: 1})
	d.signal("go", "yes")
	l = d.wantAnswer("0.1", "yes")
	if l.Item.Node != "first" || l.Lease.Attempt != 0 {
		d.t.Errorf("took %+v at %q, want a first attempt at the same node", l.Lease, l.Item.Node)
	}
	if token := d.tokens()[flox.RootToken]; token.Signal != "" || token.Place != flox.PlaceLeased {
		d.t.Errorf("Checkpoint = %+v, want it leased and not waiting", token)
	}
	d.commit(next(l, "second"), flox.VerdictReleased)
	l = d.takeItem("0.2", "second")
	if l.Item.Input.Answer != nil {
		d.t.Errorf("after the answer: input %+v, want none", l.Item.Input)
	}
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: 3, Committed: 3, Outputs: 1, Version: 3})
}

// awaitKeptSignal awaits what came before: it answers once.
func awaitKeptSignal(d *driver) {
	l := d.begin()
	d.signal("go", "early")
	d.commit(await(l, "go"), flox.VerdictReleased)
	l = d.wantAnswer("0.1", "early")
	d.wantNoTimer()
	d.commit(after(never, await(l, "go")), flox.VerdictReleased)
	d.wantWaiting(flox.RootToken, "go", true)
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 3, Committed: 2, Live: 1, Version: 2})
}

// awaitKeptLease goes on under the lease; who loads again sees the answer.
func awaitKeptLease(d *driver) {
	l := d.begin()
	d.signal("go", "early")
	c := after(never, await(l, "go"))
	c.Keep = true
	result := d.commit(c, flox.VerdictKept)
	if result.Version != 1 || result.Committed != 1 || result.Again {
		d.t.Errorf("Commit = %+v, want version 1, committed 1", result)
	}
	d.wantNoTimer()
	again, err := d.s.Load(d.ctx, l.Lease.Entry, l.Lease.Owner, crashes)
	d.must(err)
	if again.Grant != flox.GrantOK || again.Lease.Step != 1 {
		d.t.Fatalf("Load after a kept commit = grant %d, %+v, want 0.1", again.Grant, again.Lease)
	}
	d.wantAnswered(again, "early")
	d.commit(end(again, "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

func awaitTimeout(d *driver) {
	d.commit(after(soon, await(d.begin(), "go")), flox.VerdictReleased)
	d.wantWaiting(flox.RootToken, "go", true)
	d.idle(d.queue)
	d.pass(soon)
	l := d.wantTimedOut("0.1")
	d.wantNoTimer()
	d.signal("go", "too late for that")
	d.commit(await(l, "go"), flox.VerdictReleased)
	d.wantAnswer("0.2", "too late for that")
}

func awaitSignalBeforeTimeout(d *driver) {
	d.commit(after(soon, await(d.begin(), "go")), flox.VerdictReleased)
	d.signal("go", "in time")
	d.wantNoTimer()
	d.b.Advance(soon + soon/4)
	d.wantNoTimer()
	l := d.wantAnswer("0.1", "in time")
	d.idle(d.queue)
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

// awaitTimeoutLeavesOthers lets the second of three give up: the signals go to
// the others, in their order.
func awaitTimeoutLeavesOthers(d *driver) {
	d.commit(fan(d.begin(), 3), flox.VerdictReleased)
	items := d.takeAll(3)
	d.commit(await(items["0"], "go"), flox.VerdictReleased)
	d.commit(after(soon, await(items["0.0.1"], "go")), flox.VerdictReleased)
	d.commit(await(items["0.0.2"], "go"), flox.VerdictReleased)
	d.b.Advance(soon + soon/4)
	d.promote(1)
	d.wantTimedOut("0.0.1.1")
	d.signal("go", "a")
	d.wantAnswer("0.2", "a")
	d.signal("go", "b")
	d.wantAnswer("0.0.2.1", "b")
	d.idle(d.queue)
}

// awaitLimits refuses an await as it refuses any step.
func awaitLimits(d *driver) {
	l := d.begin()
	c := keep(l, "second")
	d.commit(c, flox.VerdictKept)
	l = kept(l, c)
	limited := await(l, "go")
	limited.MaxSteps = 1
	d.unchanged("an await over the limit", func() { d.commit(limited, flox.VerdictLimit) })
	stale := await(l, "go")
	stale.Read = 2
	d.unchanged("a stale await", func() {
		if result := d.commit(stale, flox.VerdictStale); result.Version != 1 || result.Committed != 1 {
			d.t.Errorf("a stale await = %+v, want version 1, committed 1", result)
		}
	})
	d.control(flox.ControlPause)
	d.commit(stale, flox.VerdictParked)
	d.wantCounts(flox.Counts{Created: 2, Committed: 1, Live: 1, Parked: 1, Version: 1})
}

// awaitInFrame lets a branch wait: the join waits for it.
func awaitInFrame(d *driver) {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(await(items["0"], "go"), flox.VerdictReleased)
	d.commit(deposit(items["0.0.1"], "b"), flox.VerdictReleased)
	d.idle(d.queue)
	d.signal("go", "yes")
	d.commit(deposit(d.wantAnswer("0.2", "yes"), "a"), flox.VerdictReleased)
	d.wantJoin("0.0.j", "a", "b")
}
