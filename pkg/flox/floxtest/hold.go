package floxtest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/floxrun/flox/pkg/flox"
)

var holdChecks = []check{
	{"Alone", holdAlone},
	{"Stale", holdStale},
	{"StalePaused", holdStalePaused},
	{"Paused", holdPaused},
	{"LastEmits", holdLastEmits},
	{"ManyNodes", holdManyNodes},
	{"NeedsNoOutput", holdNeedsNoOutput},
	{"InFrame", holdInFrame},
	{"AllInFrame", holdAllInFrame},
	{"MaxSteps", holdMaxSteps},
	{"BusySiblings", holdBusySiblings},
}

// hold absorbs the item, which has seen the state at version read.
func hold(l flox.Loaded, read int64) flox.Commit {
	c := commitOf(l, flox.OpHold, "hold")
	c.Read = read
	c.JoinQueue = l.Lease.Queue
	return c
}

func (d *driver) wantHeld(want string) {
	d.t.Helper()
	if got := d.info().Held; got != want {
		d.t.Fatalf("Info(%q).Held = %q, want %q", d.run, got, want)
	}
}

func holdAlone(d *driver) {
	d.commit(hold(d.begin(), 0), flox.VerdictReleased)
	info := d.wantStatus(flox.StatusFailed)
	if info.Cause != "ended with no output: held first=1" || info.Failure != nil || info.Ended.IsZero() {
		d.t.Errorf("Info = %+v, want cause: ended with no output: held first=1", info)
	}
	d.wantHeld("first=1")
	d.wantCounts(flox.Counts{Created: 1, Committed: 1, Held: 1, Version: 1})
	d.wantDeltas("delta of 0.0")
	if steps := d.history(0, 10); len(steps) != 1 || steps[0] != "0.0 first hold" {
		d.t.Errorf("History = %q, want the hold", steps)
	}
	d.idle(d.queue)
	d.wantRefusal(flox.ControlRetry, flox.StatusFailed)
}

