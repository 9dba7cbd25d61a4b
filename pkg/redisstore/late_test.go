package redisstore

import (
	"errors"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

// TestLateRequests has requests refused that were sent before and come later, when
// the run would take them: nothing must come of them.
func TestLateRequests(t *testing.T) {
	const first, second = 0, 1 // which call of the script is held up: the one that asks, or the one that does it
	for _, c := range []struct {
		name   string
		script *script
		call   int
		ask    func(s *Store) error
		before func(y *yard)
		then   func(y *yard) // before it is sent again
		want   error
		after  func(y *yard) // before it arrives
		status flox.Status
	}{
		{"pause of a run that is not there yet", scriptControl, first, asks(flox.ControlPause, ""),
			nobody, nobody,
			flox.ErrNotFound, (*yard).begin, flox.StatusPending},
		{"pause of another run of that id", scriptControl, second, asks(flox.ControlPause, ""),
			(*yard).begin, func(y *yard) { y.control(flox.ControlCancel); y.remove() },
			flox.ErrNotFound, (*yard).begin, flox.StatusPending},
		{"pause, somebody else has paused it", scriptControl, second, asks(flox.ControlPause, ""),
			(*yard).begin, func(y *yard) { y.control(flox.ControlPause) },
			flox.ErrRefused, func(y *yard) { y.control(flox.ControlResume) }, flox.StatusPending},
		{"resume, somebody else has resumed it", scriptControl, second, asks(flox.ControlResume, ""),
			func(y *yard) { y.begin(); y.control(flox.ControlPause) }, func(y *yard) { y.control(flox.ControlResume) },
			flox.ErrRefused, func(y *yard) { y.control(flox.ControlPause) }, flox.StatusPaused},
		{"cancel, it has failed", scriptControl, second, asks(flox.ControlCancel, ""),
			(*yard).begin, (*yard).fail,
			flox.ErrRefused, func(y *yard) { y.control(flox.ControlRetry) }, flox.StatusRunning},
		{"retry, it runs", scriptControl, first, asks(flox.ControlRetry, ""),
			(*yard).begin, nobody,
			flox.ErrRefused, (*yard).fail, flox.StatusFailed},
		{"retry, somebody else has retried it", scriptControl, second, asks(flox.ControlRetry, ""),
			func(y *yard) { y.begin(); y.fail() }, func(y *yard) { y.control(flox.ControlRetry) },
			flox.ErrRefused, (*yard).fail, flox.StatusFailed},
		{"retry, one from a node is under way", scriptControl, first, asks(flox.ControlRetry, ""),
			func(y *yard) { y.begin(); y.step("second"); y.fail(); y.rewind() }, nobody,
			flox.ErrRefused, func(y *yard) { y.settle(); y.fail() }, flox.StatusFailed},
		{"retry, one from a node has come between", scriptControl, second, asks(flox.ControlRetry, ""),
			func(y *yard) { y.begin(); y.step("second"); y.fail() }, (*yard).rewind,
			flox.ErrRefused, func(y *yard) { y.settle(); y.fail() }, flox.StatusFailed},
		{"signal, it has failed", scriptSignal, second, signals,
			(*yard).begin, (*yard).fail,
			flox.ErrRefused, func(y *yard) { y.control(flox.ControlRetry) }, flox.StatusRunning},
		{"signal of another run of that id", scriptSignal, second, signals,
			(*yard).begin, func(y *yard) { y.control(flox.ControlCancel); y.remove() },
			flox.ErrNotFound, (*yard).begin, flox.StatusPending},
		{"signal, one is kept", scriptSignal, second, signals,
			(*yard).begin, func(y *yard) { y.must(y.send("other")) },
			flox.ErrRefused, func(y *yard) { y.commit(flox.Commit{Op: flox.OpAwait, Signal: "go", Input: []byte("1")}) }, flox.StatusRunning},
		{"delete, it runs", scriptDelete, first, deletes,
			(*yard).begin, nobody,
			flox.ErrRefused, (*yard).end, flox.StatusCompleted},
		{"delete, it was retried", scriptDelete, second, deletes,
			func(y *yard) { y.begin(); y.fail() }, func(y *yard) { y.control(flox.ControlRetry) },
			flox.ErrRefused, (*yard).fail, flox.StatusFailed},
		{"delete, a retry from a node has gone on", scriptDelete, second, deletes,
			func(y *yard) { y.begin(); y.step("second"); y.fail(); y.rewind() },
			(*yard).settle,
			flox.ErrRefused, (*yard).fail, flox.StatusFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			y := newYard(t)
			c.before(y)
			if err := y.slowly(c.script, c.call, func() { c.then(y) }, c.ask); !errors.Is(err, c.want) {
				t.Fatalf("the request = %v, want %v", err, c.want)
			}
			c.after(y)
			_, p := y.keys.of("r")
			before, _ := y.server.DB(0).HKeys(p.run("r"))
			y.courier.deliver()
			after, _ := y.server.DB(0).HKeys(p.run("r"))
			if info, err := y.Info(t.Context(), "r"); err != nil || info.Status != c.status || len(before) != len(after) {
				t.Errorf("then the run is %q with fields %q, %v, want it %s with %q", info.Status, after, err, c.status, before)
			}
		})
	}
}

