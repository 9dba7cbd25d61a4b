package simulation

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// settled reports whether all runs have ended and left nothing.
func (s *stepper) settled() bool {
	for _, p := range s.plans {
		info, err := s.st.Info(s.ctx, p.run)
		if err != nil || !info.Status.Terminal() || info.Counts.Live > 0 {
			return false
		}
	}
	queues, err := s.st.Queues(s.ctx, stepQueues)
	s.must(err)
	for _, q := range queues {
		if q.Ready+q.Leased+q.Delayed > 0 {
			return false
		}
	}
	return true
}

// stands says how all runs stand.
func (s *stepper) stands() string {
	var b strings.Builder
	for _, p := range s.plans {
		info, err := s.st.Info(s.ctx, p.run)
		fmt.Fprintf(&b, "%s %s %+v %v\n", p.run, info.Status, info.Counts, err)
		tokens, _, _ := s.st.Checkpoint(s.ctx, p.run, "", 100)
		for _, t := range tokens {
			fmt.Fprintf(&b, "  %+v\n", t)
		}
	}
	queues, _ := s.st.Queues(s.ctx, stepQueues)
	fmt.Fprintf(&b, "%+v", queues)
	return b.String()
}

// atEnd compares what the runs came to with what the plans say.
func (s *stepper) atEnd() error {
	var errs []error
	for _, p := range s.plans {
		if err := s.ended(p); err != nil {
			errs = append(errs, fmt.Errorf("%w: %s: %w", errViolation, p.run, err))
		}
	}
	return errors.Join(errs...)
}

func (s *stepper) ended(p *plan) error {
	info, err := s.st.Info(s.ctx, p.run)
	s.must(err)
	log, err := s.st.State(s.ctx, p.run, 0)
	s.must(err)
	deltas := strings.Fields(string(log.Snapshot))
	for _, d := range log.Deltas {
		deltas = append(deltas, string(d))
	}
	seen := map[string]bool{}
	for _, d := range deltas {
		if seen[d] {
			return fmt.Errorf("delta %s is there twice in %v", d, deltas)
		}
		seen[d] = true
	}
	steps, err := s.st.History(s.ctx, p.run, 0, 10_000)
	s.must(err)
	done := map[string]bool{}
	for _, step := range steps {
		if done[step.Item] {
			return fmt.Errorf("item %s is there twice in the history", step.Item)
		}
		done[step.Item] = true
	}
	n := info.Counts
	if len(steps) != int(n.Committed+n.Failed) || int(n.Committed) != len(deltas) {
		return fmt.Errorf("%d steps in the history and %d deltas, but %+v", len(steps), len(deltas), n)
	}
	switch {
	case p.cancelled:
		return want("status", info.Status, flox.StatusCancelled)
	case p.undoes:
		return errors.Join(want("status", info.Status, flox.StatusFailed), s.undone(p, seen))
	case p.quorum:
		return want("status", info.Status, flox.StatusCompleted)
	}
	o := p.outcome()
	outs, err := s.st.Outputs(s.ctx, p.run)
	s.must(err)
	all := maps.Clone(o.committed)
	maps.Copy(all, o.fallback)
	return errors.Join(
		want("status", info.Status, flox.StatusCompleted),
		want("outputs", fmt.Sprintf("%s", outs), "["+o.output+"]"),
		want("deltas", sorted(seen), sorted(o.committed)),
		want("history", sorted(done), sorted(all)),
		want("dropped", n.Dropped, 0),
	)
}

// undone checks that what can be undone was, once.
func (s *stepper) undone(p *plan, deltas map[string]bool) error {
	for d := range deltas {
		if !strings.HasPrefix(d, "undo:") && s.judge.undo[p.run+"/"+d] != deltas["undo:"+d] {
			return fmt.Errorf("item %s: can be undone: %t, was undone: %t", d, s.judge.undo[p.run+"/"+d], deltas["undo:"+d])
		}
	}
	return nil
}

func sorted(set map[string]bool) string { return fmt.Sprint(slices.Sorted(maps.Keys(set))) }

func want[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s: %v, want %v", what, got, want)
	}
	return nil
}
