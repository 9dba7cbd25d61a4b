package floxtest

import (
	"context"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/internal/hook"
)

// Kind is what a node decided to do.
type Kind string

// What Process finds. An error that a node returned is one of the last two.
const (
	KindNext      Kind = "next"              // Next or NextAfter
	KindFan       Kind = "fan"               // NextAll
	KindHold      Kind = "hold"              // Hold
	KindAwait     Kind = "await"             // Await
	KindAbort     Kind = flox.ClassAbort     // Abort
	KindError     Kind = flox.ClassError     // an error, to be retried
	KindPermanent Kind = flox.ClassPermanent // an error made by flox.Permanent
)

// Outcome is what a node came to. What its Kind does not use is zero, so that
// the outcomes a test wants are short; WantOutcome compares them.
type Outcome[S, O any] struct {
	Kind     Kind
	Output   O             // of KindNext
	Elements []any         // of KindFan
	After    time.Duration // of NextAfter, of RetryAfter, and Await's timeout
	Signal   string        // that KindAwait awaits
	Carry    any           // what KindAwait carries
	Err      error         // of KindAbort and errors
	Delta    S             // all that was merged, also if an error drops it
}

// Process runs a node by itself, in real time: as the first attempt at an item
// that gets in and finds the run's state to be state. The run's id is "test" and
// the node's name "node". What is not asked for is left out: nothing is stored,
// routed or retried. The node's context ends when Process returns; a panic of the
// node is the test's.
func Process[S, I, O any](t testing.TB, n flox.Node[S, I, O], state S, in I) Outcome[S, O] {
	t.Helper()
	ctx, end := context.WithCancel(context.Background())
	defer end()
	d, err := hook.Process(ctx, flox.Add(flox.New[S]("test"), "node", n), state, &in)
	if err != nil {
		t.Fatalf("floxtest: Process: %v", err)
	}
	o := Outcome[S, O]{Kind: Kind(d.Kind), After: d.After, Signal: d.Signal, Carry: d.Carry, Err: d.Err}
	switch o.Kind {
	case KindFan:
		o.Elements = d.Outs
	case KindNext:
		o.Output, _ = d.Outs[0].(O) // a nil of a sum type is none
	}
	if d.Delta != nil {
		o.Delta = d.Delta.(S)
	}
	return o
}

// WantOutcome checks what Process came to. Errors are equal if one is the other
// by errors.Is, or reads the same; else it compares as WantState does.
func WantOutcome[S, O any](t testing.TB, got, want Outcome[S, O]) {
	t.Helper()
	if d := diff(want, got); d != "" {
		t.Errorf("floxtest: the outcome is not as wanted (-want +got):\n%s", d)
	}
}
