package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestRun lets three minutes pass, from midnight, when synctest's clock begins.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		if err := run(t.Context(), &out, time.Minute); err != nil {
			t.Fatal(err)
		}
		want := "sampled from two machines\n00:01:00 load 1\n00:02:00 load 2\n00:03:00 load 3\n"
		if out.String() != want {
			t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
		}
	})
}
