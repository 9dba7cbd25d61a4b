package flox

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestComplaints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c complaints
		away := errors.New("redis is away")
		check := func(call string, err error, alike int, say bool) {
			t.Helper()
			if gotAlike, got := c.say(call, err); got != say || gotAlike != alike {
				t.Errorf("say(%s, %v) = %d, %t, want %d, %t", call, err, gotAlike, got, alike, say)
			}
		}
		check("commit", fmt.Errorf("commit item 0.0 of run a: %w", away), 0, true)
		check("commit", fmt.Errorf("commit item 0.0 of run b: %w", away), 0, false)
		check("commit", away, 0, false)
		check("renew", away, 0, true)
		check("commit", errors.New("something else"), 0, true)
		time.Sleep(complaintEvery)
		check("commit", fmt.Errorf("commit item 0.0 of run c: %w", away), 2, true)
		check("commit", away, 0, false)
		if len(c.last) != 1 {
			t.Errorf("%d complaints are kept, want that of the last ten seconds", len(c.last))
		}
	})
}
