package main

import (
	"strings"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	want := `orders: 2 taken, the largest of €58.00; left out: ["line 2 (no customer is named)"]
refunds: 1 paid, €12.00 in all; left out: ["line 2 (unexpected end of JSON input)"]
`
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
}

func TestTooManyErrors(t *testing.T) {
	wf, err := intake("orders", sell)
	if err != nil {
		t.Fatal(err)
	}
	_, err = flox.Run(t.Context(), wf, []string{"?", "!"})
	if err == nil || !strings.HasSuffix(err.Error(), "2 of 2 lines are wrong") {
		t.Errorf("Run = %v, want it to fail for want of order", err)
	}
}
