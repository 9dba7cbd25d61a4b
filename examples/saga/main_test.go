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
	want := `Ada's trip to Rome: flight FL-1, hotel HO-2, car CA-3
Bob's trip to Oslo failed: there is no car in Oslo
  booked FL-4, booked HO-5, cancelled HO-5 (there is no car in Oslo), cancelled FL-4 (there is no car in Oslo)
  undone: hotel, flight
`
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
}
