package main

import (
	"context"
	"time"

	"github.com/floxrun/flox/integration/load"
)

func init() {
	register(scenario{name: "worker-clocks", row: "worker clocks +1 h and -1 h", run: workerClocks})
}

// workerClocks lets workers work together whose clocks are two hours apart, and
// kills some of them: what one left, another takes over in time.
func workerClocks(ctx context.Context, t *trial) error {
	t.Fired("clocks an hour off", 0)
	t.Fired("SIGKILL", 0)
	tags := ""
	if t.bug != "" {
		tags = "floxbug"
	}
	binary, err := skewed(ctx, t.dir, tags)
	if err != nil {
		return err
	}
	t.Fleet.Use(binary)
	clocks := []string{load.EnvClock + "=3600", load.EnvClock + "=-3600", load.EnvClock + "=0"}
	for _, clock := range clocks {
		if err := t.Workers(ctx, 1, clock); err != nil {
			return err
		}
	}
	if err := t.clocksOff(ctx); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 30)
	if err != nil {
		return err
	}
	for i := range 6 {
		if err := pause(ctx, 400*time.Millisecond); err != nil {
			return err
		}
		w, err := t.Busy(ctx)
		if err != nil {
			return err
		}
		t.Fleet.Kill(w)
		t.Fired("SIGKILL", 1)
		if err := t.Workers(ctx, 1, clocks[i%len(clocks)]); err != nil {
			return err
		}
	}
	t.Calm()
	return f.End()
}

// clocksOff counts the workers whose own word of when they started is an hour off.
func (t *trial) clocksOff(ctx context.Context) error {
	st, err := t.Store(ctx)
	if err != nil {
		return err
	}
	workers, err := st.Workers(ctx)
	if err != nil {
		return err
	}
	for _, w := range workers {
		if off := time.Since(w.Started).Abs(); off > 50*time.Minute && off < 70*time.Minute {
			t.Fired("clocks an hour off", 1)
		}
	}
	return nil
}
