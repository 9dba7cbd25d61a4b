package redisstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Severity is how bad a Finding is. Errors and warnings are problems, an info is
// only worth knowing.
type Severity string

// Severities, the worst first.
const (
	SeverityError   Severity = "error"   // something stands still, is lost, or will be
	SeverityWarning Severity = "warning" // something may come to that, or is left behind
	SeverityInfo    Severity = "info"
)

// Finding is one thing that Examine found. Its kinds are listed in docs/doctor.md.
type Finding struct {
	Kind     string   `json:"kind"`          // stable, see docs/doctor.md
	Severity Severity `json:"severity"`      // error, warning or info
	Subject  string   `json:"subject"`       // what it is about: "run x", "queue y", "key z", ...
	Detail   string   `json:"detail"`        // for people
	Fix      string   `json:"fix,omitempty"` // what mending it does, "" if nothing can
	Mended   bool     `json:"mended"`        // it was there, and is not any more
}

// Problem reports whether the finding is more than an info and is still there.
func (f Finding) Problem() bool { return f.Severity != SeverityInfo && !f.Mended }

// ExamineConfig says what Examine does. Its zero value examines and mends nothing.
type ExamineConfig struct {
	// Fix mends what can be mended. Each mending is one script that looks again
	// at its reason, so that it does no harm while workers and clients go on.
	Fix bool
	// Run restricts the examination to one run.
	Run string
	// Deep reads also what runs that were completed or cancelled keep: it takes as
	// long as reading the whole namespace.
	Deep bool
	// Lease is the workers' lease; default 10 s. Only what lasts for longer than
	// that is a finding.
	Lease time.Duration
	// Progress is told now and then what is being looked at and how many things
	// were. It must return soon. Default: nobody is.
	Progress func(stage string, done int)
}

// When a worker is stale, and when dead.
const (
	workerAlive = 15 * time.Second
	workerDead  = time.Minute
)

// errEnough ends an examination whose findings nobody wants any more.
var errEnough = errors.New("enough")

// examiner is one examination.
type examiner struct {
	s     *Store
	cfg   ExamineConfig
	yield func(Finding, error) bool
	mend  int // cfg.Fix as scripts take it
	ended bool

	workers   []workerBeat
	workflows []flox.WorkflowInfo
	queues    []queueKey // that the keys have, or the workflows

	mu    sync.Mutex
	found []Finding // since the last flush
}

// Examine looks at the server and all that the namespace keeps there, and yields
// what is wrong. An error ends it: the server cannot be asked. It reads in parts
// and may be used while everything goes on; nothing that passes by itself is a
// finding. ErrNotFound if there is no run cfg.Run.
func (s *Store) Examine(ctx context.Context, cfg ExamineConfig) iter.Seq2[Finding, error] {
	if cfg.Lease <= 0 {
		cfg.Lease = 10 * time.Second
	}
	return func(yield func(Finding, error) bool) {
		e := &examiner{s: s, cfg: cfg, yield: yield, mend: bit(cfg.Fix)}
		err := e.examine(ctx)
		if err == nil {
			err = e.flush()
		}
		if err != nil && !e.ended {
			_ = e.flush()
			if !e.ended {
				yield(Finding{}, fmt.Errorf("examine namespace %s: %w", s.keys.ns, err))
			}
		}
	}
}

func (e *examiner) examine(ctx context.Context) error {
	if e.cfg.Run != "" {
		return e.oneRun(ctx)
	}
	if able, err := e.servers(ctx); err != nil || !able {
		return err
	}
	looks := []func(context.Context) error{
		e.config, e.registered, e.beats, e.everyKey, e.indexes, e.marks, e.timers, e.streams, e.stats, e.served, e.shared,
	}
	for _, look := range looks {
		if err := look(ctx); err != nil {
			return err
		}
		if err := e.flush(); err != nil {
			return err
		}
		if e.s.unfit != nil {
			return nil
		}
	}
	return nil
}

// report takes a finding. It may be called by several goroutines.
func (e *examiner) report(f Finding) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.found = append(e.found, f)
}

// fixable reports a finding that a script has found, and mended if it was asked to.
func (e *examiner) fixable(f Finding) {
	f.Mended = e.cfg.Fix
	e.report(f)
}

// flush hands on what was reported.
func (e *examiner) flush() error {
	e.mu.Lock()
	found := e.found
	e.found = nil
	e.mu.Unlock()
	for _, f := range found {
		if e.ended || !e.yield(f, nil) {
			e.ended = true
			return errEnough
		}
	}
	return nil
}

// progress says how far a stage is, and hands on what was found.
func (e *examiner) progress(stage string, done int) error {
	if e.cfg.Progress != nil {
		e.cfg.Progress(stage, done)
	}
	return e.flush()
}

// asked runs a script that answers with a number.
func (e *examiner) asked(ctx context.Context, n int, x *script, keys []string, args ...any) (int64, error) {
	reply, err := e.s.script(ctx, n, x, keys, args...)
	return integer([]any{reply}, 0), err
}
