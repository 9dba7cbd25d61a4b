package floxtest

import (
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

var commitChecks = []check{
	{"NextKept", nextKept},
	{"NextReleased", nextReleased},
	{"NextToOtherQueue", nextToOtherQueue},
	{"NextPaused", nextPaused},
	{"End", endRun},
	{"EndManyOutputs", endManyOutputs},
	{"Retry", retryAttempts},
	{"RetryWrongAttempt", retryWrongAttempt},
	{"Fail", failRun},
	{"FailKeepsSiblings", failKeepsSiblings},
	{"Fallback", takeFallback},
	{"MaxSteps", maxSteps},
	{"ReadStale", readStale},
	{"ReadStalePaused", readStalePaused},
	{"EmptyPayloads", emptyPayloads},
}

func nextKept(d *driver) {
	l := d.begin()
	for step := range 3 {
		c := keep(l, fmt.Sprintf("node%d", step))
		result := d.commit(c, flox.VerdictKept)
		if result.Again || result.Version != int64(step+1) || result.Committed != int64(step+1) {
			d.t.Fatalf("Commit = %+v, want version and committed %d", result, step+1)
		}
		d.idle(d.queue)
		l = kept(l, c)
	}
	d.wantDeltas("delta of 0.0", "delta of 0.1", "delta of 0.2")
	token := d.tokens()[flox.RootToken]
	if token.Step != 3 || token.Node != "node2" || token.Place != flox.PlaceLeased || token.Owner != l.Lease.Owner {
		d.t.Errorf("Checkpoint = %+v, want token 0 leased at step 3", token)
	}
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: 4, Committed: 4, Outputs: 1, Version: 4})
}

func nextReleased(d *driver) {
	d.commit(next(d.begin(), "second"), flox.VerdictReleased)
	l := d.take()
	if l.Item.Node != "second" || l.Lease.Step != 1 || string(l.Item.Input.Payload) != "input of second" {
		d.t.Errorf("took %s at %q with %q, want 0.1 at second", l.Lease.Item(), l.Item.Node, l.Item.Input.Payload)
	}
	if l.Item.Version != 1 || l.Item.Committed != 1 {
		d.t.Errorf("took version %d, committed %d, want 1, 1", l.Item.Version, l.Item.Committed)
	}
	d.wantCounts(flox.Counts{Created: 2, Committed: 1, Live: 1, Version: 1})
}

func nextToOtherQueue(d *driver) {
	l := d.begin()
	c := keep(l, "second")
	c.Queue = d.other
	d.commit(c, flox.VerdictReleased)
	d.idle(d.queue)
	l = d.takeFrom(d.other)
	if l.Lease.Queue != d.other || l.Item.Node != "second" {
		d.t.Errorf("took %q from %q, want second from %q", l.Item.Node, l.Lease.Queue, d.other)
	}
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

func nextPaused(d *driver) {
	l := d.begin()
	d.control(flox.ControlPause)
	d.commit(keep(l, "second"), flox.VerdictParked)
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 2, Committed: 1, Live: 1, Parked: 1, Version: 1})
	d.control(flox.ControlResume)
	d.settle()
	if l = d.take(); l.Item.Node != "second" || l.Lease.Step != 1 {
		d.t.Errorf("took %s at %q, want 0.1 at second", l.Lease.Item(), l.Item.Node)
	}
}

func endRun(d *driver) {
	l := d.begin()
	d.wantOutputs()
	d.commit(end(l, "out"), flox.VerdictReleased)
	info := d.wantStatus(flox.StatusCompleted)
	if info.Ended.Before(info.Created) || info.Cause != "" {
		d.t.Errorf("Info = %+v, want an end time and no cause", info)
	}
	d.wantOutputs("out")
	d.wantCounts(flox.Counts{Created: 1, Committed: 1, Outputs: 1, Version: 1})
	d.idle(d.queue)
	if tokens := d.tokens(); len(tokens) > 0 {
		d.t.Errorf("Checkpoint = %v, want no token", tokens)
	}
}

