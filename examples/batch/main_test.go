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
	want := `3 of 4 addresses located:
  Abbey Road 3, 2 km from the depot
  Baker Street 221b, 1 km from the depot
  Downing Street 10, 4 km from the depot
not found: Diagon Alley 93 (no such street)
`
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
}
