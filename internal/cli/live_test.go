package cli

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// TestRedraw checks that a picture follows events without a storm, and is drawn
// now and then without any.
func TestRedraw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		events := make(chan flox.RunEvent)
		begun := time.Now()
		var drawn []time.Duration
		done := make(chan error)
		go func() {
			done <- redraw(ctx, events, func() error {
				drawn = append(drawn, time.Since(begun))
				return nil
			})
		}()
		for range 25 { // a storm of 2.5s
			events <- flox.RunEvent{}
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(25 * time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("redraw = %v, want no error when it is interrupted", err)
		}
		want := []time.Duration{0, 1 * time.Second, 2 * time.Second, 3 * time.Second, 13 * time.Second, 23 * time.Second}
		if !slices.Equal(drawn, want) {
			t.Errorf("drawn at %v, want %v", drawn, want)
		}
	})
}
