package floxtest

import (
	"errors"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

var signalChecks = []check{
	{"Repeat", signalRepeat},
	{"RepeatAfterEnd", signalRepeatAfterEnd},
	{"Full", signalFull},
	{"Refused", signalRefused},
	{"NotFound", signalNotFound},
	{"Paused", signalPaused},
	{"FirstWaiter", signalFirstWaiter},
	{"Names", signalNames},
	{"EmptyPayload", signalEmptyPayload},
}

// await waits for a signal, carrying something to the answer.
func await(l flox.Loaded, signal string) flox.Commit {
	c := commitOf(l, flox.OpAwait, "await")
	c.Signal, c.Input = signal, []byte("carried")
	c.JoinQueue = l.Lease.Queue
	return c
}

func (d *driver) send(name, id, payload string) error {
	_, err := d.s.Signal(d.ctx, flox.SignalRequest{Run: d.run, Name: name, ID: id, Payload: []byte(payload)})
	return err
}

// sent sends a signal that the run must take, and checks what is said of it.
func (d *driver) sent(id, payload string, want bool) {
	d.t.Helper()
	delivered, err := d.s.Signal(d.ctx, flox.SignalRequest{Run: d.run, Name: "go", ID: id, Payload: []byte(payload)})
	if err != nil || delivered != want {
		d.t.Fatalf("Signal(%q, %q) = %t, %v, want %t", "go", payload, delivered, err, want)
	}
}

// signal sends a signal, which the run must take.
func (d *driver) signal(name, payload string) {
	d.t.Helper()
	if err := d.send(name, newOwner(), payload); err != nil {
		d.t.Fatalf("Signal(%q, %q) = %v, want it taken", name, payload, err)
	}
	d.ledger()
}

// wantNoSignal sends a signal that the run must refuse.
func (d *driver) wantNoSignal(name string, full bool, want ...flox.Status) {
	d.t.Helper()
	d.unchanged("a refused signal", func() {
		err := d.send(name, newOwner(), "refused")
		refusal, ok := errors.AsType[*flox.SignalError](err)
		if !ok || !errors.Is(err, flox.ErrRefused) {
			d.t.Fatalf("Signal(%q) = %v, want a *flox.SignalError", name, err)
		}
		if refusal.Run != d.run || refusal.Signal != name || refusal.Full != full || !slices.Contains(want, refusal.Status) {
			d.t.Fatalf("Signal(%q) = %+v, want full %t, status one of %q", name, refusal, full, want)
		}
	})
}

// wantAnswer takes the item that waited and checks what it gets.
func (d *driver) wantAnswer(item, payload string) flox.Loaded {
	d.t.Helper()
	l := d.take()
	if l.Lease.Item() != item {
		d.t.Fatalf("took %s, want %s, which was answered %q", l.Lease.Item(), item, payload)
	}
	d.wantAnswered(l, payload)
	return l
}

func (d *driver) wantAnswered(l flox.Loaded, payload string) {
	d.t.Helper()
	input := l.Item.Input
	if input.Answer == nil || input.Answer.TimedOut || string(input.Answer.Payload) != payload || string(input.Payload) != "carried" {
		d.t.Fatalf("input of %s = %q, answer %+v, want what was carried and %q", l.Lease.Item(), input.Payload, input.Answer, payload)
	}
}

// wantTimedOut takes the item that waited in vain.
func (d *driver) wantTimedOut(item string) flox.Loaded {
	d.t.Helper()
	l := d.take()
	input := l.Item.Input
	if l.Lease.Item() != item || input.Answer == nil || !input.Answer.TimedOut || len(input.Answer.Payload) > 0 || string(input.Payload) != "carried" {
		d.t.Fatalf("took %s, input %q, answer %+v, want %s, timed out", l.Lease.Item(), input.Payload, input.Answer, item)
	}
	return l
}

// signalRepeat repeats a signal that was kept, and one that woke a token.
func signalRepeat(d *driver) {
	l := d.begin()
	d.sent("one", "first", false)
	d.unchanged("a repeat of a kept signal", func() { d.sent("one", "first", false) })
	d.commit(await(l, "go"), flox.VerdictReleased)
	d.unchanged("a repeat of a signal that was taken", func() { d.sent("one", "first", true) })
	d.commit(await(d.wantAnswer("0.1", "first"), "go"), flox.VerdictReleased)
	d.unchanged("a repeat of an earlier wait's signal", func() { d.sent("one", "first", true) })
	d.sent("two", "second", true)
	d.unchanged("a repeat of a signal that woke a token", func() { d.sent("two", "second", true) })
	d.wantAnswer("0.2", "second")
}

func signalRepeatAfterEnd(d *driver) {
	l := d.begin()
	d.must(d.send("go", "one", "first"))
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.unchanged("a repeat after the end", func() { d.must(d.send("go", "one", "first")) })
	d.wantNoSignal("go", false, flox.StatusCompleted)
}

func signalFull(d *driver) {
	d.start()
	d.signal("go", "first")
	d.wantNoSignal("go", true, flox.StatusPending, flox.StatusRunning)
	l := d.take()
	d.control(flox.ControlPause)
	d.wantNoSignal("go", true, flox.StatusPaused)
	d.signal("other", "another")
	d.commit(await(l, "go"), flox.VerdictParked)
	d.signal("go", "second")
	d.control(flox.ControlResume)
	d.settle()
	d.commit(await(d.wantAnswer("0.1", "first"), "go"), flox.VerdictReleased)
	d.commit(await(d.wantAnswer("0.2", "second"), "other"), flox.VerdictReleased)
	d.wantAnswer("0.3", "another")
}

func signalRefused(d *driver) {
	completed := d.scene("completed")
	completed.commit(end(completed.begin(), "out"), flox.VerdictReleased)
	completed.wantNoSignal("go", false, flox.StatusCompleted)
	failed := d.scene("failed")
	failed.commit(fail(failed.begin(), "boom"), flox.VerdictReleased)
	failed.wantNoSignal("go", false, flox.StatusFailed)
	cancelled := d.scene("cancelled")
	cancelled.start()
	cancelled.control(flox.ControlCancel)
	cancelled.wantNoSignal("go", false, flox.StatusCancelled)
	undoing := d.scene("undoing")
	undoing.commit(prepareFailUndo(undoing), flox.VerdictReleased)
	undoing.wantNoSignal("go", false, flox.StatusUndoing)
}

func signalNotFound(d *driver) {
	d.run = "nobody"
	if err := d.send("go", "one", "first"); !errors.Is(err, flox.ErrNotFound) {
		d.t.Errorf("Signal of an unknown run = %v, want flox.ErrNotFound", err)
	}
	if _, err := d.s.Info(d.ctx, d.run); err == nil {
		d.t.Error("a signal made a run")
	}
}

// signalPaused wakes a token of a paused run: it parks.
func signalPaused(d *driver) {
	d.commit(await(d.begin(), "go"), flox.VerdictReleased)
	d.control(flox.ControlPause)
	d.signal("go", "yes")
	d.idle(d.queue)
	token := d.tokens()[flox.RootToken]
	if token.Place != flox.PlaceParked || token.Signal != "" {
		d.t.Errorf("Checkpoint = %+v, want it parked and not waiting", token)
	}
	d.wantCounts(flox.Counts{Created: 2, Committed: 1, Live: 1, Parked: 1, Version: 1})
	d.control(flox.ControlResume)
	d.settle()
	d.wantAnswer("0.1", "yes")
}

// signalFirstWaiter answers several tokens in the order in which they came.
func signalFirstWaiter(d *driver) {
	d.commit(fan(d.begin(), 4), flox.VerdictReleased)
	items := d.takeAll(4)
	order := []string{"0.0.2", "0", "0.0.3", "0.0.1"}
	for _, token := range order {
		d.commit(await(items[token], "go"), flox.VerdictReleased)
	}
	for i, token := range order {
		payload := string(rune('a' + i))
		d.signal("go", payload)
		d.wantAnswer(flox.ItemID(token, items[token].Lease.Step+1), payload)
		d.idle(d.queue)
	}
}

func signalNames(d *driver) {
	d.commit(fan(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(await(items["0"], "one"), flox.VerdictReleased)
	d.commit(await(items["0.0.1"], "two"), flox.VerdictReleased)
	d.must(d.send("two", "same id", "b"))
	d.wantAnswer("0.0.1.1", "b")
	d.idle(d.queue)
	d.must(d.send("one", "same id", "a"))
	d.wantAnswer("0.2", "a")
}

// signalEmptyPayload answers with nothing: kept, and to who waits.
func signalEmptyPayload(d *driver) {
	l := d.begin()
	d.sent("one", "", false)
	d.commit(await(l, "go"), flox.VerdictReleased)
	d.commit(await(d.wantAnswer("0.1", ""), "go"), flox.VerdictReleased)
	d.sent("two", "", true)
	d.wantAnswer("0.2", "")
}
