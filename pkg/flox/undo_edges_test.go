package flox_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

// TestUndoBeyondTheLimit undoes a run that failed of its step limit, with a
// fallback of what undoes.
func TestUndoBeyondTheLimit(t *testing.T) {
	b := flox.New[flox.NoState]("w").MaxSteps(2)
	x, y, z := num(b, "x"), num(b, "y"), num(b, "z")
	undo := flox.Func(b, "undo", func(context.Context, flox.Done[int, int]) (flox.None, error) {
		return flox.None{}, flox.Permanent(errors.New("cannot"))
	}).OnFailure(flox.Func(b, "note", conv[flox.Failure[flox.Done[int, int]], flox.None]))
	x.UndoWith(undo).To(y)
	y.To(z)
	_, err := runAlone(t, build(t, b, x, z), 1)
	if e, ok := errors.AsType[*flox.RunError](err); !ok || !errors.Is(err, flox.ErrStepLimit) || strings.Contains(e.Cause, "node note") {
		t.Errorf("got %v, want the step limit at z alone", err)
	}
}

// TestUndoOfWidened undoes a node whose output was widened to a sum type.
func TestUndoOfWidened(t *testing.T) {
	b := flox.New[flox.NoState]("w")
	flox.Variants[shape](b, circle{}, square{})
	a := flox.Func(b, "a", func(_ context.Context, n int) (circle, error) { return circle{n}, nil })
	var undone flox.Done[int, shape]
	undo := flox.Func(b, "undo", func(_ context.Context, d flox.Done[int, shape]) (flox.None, error) {
		undone = d
		return flox.None{}, nil
	})
	fails := flox.Func(b, "fails", func(context.Context, shape) (int, error) { return 0, flox.Permanent(errors.New("boom")) })
	flox.As[shape](a).UndoWith(undo).To(fails)
	_, err := runAlone(t, build(t, b, a, fails), 7)
	if e, ok := errors.AsType[*flox.RunError](err); !ok || e.Node != "fails" || undone.Input != 7 || undone.Output != (circle{7}) {
		t.Errorf("got %v, undone %+v, want what a did to be undone", err, undone)
	}
}