// TestLateSignalIsTakenOnce delivers a signal that its caller has sent again, when the
// run has had it and the next.
func TestLateSignalIsTakenOnce(t *testing.T) {
	y := newYard(t)
	y.begin()
	y.must(y.slowly(scriptSignal, 1, func() {}, signals))
	await := flox.Commit{Op: flox.OpAwait, Signal: "go", Input: []byte("1")}
	y.commit(await)
	y.must(y.send("other"))
	y.commit(await)
	_, p := y.keys.of("r")
	y.courier.deliver()
	if kept := y.server.HGet(p.run("r"), "g:go"); kept != "" {
		t.Errorf("the signal is kept again: %q", kept)
	}
}

// TestRequestGoesOn has requests asked again because another came between: they are
// done all the same.
func TestRequestGoesOn(t *testing.T) {
	y := newYard(t)
	y.begin()
	both := func() { y.control(flox.ControlPause); y.control(flox.ControlResume) }
	y.must(y.slowly(scriptControl, 1, both, asks(flox.ControlCancel, "")))
	if info, err := y.Info(t.Context(), "r"); err != nil || info.Status != flox.StatusCancelled {
		t.Errorf("Info = %+v, %v, want the run cancelled", info, err)
	}
}

// TestLateRetryFromAFoldedNode has a retry refused because the state was folded, and
// then the run's only token, which was with a worker, come to that node again.
func TestLateRetryFromAFoldedNode(t *testing.T) {
	y := newYard(t)
	y.begin()
	y.commit(flox.Commit{Op: flox.OpNext, Node: "second", Queue: "q", Delta: []byte("1")})
	lease := y.take()
	y.pass()
	fold := func() {
		if folded, err := y.Compact(t.Context(), flox.CompactRequest{Run: "r", Deltas: 1, Snapshot: []byte("1")}); err != nil || !folded {
			t.Errorf("Compact = %t, %v, want it done", folded, err)
		}
	}
	if err := y.slowly(scriptControl, 2, fold, asks(flox.ControlRetry, "first")); !errors.Is(err, flox.ErrRefused) {
		t.Errorf("Control = %v, want it refused", err)
	}
	back := flox.Commit{Lease: lease, Op: flox.OpNext, Node: "first", Queue: "q", Read: -1}
	if res, err := y.Commit(t.Context(), back); err != nil || res.Verdict != flox.VerdictParked {
		t.Fatalf("Commit = %+v, %v, want it parked", res, err)
	}
	y.courier.deliver()
	if info, err := y.Info(t.Context(), "r"); err != nil || info.Status != flox.StatusFailed {
		t.Errorf("Info = %+v, %v, want the run failed", info, err)
	}
}
