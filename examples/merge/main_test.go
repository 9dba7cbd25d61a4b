package main

import (
	"strings"
	"testing"
	"time"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	want := `6 requests by 3 visitors
/cart: 3, /help: 1, /home: 2
answered in 12ms to 480ms, 158ms on average
`
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
}

// TestTimes checks what flox asks of a Merge.
func TestTimes(t *testing.T) {
	one := func(d time.Duration) Times { return Times{1, d, d, d} }
	a, b, c := one(3), one(1), one(2)
	if got := a.Merge(b).Merge(c); got != a.Merge(b.Merge(c)) || got != (Times{3, 1, 3, 6}) {
		t.Errorf("merged %+v, want 3 times from 1 to 3 however they are grouped", got)
	}
	if (Times{}).Merge(a) != a || a.Merge(Times{}) != a {
		t.Error("the zero Times counts, want it to be nothing")
	}
}
