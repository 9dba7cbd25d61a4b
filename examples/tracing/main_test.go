package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	want := `request
  run offer
    split 0.0
    price 0.0.1.0, after split 0.0
    total 0.0.j.0, after price 0.1 and price 0.0.1.0
    price 0.1, after split 0.0: busy
      price 0.1 again, after price 0.1
`
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
}
