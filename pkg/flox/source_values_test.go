package flox_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

func TestEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Minute)
		defer cancel()
		time.Sleep(time.Minute)
		ticks := map[string]time.Time{}
		for id, at := range flox.Every(ctx, time.Hour) {
			if !at.Equal(time.Now()) || at.Truncate(time.Hour) != at {
				t.Errorf("tick %s at %v, want one on the hour, now", id, at)
			}
			ticks[id] = at
			if len(ticks) == 1 {
				time.Sleep(61 * time.Minute) // a tick passes unasked
			}
		}
		// The bubble's clock begins at 2000-01-01.
		want := []string{"every-1h0m0s-20000101T010000Z", "every-1h0m0s-20000101T030000Z"}
		if got := slices.Sorted(maps.Keys(ticks)); !slices.Equal(got, want) {
			t.Errorf("ticks %v, want %v", got, want)
		}
		for _, d := range []time.Duration{time.Microsecond, 1500 * time.Millisecond, 7 * 24 * time.Hour, 1} {
			for id := range flox.Every(t.Context(), d) {
				if err := flox.CheckName("run id", id); err != nil {
					t.Errorf("every %v: %v", d, err)
				}
				break
			}
		}
	})
}

// TestSourceEvery has two machines start a run a tick between them, for two
// workflows in one namespace.
func TestSourceEvery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := flox.NewMemory()
		var defs []flox.Definition
		var orchs []*flox.Orchestrator[trail, time.Time, time.Time]
		for _, name := range []string{"report", "sweep"} {
			b := flox.New[trail](name)
			n := flox.Func(b, "n", same[time.Time])
			wf := build(t, b, n, n)
			defs = append(defs, wf)
			orchs = append(orchs, orchestrate(t, st, wf), orchestrate(t, st, wf))
		}
		defer stage{t, st}.worker(flox.WorkerConfig{}, defs...)()
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Minute)
		defer cancel()
		ended := make(chan error, len(orchs))
		for _, o := range orchs {
			go func() { ended <- o.Source(ctx, flox.Every(ctx, time.Hour), 2) }()
		}
		for range orchs {
			if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Source = %v, want %v", err, context.DeadlineExceeded)
			}
		}
		s := &sourceStage{orch: orchestrate(t, st, single(t, sourced, nil))}
		want := []string{
			"report-every-1h0m0s-20000101T010000Z", "report-every-1h0m0s-20000101T020000Z",
			"sweep-every-1h0m0s-20000101T010000Z", "sweep-every-1h0m0s-20000101T020000Z",
		}
		if ids := s.ids(t); !slices.Equal(ids, want) {
			t.Errorf("runs %v\nwant %v", ids, want)
		}
	})
}

func TestEveryRefusesNonsense(t *testing.T) {
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "Every(0s)") {
			t.Errorf("panic %v, want one that names the call", p)
		}
	}()
	flox.Every(t.Context(), 0)
}
