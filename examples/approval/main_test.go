package main

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestRun lets six days pass, which takes a moment in a synctest bubble. It would
// take some more if they had 24 hours: a worker looks around every second.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var mails []string
		mail := func(text string) {
			mu.Lock()
			defer mu.Unlock()
			mails = append(mails, text)
		}
		var out strings.Builder
		if err := run(t.Context(), &out, 30*time.Minute, mail); err != nil {
			t.Fatal(err)
		}
		want := `chairs: rejected by Zoe: we have chairs (on day 1)
laptop: €1200 paid, approved by Zoe (on day 4)
yacht: expired, nobody answered (on day 6)
`
		if out.String() != want {
			t.Errorf("run printed\n%s\nwant\n%s", out.String(), want)
		}
		slices.Sort(mails)
		asked := []string{
			"please decide on chairs", "please decide on laptop", "please decide on laptop",
			"please decide on yacht", "please decide on yacht",
		}
		if !slices.Equal(mails, asked) {
			t.Errorf("mails were %q, want %q", mails, asked)
		}
	})
}
