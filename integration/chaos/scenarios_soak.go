package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/floxrun/flox/integration/load"
	"github.com/floxrun/flox/pkg/flox"
)

func init() {
	register(scenario{
		name: "soak", row: "a mixed load with rolling restarts and faults for a long time", run: soakFor, unwatched: true,
		topologies: []string{always}, // a Redis that is killed forgets nothing then
	})
}

// soakRetention is how long runs are kept: as short as may be, so that all go in
// the end.
const soakRetention = time.Minute

// soakWorkers is how many worker processes there are.
const soakWorkers = 3

// soak is a long mixed load.
type soak struct {
	t       *trial
	ctl     *flox.Control
	length  time.Duration // SOAK; a minute if it is not set
	samples []sample
	started int // runs

	mu    sync.Mutex
	at    map[*load.Worker]string // where each worker's metrics are
	ended map[string]bool         // runs that were seen to have ended as they should
}

// soakFor warms up and comes to rest, which is what the end is compared with; then
// loads the deployment while workers are restarted and faults come, and lets it come
// to rest until retention has removed every run.
func soakFor(ctx context.Context, t *trial) error {
	s := &soak{t: t, length: time.Minute, at: map[*load.Worker]string{}, ended: map[string]bool{}}
	if d, err := time.ParseDuration(os.Getenv("SOAK")); err == nil {
		s.length = d
	}
	var err error
	if s.ctl, err = t.Control(ctx); err != nil {
		return err
	}
	for range soakWorkers {
		if err := s.start(); err != nil {
			return err
		}
	}
	if err := t.Ready(ctx); err != nil {
		return err
	}
	stop := s.watch(ctx)
	defer stop()
	if err := s.load(ctx, min(s.length/4, 30*time.Second), func() error { return nil }); err != nil {
		return err
	}
	before, err := s.rest(ctx)
	if err != nil {
		return err
	}
	for _, name := range []string{"rolling restart", "SIGKILL", "connections closed", "SCRIPT FLUSH", "Redis restart", "pause and resume"} {
		t.Fired(name, 0)
	}
	step := 0
	err = s.load(ctx, s.length, func() error { step++; return s.harm(ctx, step) })
	if err != nil {
		return err
	}
	t.Calm()
	if err := s.drained(ctx); err != nil {
		return err
	}
	after, err := s.rest(ctx)
	if err != nil {
		return err
	}
	stop()
	t.Calm() // retention is no part of the time to rest
	s.judge(before, after)
	if file := os.Getenv("SOAK_PICTURE"); file != "" {
		return s.draw(file)
	}
	return nil
}

// start starts a worker whose metrics can be read.
func (s *soak) start() error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	w, err := s.t.Fleet.Start("FLOX_LISTEN="+address, load.EnvRetention+"="+soakRetention.String())
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[w] = address
	return nil
}

// addresses are those of the workers that the fleet has now.
func (s *soak) addresses() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, w := range s.t.Fleet.Workers() {
		all = append(all, s.at[w])
	}
	return all
}

// load starts runs for a while and does harm every few seconds.
func (s *soak) load(ctx context.Context, during time.Duration, harm func() error) error {
	f := &feed{t: s.t, ctl: s.ctl}
	inner, stop := context.WithCancel(ctx)
	f.stop = stop
	f.running.Go(func() {
		for ; inner.Err() == nil && f.err == nil; _ = pause(inner, 40*time.Millisecond) {
			f.err = s.t.Start(ctx, s.ctl, Mixed(s.started))
			s.started++
		}
	})
	err := every(ctx, max(2*time.Second, during/60), during, harm)
	return errors.Join(err, f.End())
}

// harm does one thing after the other, each again and again.
func (s *soak) harm(ctx context.Context, step int) error {
	t, node := s.t, s.t.Nodes()[0]
	workers := t.Fleet.Workers()
	w := workers[t.Random.IntN(len(workers))]
	switch step % 6 {
	case 0:
		t.Fleet.Kill(w)
		t.Fired("SIGKILL", 1)
		return s.start()
	case 1:
		t.Fleet.Drain(w)
		t.Fired("rolling restart", 1)
		return s.start()
	case 2:
		t.Fired("connections closed", 1)
		return node.Do(ctx, "CLIENT", "KILL", "TYPE", "normal").Err()
	case 3:
		t.Fired("SCRIPT FLUSH", 1)
		return node.ScriptFlush(ctx).Err()
	case 4:
		return t.Await(ctx, "a run is paused", func() (bool, error) { return s.pause(ctx) })
	}
	t.Fired("Redis restart", 1)
	return t.Site.Nodes[0].Restart(ctx)
}

// pause pauses and resumes some runs; it reports whether there were any.
func (s *soak) pause(ctx context.Context) (paused bool, err error) {
	page, err := s.ctl.List(ctx, flox.ListRequest{RunFilter: flox.RunFilter{Statuses: []flox.Status{flox.StatusRunning}}, Limit: 10})
	for _, r := range page.Runs {
		if s.ctl.Pause(ctx, r.ID) != nil {
			continue // it has ended meanwhile
		}
		s.t.Fired("pause and resume", 1)
		paused = true
		if err := s.ctl.Resume(ctx, r.ID); err != nil && !errors.Is(err, flox.ErrRefused) {
			return true, err
		}
	}
	return paused, err
}

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
			right := string(r.Status) == want.Status && r.Counts.Outputs == int64(want.Outputs) && r.Counts.Committed == int64(want.Committed)
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
	// An empty server's 2 MB go up and down by some 100 KB with its buffers and scripts.
	within("memory", before.memory, after.memory, 0.05, 256<<10)
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
