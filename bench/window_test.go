package main

import (
	"context"
	"testing"
	"time"
)

func TestCostBetweenReadings(t *testing.T) {
	from := reading{at: time.Unix(100, 0), steps: 1000, redis: time.Second, workers: 2 * time.Second}
	to := reading{at: time.Unix(102, 0), steps: 101_000, redis: 2 * time.Second, workers: 5 * time.Second}
	want := cost{redis: 10, workers: 30, wall: 20}
	if got, err := from.until(to); got != want || err != nil {
		t.Errorf("until() = %v, %v, want %v", got, err, want)
	}
	if got, err := from.until(from); err == nil {
		t.Errorf("until() without steps = %v, want an error", got)
	}
}

func TestWindows(t *testing.T) {
	t.Parallel()
	const runs = 60
	for _, tt := range []struct {
		name string
		open opener
		setup
	}{
		{"sixteen partitions", openWindowFlox, setup{workers: 1, partitions: 16}},
		{"cluster", openWindowFlox, setup{workers: 1, masters: 3}},
		{"asynq", openWindowAsynq, setup{workers: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w, err := tt.open(t.Context(), tiny(t), tt.setup, runs)
			if err != nil {
				t.Fatal(err)
			}
			r, err := w.await(t.Context(), chainSteps*runs)
			if err != nil || r.steps != chainSteps*runs {
				t.Fatalf("await() read %d steps, %v, want %d", r.steps, err, chainSteps*runs)
			}
			if r.redis <= 0 || r.workers <= 0 {
				t.Errorf("CPU of Redis %v and of the workers %v, want more than none", r.redis, r.workers)
			}
			if err := w.stop(t.Context()); err != nil {
				t.Error(err)
			}
			// Without a worker nothing can come.
			if _, err := w.await(t.Context(), chainSteps*runs+1); err == nil {
				t.Error("await() of a step too many returned no error")
			}
		})
	}
}

func TestMeasuresInParts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		run     func(ctx context.Context, e *env) ([]Sample, error)
		metrics []string
	}{
		{"wide run", wideRun, []string{"wide run: drain", "wide run: redis cpu", "wide run: worker cpu"}},
		{"idle", floxIdle, []string{"idle: commands", "idle: sent", "idle: worker cpu"}},
		{"bytes", floxBytes, []string{"bytes, pending run", "bytes, finished run", "of a pending run: run", "aof, start", "aof, step"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := tiny(t)
			e.parallel, e.settle = 300, 1200*time.Millisecond
			got, err := tt.run(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			values := map[string]float64{}
			for _, s := range got {
				values[s.Metric] = s.Value
			}
			for _, metric := range tt.metrics {
				if values[metric] <= 0 {
					t.Errorf("%s = %v, want more than none; measured are %v", metric, values[metric], values)
				}
			}
		})
	}
}
