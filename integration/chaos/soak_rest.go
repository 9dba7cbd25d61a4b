package main

import (
	"context"
	"sync"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// watch takes samples, and notes runs that have ended as they should, until the
// function that it returns is called.
func (s *soak) watch(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		for ctx.Err() == nil {
			one := s.sample(ctx)
			if ctx.Err() == nil {
				s.samples = append(s.samples, one)
			}
			_ = pause(ctx, max(time.Second, s.length/600))
		}
	})
	running.Go(func() {
		for ctx.Err() == nil {
			s.note(ctx)
			_ = pause(ctx, time.Second)
		}
	})
	return func() { cancel(); running.Wait() }
}

// note looks at all runs that have ended and are still kept.
func (s *soak) note(ctx context.Context) {
	wants := s.t.Wants()
	filter := flox.RunFilter{Statuses: []flox.Status{flox.StatusCompleted, flox.StatusFailed, flox.StatusCancelled}}
	for req := (flox.ListRequest{RunFilter: filter, Limit: 500}); ; {
		page, err := s.ctl.List(ctx, req)
		if err != nil {
			return
		}
		s.mu.Lock()
		for _, r := range page.Runs {
			want, known := wants[r.ID]
			right := string(r.Status) == want.Status &&
				(r.Status == flox.StatusCancelled || r.Counts.Outputs == int64(want.Outputs) && r.Counts.Committed == int64(want.Committed))
			if right && known {
				s.ended[r.ID] = true
			}
		}
		s.mu.Unlock()
		if req.Cursor = page.Next; req.Cursor == "" {
			return
		}
	}
}

// drained waits until every run has ended, and judges how long that took (L1).
func (s *soak) drained(ctx context.Context) error {
	begun := time.Now()
	err := s.t.Await(ctx, "every run has ended", func() (bool, error) {
		page, err := s.ctl.List(ctx, flox.ListRequest{RunFilter: flox.RunFilter{Statuses: flox.ActiveStatuses()}, Limit: 1})
		return err == nil && len(page.Runs) == 0 && page.Next == "", err
	})
	took := time.Since(begun) - (s.t.stalls.sum() - s.t.calmed)
	s.t.Measure("load drained", took.Seconds())
	s.t.Judge("L1", took <= s.t.bound(), "it took %v until every run had ended, want at most %v", took, s.t.bound())
	return err
}

// rest waits until no run is left, and takes a sample when the server had time to
// give its memory back.
func (s *soak) rest(ctx context.Context) (sample, error) {
	var err error
	for end := time.Now().Add(soakRetention + patience); ; {
		err = s.t.Await(ctx, "retention has removed every run", func() (bool, error) {
			page, err := s.ctl.List(ctx, flox.ListRequest{Limit: 1})
			return err == nil && len(page.Runs) == 0 && page.Next == "", err
		})
		if err == nil || time.Now().After(end) || ctx.Err() != nil {
			break
		}
	}
	if err != nil {
		return sample{}, err
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return sample{}, err
	}
	_ = s.t.Nodes()[0].Do(ctx, "MEMORY", "PURGE").Err()
	return s.sample(ctx), nil
}

// judge compares the end with the beginning (L7), and the runs with what they had
// to come to (L1, L5).
func (s *soak) judge(before, after sample) {
	t, wants := s.t, s.t.Wants()
	for id := range wants {
		t.Judge("L1", s.ended[id], "run %s was never seen to have ended as it should", id)
	}
	within := func(what string, from, to, share, room float64) {
		t.Judge("L7", to <= from+max(from*share, room), "%s: %.0f at the beginning, %.0f at the end", what, from, to)
		t.Measure(what+" at first", from)
		t.Measure(what+" at last", to)
	}
	// An empty server's 2 MB go up and down by some 100 KB with its buffers and scripts;
	// Redis 8 was seen to have 267 KB more.
	within("memory", before.memory, after.memory, 0.05, 512<<10)
	// A worker that was killed is remembered for a day: its record, and a consumer of
	// it in each queue.
	t.mu.Lock()
	killed := float64(t.faults["SIGKILL"])
	t.mu.Unlock()
	within("keys", before.keys+killed, after.keys, 0, 0)
	within("consumers", before.consumers+before.consumers*killed/soakWorkers, after.consumers, 0, 0)
	within("connections", before.connections, after.connections, 0.25, 4)
	within("goroutines", before.goroutines, after.goroutines, 0.25, 10)
	t.Judge("L7", after.workers == soakWorkers, "%v workers answer at the end", after.workers)
	// They are gone, as they should be.
	t.mu.Lock()
	defer t.mu.Unlock()
	for id := range wants {
		t.Case.Gone = append(t.Case.Gone, id)
		delete(t.wants, id)
	}
	t.report.Measure("largest worker MiB", after.resident/(1<<20))
	t.report.Measure("runs", float64(len(wants)))
}
