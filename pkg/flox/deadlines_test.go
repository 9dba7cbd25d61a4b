package flox

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestDeadlines wants contexts that end in time, whoever shares them, and with
// their parent.
func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, end := context.WithCancel(t.Context())
		d := newDeadlines(parent, 16*time.Second)
		made := map[context.Context]bool{}
		for range 100 {
			began := time.Now()
			ctx := d.from(began)
			made[ctx] = true
			at, ok := ctx.Deadline()
			if left := at.Sub(began); !ok || left > 16*time.Second || left < 15*time.Second {
				t.Fatalf("a call has %v, want 15 to 16 s", left)
			}
			if len(made) == 50 { // it has one call, then
				<-ctx.Done()
				if late := time.Since(at); late != 0 || context.Cause(ctx) != context.DeadlineExceeded {
					t.Fatalf("it ended %v after its deadline, of %v", late, context.Cause(ctx))
				}
			}
			time.Sleep(510 * time.Millisecond)
		}
		if len(made) != 51 {
			t.Errorf("100 calls, one each 510 ms, got %d contexts, want one for two", len(made))
		}
		last := d.from(time.Now())
		end()
		if last.Err() == nil || d.from(time.Now()).Err() == nil {
			t.Error("a context goes on though its parent has ended")
		}
	})
}
