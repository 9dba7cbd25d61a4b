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
	want := `EUR: 100 EUR are 108 USD (live)
GBP: 100 GBP are 125 USD (of yesterday, because: the exchange is closed)
XYZ: failed: no rate for XYZ, live or of yesterday
`
	if out.String() != want {
		t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
	}
}
