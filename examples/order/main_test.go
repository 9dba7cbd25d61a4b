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
	want := `order 1: shipped as parcel P-1 to Ada (€58.00 charged, 2 lamps reserved)
order 2: declined: Bob's card has expired (€0.00 charged, 0 lamps reserved)
order 3: backordered: 40 more lamps by Friday (€0.00 charged, 0 lamps reserved)
`
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
}

func TestNothingOrdered(t *testing.T) {
	wf, err := order()
	if err != nil {
		t.Fatal(err)
	}
	if res, err := flox.Run(t.Context(), wf, Order{ID: 4}); err == nil || res.State != (State{}) {
		t.Errorf("an order of nothing: %+v, %v; want an error and nothing sold", res, err)
	}
}
