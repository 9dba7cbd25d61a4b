package floxtest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/floxrun/flox/pkg/flox"
)

var restartBranchesChecks = []check{
	{"Everywhere", restartEverywhere},
	{"Many", restartMany},
	{"Released", restartReleasing},
	{"Late", restartLate},
	{"Await", restartAwait},
	{"AwaitFails", restartAwaitFails},
	{"KeptSignal", restartKeptSignal},
	{"Waits", restartWaits},
	{"Timer", restartTimer},
	{"Together", restartTogether},
}

// restartEverywhere drops branches that stand in every place; whoever still has one
// can do nothing with it.
func restartEverywhere(d *driver) {
	l := d.walk("split")
	d.commit(fanJoin(l, 7), flox.VerdictReleased)
	items := d.takeAll(7)
	branch := func(i int) flox.Loaded { return items[fmt.Sprintf("0.1.%d", i)] }
	d.commit(deposit(branch(1), "left behind"), flox.VerdictReleased)
	d.commit(after(soon, await(branch(2), "go")), flox.VerdictReleased)
	late := retry(branch(3))
	late.Delay = soon
	d.commit(late, flox.VerdictReleased)
	d.commit(next(branch(4), "second"), flox.VerdictReleased)
	claimed := d.claim(d.queue)
	d.commit(next(branch(5), "second"), flox.VerdictReleased)
	d.commit(fail(branch(6), "boom"), flox.VerdictReleased)
	held := items["0"]
	d.retryFrom("split")
	zombies := []struct {
		what string
		do   func()
	}{
		{"commit", func() { d.commit(deposit(held, "a"), flox.VerdictLost) }},
		{"end", func() { d.commit(end(held, "a"), flox.VerdictLost) }},
		{"failure", func() { d.commit(fail(held, "a"), flox.VerdictLost) }},
		{"retry", func() { d.commit(retry(held), flox.VerdictLost) }},
		{"handback", func() { d.handback(held, false, flox.VerdictLost) }},
		{"renewal", func() { d.wantHealth(held, flox.HealthLost) }},
		{"load", func() { d.wantGrant(claimed, flox.GrantStray) }},
		{"promotion", d.wantNoTimer},
	}
	for _, z := range zombies {
		d.unchanged("a zombie's "+z.what, z.do)
	}
	d.wantCounts(flox.Counts{Created: 13, Committed: 6, Dropped: 6, Live: 1, Version: 8})
	for key, text := range d.dump() {
		if strings.Contains(text, "left behind") || strings.Contains(text, "branch 2") {
			d.t.Errorf("%s still has what the branches had: %s", key, text)
		}
	}
	d.commit(end(d.wantRestarted("r1.0", "split", "split after 0.0"), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

// restartMany drops more tokens, and removes more that they left, than one call does.
func restartMany(d *driver) {
	d.commit(fanJoin(d.walk("split"), small), flox.VerdictReleased)
	items := d.takeAll(small)
	for i := range small - 1 {
		token := "0"
		if i > 0 {
			token = fmt.Sprintf("0.1.%d", i)
		}
		if i%2 == 0 {
			d.commit(next(items[token], "second"), flox.VerdictReleased)
			continue
		}
		d.commit(deposit(items[token], "left behind"), flox.VerdictReleased)
	}
	d.commit(fail(items[fmt.Sprintf("0.1.%d", small-1)], "boom"), flox.VerdictReleased)
	d.retryFrom("split")
	d.wantRestarted("r1.0", "split", "split after 0.0")
	d.wantCutBack(int64(small)+1, "delta of 0.0")
}

// restartReleasing drops a large fan-out in the middle of its release.
func restartReleasing(d *driver) {
	d.commit(fanJoin(d.walk("split"), 2*small), flox.VerdictReleased)
	d.commit(release(d.take()), flox.VerdictReleased)
	d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
	d.retryFrom("split")
	for key, text := range d.dump() {
		if strings.Contains(text, fmt.Sprintf("branch %d", 2*small-1)) {
			d.t.Errorf("%s still has the blobs of a fan-out: %s", key, text)
		}
	}
	d.wantRestarted("r1.0", "split", "split after 0.0")
}

// restartLate drops branches that are late for their join.
func restartLate(d *driver) {
	d.commit(quorum(d.walk("split"), 3, 1), flox.VerdictReleased)
	items := d.takeAll(3)
	d.commit(deposit(items["0"], "a"), flox.VerdictReleased)
	l := d.wantJoin("0.1.j", "a")
	d.commit(fail(l, "boom"), flox.VerdictReleased)
	d.retryFrom("split")
	l = d.wantRestarted("r1.0", "split", "split after 0.0")
	d.commit(quorum(l, 2, 1), flox.VerdictReleased)
	items = d.takeAll(2)
	d.closes(deposit(items["r1"], "b"))
	d.commit(deposit(items["r1.0.1"], "c"), flox.VerdictDropped)
	d.settle()
	d.commit(end(d.wantJoin("r1.0.j", "b"), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
	d.settle()
	for key, text := range d.dump() {
		if strings.HasSuffix(key, "todo") && strings.Contains(text, d.run) {
			d.t.Errorf("%s = %s, want nothing left to do", key, text)
		}
	}
}

// restartAwait goes back to a node that awaited: it does so again.
func restartAwait(d *driver) {
	d.commit(await(d.walk("ask"), "go"), flox.VerdictReleased)
	d.signal("go", "yes")
	d.commit(fail(d.follow(d.wantAnswer("0.2", "yes"), "last"), "boom"), flox.VerdictReleased)
	d.retryFrom("ask")
	d.commit(await(d.wantRestarted("r1.0", "ask", "ask after 0.0"), "go"), flox.VerdictReleased)
	d.wantWaiting("r1", "go", false)
	d.signal("go", "again")
	d.commit(end(d.wantAnswer("r1.1", "again"), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

// restartAwaitFails goes back to the node that failed of its answer.
func restartAwaitFails(d *driver) {
	d.commit(await(d.walk("ask"), "go"), flox.VerdictReleased)
	d.signal("go", "yes")
	d.commit(fail(d.wantAnswer("0.2", "yes"), "boom"), flox.VerdictReleased)
	d.retryFrom("ask")
	d.wantRestarted("r1.0", "ask", "ask after 0.0")
	d.wantCutBack(2, "delta of 0.0")
}

// restartKeptSignal keeps a signal that nobody had awaited.
func restartKeptSignal(d *driver) {
	l := d.walk("second")
	d.signal("go", "early")
	d.commit(fail(d.follow(l, "third"), "boom"), flox.VerdictReleased)
	d.retryFrom("second")
	d.commit(await(d.wantRestarted("r1.0", "second", "second after 0.0"), "go"), flox.VerdictReleased)
	d.wantAnswer("r1.1", "early")
}

// restartWaits goes back to the node whose token waits: it asks again.
func restartWaits(d *driver) {
	d.startDeadline(soon)
	d.commit(await(d.follow(d.take(), "ask"), "go"), flox.VerdictReleased)
	d.pass(soon)
	d.retryFrom("ask")
	d.wantRestarted("r1.0", "ask", "ask after 0.0")
}

// restartTimer goes back to a node that went on later.
func restartTimer(d *driver) {
	d.startDeadline(soon)
	l := d.follow(d.take(), "second")
	d.commit(after(never, visiting(l, "third")), flox.VerdictReleased)
	d.b.Advance(soon + soon/4)
	d.promote(1)
	d.wantLateRun()
	d.retryFrom("second")
	d.wantNoTimer()
	d.wantRestarted("r1.0", "second", "second after 0.0")
}

// restartTogether has several go back at once, and others settle and delete: one
// of them wins, and the run is whole or gone.
func restartTogether(d *driver) {
	for i := range 10 {
		scene := d.scene(fmt.Sprintf("run-%d", i))
		l := scene.walk("split")
		scene.commit(fanJoin(l, 5), flox.VerdictReleased)
		items := scene.takeAll(5)
		scene.commit(next(items["0.1.1"], "second"), flox.VerdictReleased)
		scene.commit(fail(items["0.1.2"], "boom"), flox.VerdictReleased)
		var wg sync.WaitGroup
		for j, act := range []func(){
			func() { scene.ask("split") }, func() { scene.ask("first") }, func() { scene.ask("") },
			func() { _, _ = d.s.Settle(d.ctx, "") },
			func() { _, _ = d.s.Commit(d.ctx, next(items["0"], "second")) },
			func() { _, _ = d.s.Commit(d.ctx, deposit(items["0.1.3"], "x")) },
			func() { _, _ = d.s.Delete(d.ctx, scene.run) },
		} {
			if j < 6 || i%2 == 0 {
				wg.Go(act)
			}
		}
		wg.Wait()
		scene.settle()
		scene.wantWhole()
	}
}

// ask retries from a node; it may be refused.
func (d *driver) ask(node string) {
	_, err := d.s.Control(d.ctx, flox.ControlRequest{Run: d.run, Op: flox.ControlRetry, Nonce: newOwner(), From: node})
	if err == nil {
		_, err = d.s.Settle(d.ctx, d.run)
	}
	_ = err // the others may have won
}

// wantWhole checks that the run goes on, from one token or from all, or is gone.
func (d *driver) wantWhole() {
	d.t.Helper()
	info, err := d.s.Info(d.ctx, d.run)
	if err != nil {
		for key, text := range d.dump() {
			if strings.Contains(key, d.run+" ") || strings.HasSuffix(key, ":"+d.run) {
				d.t.Fatalf("%s is left of a deleted run: %s", key, text)
			}
		}
		return
	}
	d.ledger()
	tokens := d.tokens()
	if info.Status != flox.StatusRunning || int64(len(tokens)) != info.Counts.Live || info.Counts.Live == 0 || info.Counts.Parked > 0 {
		d.t.Fatalf("Info = %+v with tokens %+v, want it running and nothing parked", info, tokens)
	}
	log, err := d.s.State(d.ctx, d.run, 0)
	d.must(err)
	if log.Version != info.Counts.Version || log.Version != log.Folded+int64(len(log.Deltas)) {
		d.t.Fatalf("State = %+v, want it to be of version %d", log, info.Counts.Version)
	}
}
