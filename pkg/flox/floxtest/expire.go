package floxtest

import (
	"errors"
	"fmt"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var expireChecks = []check{
	{"ByEnd", expireByEnd},
	{"ByWorkflow", expireByWorkflow},
	{"Many", expireMany},
	{"BehindKept", expireBehindKept},
	{"Tokens", expireTokens},
	{"Retried", expireRetried},
	{"EndedAgain", expireEndedAgain},
	{"RetentionChanged", expireChanged},
	{"Broken", expireBroken},
	{"Together", expireTogether},
}

// expireByEnd keeps runs by how they ended: one end briefly, one for ever, one by
// default.
func expireByEnd(d *driver) {
	ends := []flox.Status{flox.StatusCompleted, flox.StatusFailed, flox.StatusCancelled}
	for i, end := range ends {
		name := fmt.Sprintf("keeps-%s", end)
		d.retain(name, map[flox.Status]time.Duration{end: briefly, ends[(i+1)%3]: flox.KeepForever})
		for _, as := range ends {
			d.ended(name, fmt.Sprintf("%s-%s", end, as), as)
		}
	}
	d.outlast()
	d.wantExpired(3)
	for _, end := range ends {
		for _, as := range ends {
			run := d.scene(fmt.Sprintf("%s-%s", end, as))
			if end == as {
				run.wantGone()
			} else {
				run.wantStatus(as)
			}
		}
	}
	d.unchanged("Delete of what has not expired", func() { d.wantExpired(0) })
}

// expireByWorkflow also has runs that have not ended, and such of workflows that
// nobody registered.
func expireByWorkflow(d *driver) {
	d.retain("tea", allEnds(briefly))
	d.retain("coffee", allEnds(flox.KeepForever))
	tea := d.ended("tea", "tea", flox.StatusCompleted)
	kept := []*driver{
		d.ended("coffee", "coffee", flox.StatusCompleted),
		d.ended("water", "water", flox.StatusCompleted),
		d.ended("tea", "running", ""),
	}
	d.outlast()
	d.wantExpired(1)
	tea.wantGone()
	for _, run := range kept {
		run.info()
	}
	kept[2].commit(end(kept[2].take(), "out"), flox.VerdictReleased)
}

func expireMany(d *driver) {
	const n = 700
	d.unchanged("runs that have expired", func() {
		d.retain("tea", allEnds(0))
		for i := range n {
			d.ended("tea", fmt.Sprintf("run%d", i), flox.StatusCancelled)
		}
		d.wantExpired(n)
	})
}

// expireBehindKept has more runs that are kept, all older, than one look at an
// index takes in.
func expireBehindKept(d *driver) {
	d.retain("coffee", allEnds(time.Hour))
	d.retain("tea", allEnds(briefly))
	for i := range 400 {
		d.ended("coffee", fmt.Sprintf("old%d", i), flox.StatusCancelled)
	}
	for i := range 2 {
		run := d.ended("tea", fmt.Sprintf("young%d", i), flox.StatusCancelled)
		d.outlast()
		d.wantExpired(1)
		run.wantGone()
	}
	d.scene("old0").wantStatus(flox.StatusCancelled)
}

// expireTokens lets a failed run expire that has tokens everywhere.
func expireTokens(d *driver) {
	d.unchanged("a run that expired with tokens everywhere", func() {
		leased, claimed := d.scatter()
		d.must(d.s.Register(d.ctx, flox.WorkflowInfo{
			Name: workflow, StartNode: "first", StartQueue: d.queue, Queues: []string{d.queue, d.other}, Retention: allEnds(briefly),
		}))
		d.outlast()
		d.wantExpired(1)
		d.wantGone()
		d.wantZombies(leased, claimed)
	})
}

// expireRetried retries a run whose retention is over: it stays.
func expireRetried(d *driver) {
	d.retain("tea", allEnds(briefly))
	run := d.ended("tea", "tea", flox.StatusFailed)
	d.outlast()
	run.control(flox.ControlRetry)
	run.settle()
	d.wantExpired(0)
	run.commit(end(run.take(), "out"), flox.VerdictReleased)
	run.wantStatus(flox.StatusCompleted)
}

// expireEndedAgain lets a run that was looked at and kept end anew.
func expireEndedAgain(d *driver) {
	d.retain("tea", map[flox.Status]time.Duration{flox.StatusFailed: briefly})
	run := d.ended("tea", "tea", flox.StatusFailed)
	d.wantExpired(0)
	run.control(flox.ControlRetry)
	run.settle()
	d.outlast()
	d.ended("tea", "other", flox.StatusFailed)
	run.commit(fail(run.take(), "again"), flox.VerdictReleased)
	d.wantExpired(0)
	d.outlast()
	d.wantExpired(2)
	run.wantGone()
}

// expireChanged registers another retention: it holds for all runs there are.
func expireChanged(d *driver) {
	d.retain("tea", allEnds(flox.KeepForever))
	d.retain("coffee", allEnds(briefly))
	run := d.ended("tea", "tea", flox.StatusCompleted)
	d.ended("coffee", "coffee", flox.StatusCompleted)
	d.outlast()
	d.wantExpired(1)
	d.retain("tea", allEnds(briefly))
	d.wantExpired(1)
	run.wantGone()
	d.retain("tea", allEnds(flox.KeepForever))
	kept := d.ended("tea", "kept", flox.StatusCompleted)
	d.outlast()
	d.wantExpired(0)
	kept.wantStatus(flox.StatusCompleted)
}

// expireBroken checks that a broken run keeps no other from being removed.
func expireBroken(d *driver) {
	d.retain("tea", allEnds(briefly))
	d.ended("tea", "broken", flox.StatusCompleted)
	run := d.ended("tea", "tea", flox.StatusCompleted)
	if d.b.BreakKey == nil || !d.b.BreakKey(d.t, "broken", "run") {
		return
	}
	d.outlast()
	d.wantExpired(1)
	run.wantGone()
}

// expireTogether has several workers remove what has expired, while runs are
// retried: each is removed or goes on.
func expireTogether(d *driver) {
	d.retain("tea", allEnds(briefly))
	const runs = 60
	all := make([]*driver, runs)
	for i := range all {
		all[i] = d.ended("tea", fmt.Sprintf("run%d", i), flox.StatusFailed)
	}
	d.outlast()
	sweep := func() {
		for n := 1; n > 0; {
			var err error
			if n, err = d.s.Delete(d.ctx, ""); err != nil {
				d.t.Errorf("Delete: %v", err)
			}
		}
	}
	retryEach := func() {
		for i := range all {
			_, err := d.s.Control(d.ctx, flox.ControlRequest{Run: all[runs-1-i].run, Op: flox.ControlRetry, Nonce: newOwner()})
			if err != nil && !errors.Is(err, flox.ErrNotFound) {
				d.t.Errorf("retry: %v", err)
			}
		}
	}
	together(sweep, retryEach, sweep, sweep)
	for _, run := range all {
		if _, err := d.s.Info(d.ctx, run.run); errors.Is(err, flox.ErrNotFound) {
			run.wantGone()
			continue
		}
		run.wantStatus(flox.StatusRunning)
		run.settle()
		run.commit(end(run.take(), "out"), flox.VerdictReleased)
	}
}
