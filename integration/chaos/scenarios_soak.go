package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/floxrun/flox/integration/checker"
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
	for _, name := range []string{"rolling restart", "SIGKILL", "connections closed", "SCRIPT FLUSH", "Redis restart", "pause and resume", "signal", "cancel"} {
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
	switch step % 7 {
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
	case 5:
		return s.answer(ctx, step)
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

// answer starts runs that wait for longer than all of this takes, and signals one half
// of them and cancels the other.
func (s *soak) answer(ctx context.Context, step int) error {
	for n := range 6 {
		id := fmt.Sprintf("asked-%d-%d", step, n)
		run := load.Run{ID: id, Workflow: load.ApprovalName, Input: load.Ask{Timeout: 24 * 60 * 60 * 1000}}
		if err := s.t.Start(ctx, s.ctl, run); err != nil {
			return err
		}
		if n%2 == 0 {
			if err := load.Approve.Send(ctx, s.ctl, id, "yes"); err != nil {
				return err
			}
			s.t.Fired("signal", 1)
			continue
		}
		if err := s.ctl.Cancel(ctx, id); err != nil {
			return err
		}
		s.t.Expect(id, checker.Want{Status: "cancelled"})
		s.t.Fired("cancel", 1)
	}
	return nil
}
