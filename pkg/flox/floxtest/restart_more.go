package floxtest

import (
	"errors"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// restartNoOutput goes back in a run that has no token left.
func restartNoOutput(d *driver) {
	d.commit(endSilently(d.walk("second")), flox.VerdictReleased)
	d.wantStatus(flox.StatusFailed)
	d.retryFrom("second")
	l := d.wantRestarted("r1.0", "second", "second after 0.0")
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

// restartDeadline goes back with the only token still with a worker, who loses it.
func restartDeadline(d *driver) {
	d.startDeadline(soon)
	l := d.follow(d.take(), "second")
	d.pass(soon)
	d.wantLateRun()
	d.retryFrom("first")
	d.wantHealth(l, flox.HealthLost)
	d.unchanged("a zombie's commit", func() { d.commit(next(l, "third"), flox.VerdictLost) })
	d.wantRestarted("r1.0", "first", "input")
	d.wantNoTimer()
}

// restartOutputs goes back to between the run's outputs.
func restartOutputs(d *driver) {
	d.commit(fan(d.walk("split"), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(end(items["0"], "early"), flox.VerdictReleased)
	l := d.follow(items["0.1.1"], "second")
	d.commit(fan(l, 2), flox.VerdictReleased)
	items = d.takeAll(2)
	d.commit(end(items["0.1.1"], "late"), flox.VerdictReleased)
	d.commit(fail(items["0.1.1.1.1"], "boom"), flox.VerdictReleased)
	d.wantOutputs("early", "late")
	d.retryFrom("second")
	d.wantOutputs("early")
	d.wantNowhere("late")
	l = d.wantRestarted("r1.0", "second", "second after 0.1.1.0")
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	d.retryFrom("split")
	d.wantOutputs()
	d.commit(end(d.wantRestarted("r2.0", "split", "split after 0.0"), "other"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
	d.wantOutputs("other")
}

// restartHeld goes back to between two holds: the run ends as if there had been
// only one.
func restartHeld(d *driver) {
	d.commit(fan(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(hold(items["0"], 1), flox.VerdictReleased)
	l := d.follow(items["0.0.1"], "second", "third")
	d.commit(hold(l, 4), flox.VerdictReleased)
	d.wantHeld("branch=1,third=1")
	d.retryFrom("second")
	d.wantHeld("branch=1")
	d.commit(endSilently(d.wantRestarted("r1.0", "second", "second after 0.0.1.0")), flox.VerdictReleased)
	if info := d.wantStatus(flox.StatusFailed); info.Cause != "ended with no output: held branch=1" {
		d.t.Errorf("cause %q, want one hold at branch", info.Cause)
	}
}

// restartSnapshot goes back to what the snapshot ends with, and is refused what
// lies before it.
func restartSnapshot(d *driver) {
	l := d.walk("second", "third")
	d.wantCompacted(0, 2, "two")
	d.commit(fail(d.follow(l, "fourth"), "boom"), flox.VerdictReleased)
	d.wantNotFrom("second", "folded")
	d.retryFrom("third")
	for since := range int64(4) {
		d.wantLog(since, 4, 4, "two")
	}
	d.wantLog(4, 4, 4, "")
	if d.compact(2, 1, "stale") {
		d.t.Error("a compaction of what was read before the retry was done")
	}
	l = d.follow(d.wantRestarted("r1.0", "third", "third after 0.1"), "fourth")
	d.wantCompacted(4, 1, "three")
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	d.wantNotFrom("third", "folded")
	d.wantNotFrom("second", "folded")
}

func restartStartRepeated(d *driver) {
	d.commit(fail(d.walk("second", "third"), "boom"), flox.VerdictReleased)
	d.retryFrom("second")
	d.unchanged("a repeated start", func() {
		d.must(d.s.Start(d.ctx, d.request()))
		req := d.request()
		req.Nonce = "other"
		if err := d.s.Start(d.ctx, req); !errors.Is(err, flox.ErrRunExists) {
			d.t.Errorf("Start of a taken id = %v, want flox.ErrRunExists", err)
		}
	})
}

func restartRebuilt(d *driver) {
	if d.b.LoseQueues == nil {
		return
	}
	d.commit(fail(d.walk("second", "third"), "boom"), flox.VerdictReleased)
	d.retryFrom("second")
	d.b.LoseQueues(d.t)
	d.rebuild(d.run, 1)
	d.wantRestarted("r1.0", "second", "second after 0.0")
}

// restartCompletes leaves nothing of the visits in a run that has ended for good.
func restartCompletes(d *driver) {
	d.commit(fail(d.walk("second", "third"), "boom"), flox.VerdictReleased)
	d.retryFrom("second")
	d.commit(end(d.wantRestarted("r1.0", "second", "second after 0.0"), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
	d.wantNowhere("second after 0.0")
	d.wantNowhere("input")
}

// wantNowhere checks that the store holds a text nowhere.
func (d *driver) wantNowhere(word string) {
	d.t.Helper()
	for key, text := range d.dump() {
		if strings.Contains(text, word) {
			d.t.Fatalf("%s still has %q: %s", key, word, text)
		}
	}
}

// restartFirstNode goes back to where there was no state at all.
func restartFirstNode(d *driver) {
	d.commit(fail(d.walk("second", "third"), "boom"), flox.VerdictReleased)
	d.retryFrom("first")
	d.wantCutBack(2)
	d.wantRestarted("r1.0", "first", "input")
}

// restartEnds goes back to before a token ended: without it the run has none.
func restartEnds(d *driver) {
	req := d.request()
	req.NeedsOutput = false
	d.must(d.s.Start(d.ctx, req))
	d.commit(fan(d.take(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(endSilently(items["0"]), flox.VerdictReleased)
	d.commit(fail(items["0.0.1"], "boom"), flox.VerdictReleased)
	d.retryFrom("first")
	l := d.wantRestarted("r1.0", "first", "input")
	d.commit(hold(l, l.Item.Version), flox.VerdictReleased)
	d.wantStatus(flox.StatusFailed)
}
