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
		want := `Oslo: rain
Atlantis: no forecast: the service took too long
Babel: deadline exceeded: nothing came within 3s
`
		if out.String() != want {
			t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
		}
	})
}
