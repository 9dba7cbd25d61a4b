package main

import (
	"strings"
	"testing"
	"testing/synctest"
)

// The waits take no time in a synctest bubble.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		want := `rate: answered at attempt 3 within the item
charge: went through at attempt 3 of the item
Ada paid 108.00
rate: answered at attempt 3 within the item
failed: node charge: attempt 1: the card is stolen
`
		if out.String() != want {
			t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
		}
	})
}
