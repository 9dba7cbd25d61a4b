package flox_test

import (
	"strings"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

// TestJoin2OfNil joins values that are stored as nil: they have come all the same.
func TestJoin2OfNil(t *testing.T) {
	b := flox.New[flox.NoState]("w")
	s := num(b, "s")
	l, m := flox.Func(b, "l", conv[int, []string]), flox.Func(b, "m", conv[int, *int])
	z := flox.Func(b, "z", printed[flox.Pair[[]string, *int]])
	s.To(l, m)
	flox.Join2(l, m, z)
	if res, err := runAlone(t, build(t, b, s, z), 1); err != nil || res.Output != "{[] <nil>}" {
		t.Errorf("got %q, %v, want {[] <nil>}", res.Output, err)
	}
}

// TestJoin2OfThree lets three branches come to a join of two.
func TestJoin2OfThree(t *testing.T) {
	b := flox.New[flox.NoState]("w")
	s, l1, l2, l, m := num(b, "s"), num(b, "l1"), num(b, "l2"), num(b, "l"), num(b, "m")
	z := flox.Func(b, "z", printed[flox.Pair[int, int]])
	s.To(l1, l2, m)
	l1.To(l)
	l2.To(l)
	flox.Join2(l, m, z)
	_, err := runAlone(t, build(t, b, s, z), 1)
	if err == nil || !strings.Contains(err.Error(), "two outputs came for one half of the pair") {
		t.Errorf("got %v, want a failure: one output would be lost", err)
	}
}
