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
	want := `order 1: delivered in 2 parcels to Elm Street
  postage €14.00; checked, packed, labelled
order 2: refunded: no courier goes to the North Pole at deliver/courier
  postage €6.00; checked, packed, labelled
`
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
}
