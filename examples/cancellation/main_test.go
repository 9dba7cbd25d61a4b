package main

import (
	"strings"
	"testing"
	"testing/synctest"
)

// A worker notices at its next heartbeat at the latest, in a synctest bubble at once.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		want := `transcode: at work on part 2 of summer.mkv
transcode: stopped: context canceled
the run: run summer cancelled
done before: part 1
once more: cannot cancel run summer: it is cancelled
`
		if out.String() != want {
			t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
		}
	})
}
