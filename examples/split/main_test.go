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
	want := `offer for Ada:
  2 x lamp   58.00
  1 x table 120.00
  4 x chair 200.00
  total     378.00
`
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
}

// TestNoLines checks that a fan-out of nothing joins nothing.
func TestNoLines(t *testing.T) {
	wf, err := quote(nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := flox.Run(t.Context(), wf, Request{Customer: "Bob"})
	if want := "offer for Bob:\n  total       0.00\n"; err != nil || res.Output != want {
		t.Errorf("Run = %q, %v, want %q", res.Output, err, want)
	}
}

// TestUnknownArticle checks that a line which fails for good fails the run.
func TestUnknownArticle(t *testing.T) {
	wf, err := quote(map[string]int{"lamp": 1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = flox.Run(t.Context(), wf, Request{"Cyd", []Line{{"lamp", 1}, {"sofa", 1}}})
	if err == nil || !strings.HasSuffix(err.Error(), "node price: attempt 1: no price for sofa") {
		t.Errorf("Run = %v, want it to fail for want of a price", err)
	}
}