// holdStale holds on a state that has moved, and on one that never was.
func holdStale(d *driver) {
	d.commit(fan(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(keep(items["0"], "more"), flox.VerdictKept)
	held := items["0.0.1"]
	for _, read := range []int64{0, 1, 3} {
		d.unchanged("a stale hold", func() {
			result := d.commit(hold(held, read), flox.VerdictStale)
			if result.Version != 2 || result.Committed != 2 {
				d.t.Errorf("a stale hold = %+v, want version 2, committed 2", result)
			}
		})
	}
	d.wantHealth(held, flox.HealthOK)
	d.commit(hold(held, 2), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: 4, Committed: 3, Held: 1, Live: 1, Version: 3})
	d.wantHeld("branch=1")
}

func holdStalePaused(d *driver) {
	d.commit(fan(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(endSilently(items["0"]), flox.VerdictReleased)
	d.control(flox.ControlPause)
	d.commit(hold(items["0.0.1"], 1), flox.VerdictParked)
	d.wantCounts(flox.Counts{Created: 3, Committed: 2, Live: 1, Parked: 1, Version: 2})
	d.wantHeld("")
	d.idle(d.queue)
	d.control(flox.ControlResume)
	d.settle()
	l := d.takeItem("0.0.1.0", "branch")
	if l.Item.Version != 2 {
		d.t.Errorf("took it at version %d, want 2", l.Item.Version)
	}
}

func holdPaused(d *driver) {
	d.commit(fan(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.control(flox.ControlPause)
	d.commit(hold(items["0.0.1"], 1), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: 3, Committed: 2, Held: 1, Live: 1, Version: 2})
}

func holdLastEmits(d *driver) {
	d.commit(fan(d.begin(), 3), flox.VerdictReleased)
	items := d.takeAll(3)
	d.commit(hold(items["0"], 1), flox.VerdictReleased)
	d.commit(hold(items["0.0.2"], 2), flox.VerdictReleased)
	d.commit(end(items["0.0.1"], "all"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
	d.wantHeld("branch=2")
	d.wantOutputs("all")
	d.wantCounts(flox.Counts{Created: 4, Committed: 4, Held: 2, Outputs: 1, Version: 4})
}

// holdManyNodes holds at several nodes: they are named in the order of the
// first hold at each.
func holdManyNodes(d *driver) {
	c := fan(d.begin(), 4)
	c.Node = "zoo"
	c.Fan.Branches[2].Node = "ape"
	d.commit(c, flox.VerdictReleased)
	items := d.takeAll(4)
	for i, token := range []string{"0", "0.0.1", "0.0.3", "0.0.2"} {
		d.commit(hold(items[token], int64(i+1)), flox.VerdictReleased)
	}
	d.wantHeld("zoo=1,branch=2,ape=1")
	if info := d.wantStatus(flox.StatusFailed); info.Cause != "ended with no output: held zoo=1, branch=2, ape=1" {
		d.t.Errorf("cause %q, want: ended with no output: held zoo=1, branch=2, ape=1", info.Cause)
	}
	d.wantCounts(flox.Counts{Created: 5, Committed: 5, Held: 4, Version: 5})
}

// holdNeedsNoOutput holds all of a run that needs no output: that is no end.
func holdNeedsNoOutput(d *driver) {
	req := d.request()
	req.NeedsOutput = false
	d.must(d.s.Start(d.ctx, req))
	d.commit(hold(d.take(), 0), flox.VerdictReleased)
	d.wantStatus(flox.StatusFailed)
}

func holdInFrame(d *driver) {
	d.commit(fanJoin(d.begin(), 3), flox.VerdictReleased)
	items := d.takeAll(3)
	d.commit(deposit(items["0"], "a"), flox.VerdictReleased)
	d.commit(hold(items["0.0.1"], 2), flox.VerdictReleased)
	d.idle(d.queue)
	d.commit(deposit(items["0.0.2"], "c"), flox.VerdictReleased)
	d.commit(end(d.wantJoin("0.0.j", "a", "c"), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
	d.wantCounts(flox.Counts{Created: 5, Committed: 5, Held: 1, Outputs: 1, Version: 5})
}

func holdAllInFrame(d *driver) {
	d.commit(fanJoin(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(hold(items["0"], 1), flox.VerdictReleased)
	d.commit(hold(items["0.0.1"], 2), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: 4, Committed: 3, Held: 2, Live: 1, Version: 3})
	d.wantJoin("0.0.j")
}

func holdMaxSteps(d *driver) {
	l := d.begin()
	c := keep(l, "second")
	d.commit(c, flox.VerdictKept)
	h := hold(kept(l, c), 0)
	h.MaxSteps = 1
	d.unchanged("a hold over the limit", func() { d.commit(h, flox.VerdictLimit) })
}

// holdBusySiblings has eight collectors at once: each holds unless it sees that
// all others have. Whatever the order, the last one sees them.
func holdBusySiblings(d *driver) {
	const n = 8
	d.commit(fan(d.begin(), n), flox.VerdictReleased)
	var wg sync.WaitGroup
	for _, l := range d.takeAll(n) {
		wg.Go(func() { d.collect(l, n) })
	}
	wg.Wait()
	d.wantStatus(flox.StatusCompleted)
	d.wantOutputs("all")
	d.wantHeld(fmt.Sprintf("branch=%d", n-1))
	d.wantCounts(flox.Counts{Created: n + 1, Committed: n + 1, Held: n - 1, Outputs: 1, Version: n + 1})
}

// collect ends if all of n were seen, else holds, until the store takes it.
func (d *driver) collect(l flox.Loaded, n int) {
	for range 100 * n {
		log, err := d.s.State(d.ctx, d.run, 0)
		if err != nil {
			d.t.Errorf("State: %v", err)
			return
		}
		seen := strings.Count(fmt.Sprintf("%q", log.Deltas), "delta of")
		c := hold(l, log.Version)
		if seen == n { // the fan-out and all other collectors
			c = end(l, "all")
		}
		result, err := d.s.Commit(d.ctx, c)
		if err != nil || result.Verdict == flox.VerdictReleased {
			if err != nil {
				d.t.Errorf("Commit: %v", err)
			}
			return
		}
		if result.Verdict != flox.VerdictStale {
			d.t.Errorf("Commit(%s) = verdict %d, want released or stale", c.Item(), result.Verdict)
			return
		}
	}
	d.t.Errorf("collector %s was never allowed to hold", l.Lease.Token)
}