func endManyOutputs(d *driver) {
	d.commit(fan(d.begin(), 3), flox.VerdictReleased)
	items := d.takeAll(3)
	d.commit(end(items["0.0.2"], "b"), flox.VerdictReleased)
	d.commit(endSilently(items["0"]), flox.VerdictReleased)
	d.wantStatus(flox.StatusRunning)
	d.commit(end(items["0.0.1"], "a"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
	d.wantOutputs("b", "a")
}

func retryAttempts(d *driver) {
	l := d.begin()
	for attempt := 1; attempt <= 3; attempt++ {
		d.commit(retry(l), flox.VerdictReleased)
		d.unchanged("a repeated retry", func() { d.commit(retry(l), flox.VerdictRepeat) })
		d.promote(1)
		l = d.take()
		if l.Lease.Attempt != attempt || l.Lease.Step != 0 {
			d.t.Fatalf("took %+v, want attempt %d of item 0.0", l.Lease, attempt)
		}
	}
	d.wantCounts(flox.Counts{Created: 1, Live: 1})
	d.commit(next(l, "second"), flox.VerdictReleased)
	if l = d.take(); l.Lease.Attempt != 0 {
		d.t.Errorf("took attempt %d of the next step, want 0", l.Lease.Attempt)
	}
}

func retryWrongAttempt(d *driver) {
	l := d.begin()
	l.Lease.Attempt = 7
	d.unchanged("a retry of another attempt", func() { d.commit(retry(l), flox.VerdictRepeat) })
	d.unchanged("a failure of another attempt", func() { d.commit(fail(l, "boom"), flox.VerdictRepeat) })
}

func failRun(d *driver) {
	l := d.begin()
	d.commit(fail(l, "node first: boom"), flox.VerdictReleased)
	info := d.wantStatus(flox.StatusFailed)
	if info.Cause != "node first: boom" || info.Ended.IsZero() {
		d.t.Errorf("Info = %+v, want cause: node first: boom, and an end time", info)
	}
	d.wantCounts(flox.Counts{Created: 1, Live: 1, Parked: 1})
	if token := d.tokens()[flox.RootToken]; !token.Failed || token.Place != flox.PlaceParked {
		d.t.Errorf("Checkpoint = %+v, want a parked token that failed", token)
	}
	d.idle(d.queue)
}

func failKeepsSiblings(d *driver) {
	d.commit(fanJoin(d.begin(), 3), flox.VerdictReleased)
	items := d.takeAll(3)
	d.commit(fail(items["0.0.1"], "first cause"), flox.VerdictReleased)
	failed := d.wantStatus(flox.StatusFailed)
	d.commit(deposit(items["0"], "a"), flox.VerdictReleased)
	d.commit(keep(items["0.0.2"], "more"), flox.VerdictParked)
	info := d.wantStatus(flox.StatusFailed)
	if info.Cause != "first cause" || !info.Ended.Equal(failed.Ended) {
		d.t.Errorf("Info = %+v, want cause and end of the first failure", info)
	}
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 5, Committed: 3, Live: 2, Parked: 2, Version: 3})
}

func takeFallback(d *driver) {
	l := d.begin()
	d.commit(fallback(l, "plan-b"), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: 2, Failed: 1, Live: 1})
	l = d.take()
	if l.Item.Node != "plan-b" || l.Lease.Step != 1 {
		d.t.Errorf("took %s at %q, want 0.1 at plan-b", l.Lease.Item(), l.Item.Node)
	}
	errs, err := d.s.Errors(d.ctx, d.run)
	d.must(err)
	if len(errs) != 1 || errs[0].Item != "0.0" {
		d.t.Errorf("Errors = %+v, want that of 0.0", errs)
	}
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

func maxSteps(d *driver) {
	l := d.begin()
	c := keep(l, "second")
	c.MaxSteps = 1
	d.commit(c, flox.VerdictKept)
	l = kept(l, c)
	for _, c := range []flox.Commit{keep(l, "third"), end(l, "out"), fan(l, 2), fanJoin(l, 0)} {
		c.MaxSteps = 1
		d.unchanged("a commit over the limit", func() { d.commit(c, flox.VerdictLimit) })
	}
	d.wantHealth(l, flox.HealthOK)
	c = fallback(l, "plan-b")
	c.MaxSteps, c.Keep = 1, true
	d.commit(c, flox.VerdictKept)
	l = kept(l, c)
	f := fail(l, "too many steps")
	f.MaxSteps = 1
	d.commit(f, flox.VerdictReleased)
	d.wantStatus(flox.StatusFailed)
}

func readStale(d *driver) {
	l := d.begin()
	c := keep(l, "second")
	c.Read = 1
	d.unchanged("a stale commit", func() { d.commit(c, flox.VerdictStale) })
	d.wantHealth(l, flox.HealthOK)
	c.Read = 0
	d.commit(c, flox.VerdictKept)
}

func readStalePaused(d *driver) {
	l := d.begin()
	d.control(flox.ControlPause)
	c := keep(l, "second")
	c.Read = 1
	d.commit(c, flox.VerdictParked)
	d.wantDeltas()
	d.wantCounts(flox.Counts{Created: 1, Live: 1, Parked: 1})
}

// emptyPayloads tells an empty payload from none.
func emptyPayloads(d *driver) {
	req := d.request()
	req.Input = []byte{}
	d.must(d.s.Start(d.ctx, req))
	c := keep(d.take(), "second")
	c.Delta, c.Input = []byte{}, []byte{}
	d.commit(c, flox.VerdictKept)
	d.wantDeltas("")
	e := commitOf(kept(flox.Loaded{Lease: c.Lease}, c), flox.OpEnd, "end")
	e.Delta, e.Output = nil, []byte{}
	d.commit(e, flox.VerdictReleased)
	d.wantOutputs("")
	d.wantStatus(flox.StatusCompleted)
}
