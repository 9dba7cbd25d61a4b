package main

import (
	"strings"
	"testing"
	"testing/synctest"
)

func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		want := `started 40, there already 0
started 0, there already 40
in the night: 40 failed, of these 20 of the north
a dry run finds 20, retries 0
retried 20 of 20
retried inv-1 from quote: asked the price 2 times, paid 7
21 completed, 19 failed
deleted 21 completed, 19 are left
`
		if out.String() != want {
			t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
		}
	})
}
