package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/pkg/flox"
)

func init() {
	register(
		scenario{name: "control-storm", row: "pause, resume and cancel storms", short: true, run: controlStorm},
		scenario{name: "control-storm-kills", row: "pause, resume and cancel storms while workers are killed", run: controlStormKills},
	)
}

// storm pauses, resumes and cancels runs that go on.
type storm struct {
	t    *trial
	feed *feed
	ctl  *flox.Control

	mu   sync.Mutex
	done map[flox.ControlOp]int
}

// controlStorm lets clients control runs at random for a while, and then resumes
// all that is paused.
func controlStorm(ctx context.Context, t *trial) error {
	return t.storm(ctx, func(ctx context.Context) error { return pause(ctx, 3*time.Second) })
}

// controlStormKills also kills the workers meanwhile, one after the other.
func controlStormKills(ctx context.Context, t *trial) error {
	t.Fired("SIGKILL", 0)
	return t.storm(ctx, func(ctx context.Context) error {
		for range 6 {
			w, err := t.Busy(ctx)
			if err != nil {
				return err
			}
			t.Fleet.Kill(w)
			t.Fired("SIGKILL", 1)
			if _, err := t.Fleet.Start(); err != nil {
				return err
			}
			if err := pause(ctx, time.Duration(300+t.Random.IntN(300))*time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	})
}

func (t *trial) storm(ctx context.Context, meanwhile func(context.Context) error) error {
	const clients = 4
	if err := t.Workers(ctx, 3); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 40)
	if err != nil {
		return err
	}
	ctl, err := t.Control(ctx)
	if err != nil {
		return err
	}
	s := &storm{t: t, feed: f, ctl: ctl, done: map[flox.ControlOp]int{}}
	raging, stop := context.WithCancel(ctx)
	defer stop()
	errs := make([]error, clients)
	var wg sync.WaitGroup
	for i := range clients {
		random := rand.New(rand.NewPCG(t.Seed, uint64(i)+1))
		wg.Go(func() {
			for raging.Err() == nil && errs[i] == nil {
				// What is begun is ended, so that its outcome is known.
				errs[i] = s.strike(ctx, random)
				_ = pause(raging, time.Duration(random.IntN(6))*time.Millisecond)
			}
		})
	}
	err = meanwhile(ctx)
	stop()
	wg.Wait()
	err = errors.Join(err, f.End(), errors.Join(errs...))
	for op, name := range map[flox.ControlOp]string{flox.ControlPause: "pauses", flox.ControlResume: "resumes", flox.ControlCancel: "cancels"} {
		t.Fired(name, s.done[op])
	}
	if err != nil {
		return err
	}
	if err := s.resumeAll(ctx); err != nil {
		return err
	}
	t.Calm()
	return nil
}

// strike does one thing to one of the runs that were started last.
func (s *storm) strike(ctx context.Context, random *rand.Rand) error {
	started := s.feed.Started()
	if started == 0 {
		return pause(ctx, time.Millisecond)
	}
	id := Mixed(max(0, started-1-random.IntN(40))).ID
	var op flox.ControlOp
	var err error
	switch n := random.IntN(100); {
	case n < 50:
		op, err = flox.ControlPause, s.ctl.Pause(ctx, id)
	case n < 95:
		op, err = flox.ControlResume, s.ctl.Resume(ctx, id)
	default:
		op, err = flox.ControlCancel, s.ctl.Cancel(ctx, id)
	}
	switch {
	case errors.Is(err, flox.ErrRefused):
		return nil
	case err != nil:
		return fmt.Errorf("%s of run %s: %w", op, id, err)
	}
	if op == flox.ControlCancel {
		s.t.Expect(id, checker.Want{Status: "cancelled"})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done[op]++
	return nil
}

// resumeAll resumes what is paused.
func (s *storm) resumeAll(ctx context.Context) error {
	for n := range s.feed.Started() {
		id := Mixed(n).ID
		info, err := s.ctl.Show(ctx, id)
		if err != nil {
			return fmt.Errorf("run %s: %w", id, err)
		}
		if info.Status != flox.StatusPaused {
			continue
		}
		if err := s.ctl.Resume(ctx, id); err != nil && !errors.Is(err, flox.ErrRefused) {
			return fmt.Errorf("resume of run %s: %w", id, err)
		}
	}
	return nil
}
