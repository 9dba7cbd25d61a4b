package floxtest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var signalRaceChecks = []check{
	{"EightToOneWaiter", eightSignals},
	{"OneEightTimes", oneSignalEightTimes},
	{"EightToEightWaiters", eightWaiters},
	{"AgainstAwait", signalAgainstAwait},
	{"AgainstTimeout", signalAgainstTimeout},
}

// sendTogether sends n signals at once and returns what came of each.
func (d *driver) sendTogether(n int, id func(i int) string) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = d.send("go", id(i), fmt.Sprint(i)) })
	}
	wg.Wait()
	return errs
}

// eightSignals sends eight signals to one token: it is woken once, one signal
// is kept, and the others are refused.
func eightSignals(d *driver) {
	d.commit(after(never, await(d.begin(), "go")), flox.VerdictReleased)
	errs := d.sendTogether(8, func(i int) string { return fmt.Sprintf("id %d", i) })
	var taken []string
	for i, err := range errs {
		if err == nil {
			taken = append(taken, fmt.Sprint(i))
		} else if refusal, ok := errors.AsType[*flox.SignalError](err); !ok || !refusal.Full {
			d.t.Errorf("Signal %d = %v, want it taken or the run full", i, err)
		}
	}
	if len(taken) != 2 {
		d.t.Fatalf("signals %q were taken, want two of them", taken)
	}
	l := d.take()
	d.idle(d.queue)
	first := string(l.Item.Input.Answer.Payload)
	d.commit(await(l, "go"), flox.VerdictReleased)
	l = d.take()
	second := string(l.Item.Input.Answer.Payload)
	if got := []string{min(first, second), max(first, second)}; !slices.Equal(got, taken) {
		d.t.Errorf("answers %q, want %q", got, taken)
	}
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantNoTimer()
	d.wantCounts(flox.Counts{Created: 3, Committed: 3, Outputs: 1, Version: 3})
}

// oneSignalEightTimes repeats a signal from eight callers: it answers once.
func oneSignalEightTimes(d *driver) {
	d.commit(await(d.begin(), "go"), flox.VerdictReleased)
	for _, err := range d.sendTogether(8, func(int) string { return "the id" }) {
		d.must(err)
	}
	d.commit(await(d.take(), "go"), flox.VerdictReleased)
	d.idle(d.queue)
	d.wantWaiting(flox.RootToken, "go", false)
}

func eightWaiters(d *driver) {
	const n = 8
	d.commit(fan(d.begin(), n), flox.VerdictReleased)
	for _, l := range d.takeAll(n) {
		d.commit(await(l, "go"), flox.VerdictReleased)
	}
	for _, err := range d.sendTogether(n, func(i int) string { return fmt.Sprintf("id %d", i) }) {
		d.must(err)
	}
	var answers []string
	for _, l := range d.takeAll(n) {
		answers = append(answers, string(l.Item.Input.Answer.Payload))
		d.commit(end(l, "out"), flox.VerdictReleased)
	}
	slices.Sort(answers)
	if want := []string{"0", "1", "2", "3", "4", "5", "6", "7"}; !slices.Equal(answers, want) {
		d.t.Errorf("answers %q, want %q", answers, want)
	}
	d.wantStatus(flox.StatusCompleted)
}

// signalAgainstAwait sends the signal while the token begins to wait: whoever
// is first, it is answered.
func signalAgainstAwait(d *driver) {
	for i := range 10 {
		d := d.scene(fmt.Sprintf("run%d", i))
		c := await(d.begin(), "go")
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := d.send("go", "id", "yes"); err != nil {
				d.t.Errorf("Signal: %v", err)
			}
		})
		d.commit(c, flox.VerdictReleased)
		wg.Wait()
		d.commit(end(d.wantAnswer("0.1", "yes"), "out"), flox.VerdictReleased)
		d.idle(d.queue)
	}
}

// signalAgainstTimeout sends the signal when the wait is about to time out: one
// of them wakes the token. If that is the timeout, the signal is kept.
func signalAgainstTimeout(d *driver) {
	for i := range 10 {
		d := d.scene(fmt.Sprintf("run%d", i))
		d.commit(after(5*time.Millisecond, await(d.begin(), "go")), flox.VerdictReleased)
		d.b.Advance(4 * time.Millisecond)
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 20 {
				if _, err := d.s.Promote(d.ctx, 10); err != nil {
					d.t.Errorf("Promote: %v", err)
				}
				d.b.Advance(time.Millisecond / 4)
			}
		})
		d.b.Advance(time.Millisecond)
		d.signal("go", "yes")
		wg.Wait()
		l := d.take()
		d.idle(d.queue)
		d.wantNoTimer()
		answer := l.Item.Input.Answer
		if answer == nil || answer.TimedOut == (string(answer.Payload) == "yes") {
			d.t.Fatalf("answer %+v, want either yes or timed out", answer)
		}
		d.commit(await(l, "go"), flox.VerdictReleased)
		if answer.TimedOut {
			d.wantAnswer("0.2", "yes")
		} else {
			d.wantWaiting(flox.RootToken, "go", false)
		}
	}
}
