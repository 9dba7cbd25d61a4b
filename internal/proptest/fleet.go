package proptest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Config says how runs are driven.
type Config struct {
	Workers, Concurrency int
	Lease, Quantum       time.Duration
	Crashes              int           // of workers, in all
	Pauses               int           // of runs, in all
	Limit                time.Duration // for all runs together
}

// fleet is workers that die and are replaced.
type fleet struct {
	st   flox.Store
	cfg  Config
	defs []flox.Definition
	stop context.Context
	all  sync.WaitGroup
	told hearsay

	mu      sync.Mutex
	r       *rand.Rand
	crashes int // left
	pauses  int
	errs    []error
}

func (f *fleet) report(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.errs = append(f.errs, err)
}

// hire starts a worker, mortal as long as there are crashes left.
func (f *fleet) hire(name int) {
	ctx, die := context.WithCancel(f.stop)
	st := &mortal{Store: f.st, f: f, dead: make(chan struct{})}
	st.die = func() {
		close(st.dead)
		die()
		f.hire(name)
	}
	f.mu.Lock()
	if f.crashes > 0 {
		f.crashes--
		st.left.Store(1 + f.r.Int64N(20))
		st.end = ending(f.r.IntN(int(endings)))
	} else {
		st.left.Store(1 << 40)
	}
	f.mu.Unlock()
	w, err := flox.NewWorker(st, &flox.WorkerConfig{
		Name: fmt.Sprint("w", name), Concurrency: f.cfg.Concurrency, Lease: f.cfg.Lease, Quantum: f.cfg.Quantum,
		DrainGrace: f.cfg.Lease, CrashLimit: 1000, Logger: slog.New(slog.DiscardHandler),
		Observer: &f.told,
	}, f.defs...)
	if err != nil {
		f.report(err)
		die()
		return
	}
	f.all.Go(func() {
		defer die()
		if err := w.Run(ctx); err != nil && ctx.Err() == nil {
			f.report(err)
		}
	})
}

// pausesNow says, now and then, that a run is paused after the commit at hand.
func (f *fleet) pausesNow() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.pauses == 0 || f.r.IntN(8) > 0 {
		return false
	}
	f.pauses--
	return true
}

// pause pauses a run, and resumes it later. A run that has ended refuses. It takes as
// long as it takes: the time of the commit that it comes with is no limit.
func (f *fleet) pause(ctx context.Context, run string) {
	ctx = context.WithoutCancel(ctx)
	control := flox.NewControl(f.st)
	f.told.pauses(run)
	if err := control.Pause(ctx, run); err != nil {
		if !errors.Is(err, flox.ErrRefused) {
			f.report(err)
		}
		return
	}
	f.all.Go(func() {
		time.Sleep(f.cfg.Lease / 2)
		if err := control.Resume(ctx, run); err != nil && !errors.Is(err, flox.ErrRefused) {
			f.report(err)
		}
	})
}

// ending is what becomes of a worker at its last commit.
type ending int

const (
	diesBefore ending = iota // it never sends the commit
	diesAfter                // it never hears of the answer
	answerLost               // it gets an error though the commit is applied, and lives on
	answerLate               // it hears nothing for so long that it asks again
	endings
)

// mortal is the store of a worker to whom something happens at one of its
// commits. What a worker holds that dies, it never gives back.
type mortal struct {
	flox.Store
	f    *fleet
	left atomic.Int64 // commits until then
	end  ending
	dead chan struct{}
	die  func()
}

var errDead = errors.New("dead")

func (m *mortal) gone() error {
	select {
	case <-m.dead:
		return errDead
	default:
		return nil
	}
}

// Commit implements flox.CheckpointStore.
func (m *mortal) Commit(ctx context.Context, c flox.Commit) (flox.CommitResult, error) {
	if err := m.gone(); err != nil {
		return flox.CommitResult{}, err
	}
	last := m.left.Add(-1) == 0
	if last && m.end == diesBefore {
		m.die()
		return flox.CommitResult{}, errDead
	}
	res, err := m.Store.Commit(ctx, c)
	m.f.told.unanswered(err)
	if !last {
		if err == nil && m.f.pausesNow() {
			m.f.pause(ctx, c.Run)
		}
		return res, err
	}
	m.f.told.loses(c, res)
	switch m.end {
	case diesAfter:
		m.die()
	case answerLate:
		<-ctx.Done()
	}
	return flox.CommitResult{}, errDead
}
