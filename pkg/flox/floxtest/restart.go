package floxtest

import (
	"fmt"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// Retries of a failed run from a node.

var restartChecks = []check{
	{"Chain", restartChain},
	{"NoState", restartNoState},
	{"Again", restartAgain},
	{"EarlierNode", restartEarlierNode},
	{"FailedNode", restartFailedNode},
	{"FailedNodeInLoop", restartFailedNodeInLoop},
	{"Fallback", restartFallback},
	{"Loop", restartLoop},
	{"OtherQueue", restartOtherQueue},
	{"NoOutput", restartNoOutput},
	{"Deadline", restartDeadline},
	{"FirstNode", restartFirstNode},
	{"Outputs", restartOutputs},
	{"Ends", restartEnds},
	{"Held", restartHeld},
	{"Snapshot", restartSnapshot},
	{"StartRepeated", restartStartRepeated},
	{"Rebuilt", restartRebuilt},
	{"Completes", restartCompletes},
}

// walk starts the run, commits a chain of items that end at the nodes named, and
// returns the item of the last.
func (d *driver) walk(nodes ...string) flox.Loaded {
	d.t.Helper()
	return d.follow(d.begin(), nodes...)
}

func (d *driver) follow(l flox.Loaded, nodes ...string) flox.Loaded {
	d.t.Helper()
	for _, node := range nodes {
		d.commit(visiting(l, node), flox.VerdictReleased)
		l = d.take()
	}
	return l
}

// visiting goes on at a node with an input that tells the visits apart.
func visiting(l flox.Loaded, node string) flox.Commit {
	c := next(l, node)
	c.Input = fmt.Appendf(nil, "%s after %s", node, l.Lease.Item())
	return c
}

func (d *driver) retryFrom(node string) {
	d.t.Helper()
	status, err := d.s.Control(d.ctx, flox.ControlRequest{Run: d.run, Op: flox.ControlRetry, Nonce: newOwner(), From: node})
	d.must(err)
	if status != flox.StatusFailed && status != flox.StatusRunning {
		d.t.Fatalf("retry from %s = %q, want failed or running", node, status)
	}
	d.settle()
	info := d.wantStatus(flox.StatusRunning)
	if info.Cause != "" || info.Failure != nil || !info.Ended.IsZero() || !info.Deadline.IsZero() {
		d.t.Fatalf("Info = %+v, want no cause, failure, end and deadline", info)
	}
	d.ledger()
}

// wantRestarted takes the item that a retry from a node leads to.
func (d *driver) wantRestarted(item, node, input string) flox.Loaded {
	d.t.Helper()
	l := d.takeItem(item, node)
	if in := l.Item.Input; string(in.Payload) != input || in.Joined || in.Answer != nil || in.Deposits != nil ||
		l.Lease.Attempt != 0 || l.Item.Scope != "" {
		d.t.Fatalf("took %+v with %+v, want a first attempt with input %q", l.Lease, l.Item, input)
	}
	d.idle(d.queue)
	return l
}

// wantCutBack checks that readers of every version of before get the whole log
// again: no state, then the deltas.
func (d *driver) wantCutBack(before int64, deltas ...string) {
	d.t.Helper()
	version := before + 1 + int64(len(deltas))
	for since := range version + 2 {
		log, err := d.s.State(d.ctx, d.run, since)
		d.must(err)
		want, whole := deltas[max(0, min(int(since-before-1), len(deltas))):], since <= before
		if fmt.Sprintf("%q", log.Deltas) != fmt.Sprintf("%q", want) || log.Version != version || log.Folded != before+1 ||
			(log.Snapshot != nil) != whole || len(log.Snapshot) > 0 {
			d.t.Fatalf("State since %d = %+v, want an empty snapshot %t, %q, version %d", since, log, whole, want, version)
		}
	}
}

func restartChain(d *driver) {
	l := d.walk("second", "third")
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	history := d.history(0, 10)
	d.retryFrom("second")
	d.unchanged("another Settle", d.settle)
	d.wantCounts(flox.Counts{Created: 4, Committed: 2, Dropped: 1, Live: 1, Version: 4})
	d.wantCutBack(2, "delta of 0.0")
	if now := d.history(0, 10); fmt.Sprint(now) != fmt.Sprint(history) {
		d.t.Errorf("History = %v, want %v", now, history)
	}
	d.wantFailures(1)
	d.wantList(flox.ListRequest{RunFilter: activeRuns, Limit: 10}, d.run)
	d.wantList(flox.ListRequest{RunFilter: byStatus(flox.StatusFailed), Limit: 10})
	for key, text := range d.dump() {
		if strings.HasSuffix(key, "runs:failed") {
			d.t.Errorf("%s = %s, want no failed run", key, text)
		}
	}
	again := d.wantRestarted("r1.0", "second", "second after 0.0")
	if again.Item.Version != 4 || again.Item.Committed != 2 {
		d.t.Errorf("took version %d, committed %d, want 4 and 2", again.Item.Version, again.Item.Committed)
	}
	c := visiting(again, "third")
	c.Read = 4
	d.commit(c, flox.VerdictReleased)
	d.commit(end(d.takeItem("r1.1", "third"), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
	d.wantCutBack(2, "delta of 0.0", "delta of r1.0", "delta of r1.1")
	d.wantOutputs("out")
	d.wantStats()
}

// wantFailures checks how many errors of the run are kept.
func (d *driver) wantFailures(want int) {
	d.t.Helper()
	errs, err := d.s.Errors(d.ctx, d.run)
	d.must(err)
	if len(errs) != want {
		d.t.Fatalf("Errors = %+v, want %d", errs, want)
	}
}

// restartNoState has nothing to cut back: readers need not read again.
func restartNoState(d *driver) {
	first := next(d.begin(), "second")
	d.commit(first, flox.VerdictReleased)
	second := next(d.take(), "third")
	second.Delta = nil
	d.commit(second, flox.VerdictReleased)
	d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	d.retryFrom("second")
	d.wantLog(0, 0, 1, "", "delta of 0.0")
	d.wantRestarted("r1.0", "second", "input of second")
}

func restartAgain(d *driver) {
	d.commit(fail(d.walk("second", "third"), "boom"), flox.VerdictReleased)
	d.retryFrom("second")
	l := d.follow(d.wantRestarted("r1.0", "second", "second after 0.0"), "third")
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	d.retryFrom("second")
	d.wantRestarted("r2.0", "second", "second after 0.0")
	// The second time the log ended at version 5, of which 4 had the first delta.
	d.wantCutBack(5, "delta of 0.0")
	d.wantCounts(flox.Counts{Created: 6, Committed: 3, Dropped: 2, Live: 1, Version: 7})
}

// restartEarlierNode goes further back after a restart: what was kept after the
// first point is forgotten, what was kept before it is not.
func restartEarlierNode(d *driver) {
	d.commit(fail(d.walk("second", "third", "fourth"), "boom"), flox.VerdictReleased)
	d.retryFrom("second")
	l := d.wantRestarted("r1.0", "second", "second after 0.0")
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	d.wantNotFrom("third", "third")
	d.retryFrom("first")
	l = d.wantRestarted("r2.0", "first", "input")
	d.wantCutBack(5)
	l = d.follow(l, "second", "third")
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	d.retryFrom("second")
	d.wantRestarted("r3.0", "second", "second after r2.0")
	d.wantCutBack(8, "delta of r2.0")
}

// restartFailedNode goes back to where the run stands: a plain retry.
func restartFailedNode(d *driver) {
	d.commit(fail(d.walk("second", "third"), "boom"), flox.VerdictReleased)
	d.retryFrom("third")
	d.wantRestarted("0.2", "third", "third after 0.1")
	d.wantCounts(flox.Counts{Created: 3, Committed: 2, Live: 1, Version: 2})
}

func restartFailedNodeInLoop(d *driver) {
	d.commit(fail(d.walk("second", "third", "second"), "boom"), flox.VerdictReleased)
	d.retryFrom("second")
	d.wantRestarted("0.3", "second", "second after 0.2")
	d.wantLog(0, 0, 3, "", "delta of 0.0", "delta of 0.1", "delta of 0.2")
}

// restartFallback goes back to a node that took its fallback, which failed, too.
func restartFallback(d *driver) {
	l := d.walk("charge")
	d.commit(fallback(l, "refund"), flox.VerdictReleased)
	d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	d.retryFrom("charge")
	d.wantRestarted("r1.0", "charge", "charge after 0.0")
	d.wantCounts(flox.Counts{Created: 4, Committed: 1, Failed: 1, Dropped: 1, Live: 1, Version: 1})
}

func restartLoop(d *driver) {
	d.commit(fail(d.walk("second", "first", "second", "third"), "boom"), flox.VerdictReleased)
	d.retryFrom("first")
	l := d.wantRestarted("r1.0", "first", "first after 0.1")
	d.wantCutBack(4, "delta of 0.0", "delta of 0.1")
	// The second visit of second came after this one: it is forgotten.
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	d.wantNotFrom("second", "second")
}

func restartOtherQueue(d *driver) {
	c := next(d.begin(), "second")
	c.Queue = d.other
	d.commit(c, flox.VerdictReleased)
	c = next(d.takeFrom(d.other), "third")
	c.Queue = d.queue
	d.commit(c, flox.VerdictReleased)
	d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	d.retryFrom("second")
	d.idle(d.queue)
	if l := d.takeFrom(d.other); l.Lease.Item() != "r1.0" || l.Item.Node != "second" {
		d.t.Errorf("took %s at %s, want r1.0 at second", l.Lease.Item(), l.Item.Node)
	}
}

// wantNotFrom checks that a retry from a node is refused with a reason that has a
// word in it, and changes nothing.
func (d *driver) wantNotFrom(node, word string) {
	d.t.Helper()
	refusal := d.wantRefusedFrom(node)
	if refusal.Status != flox.StatusFailed || !strings.Contains(refusal.Reason, word) {
		d.t.Fatalf("retry from %s = %+v, want a reason with %q", node, refusal, word)
	}
}
