package flox

import "log/slog"

// lost tells that the lease was lost, once: who has heard it while the node ran hears
// it again at the commit.
func (s *session) lost(when string) {
	if s.told {
		return
	}
	s.told = true
	s.w.cfg.Observer.Observe(Event{Kind: EventLeaseLost, Workflow: s.workflowLabel(), Node: s.nodeLabel(), Count: 1})
	s.note()
	s.log().Warn("lease lost " + when)
}

// workflowLabel and nodeLabel are "" for names that no graph of this worker has.
func (s *session) workflowLabel() string {
	if s.graph == nil {
		return ""
	}
	return s.graph.name
}

func (s *session) nodeLabel() string {
	if n := s.node(); n != nil {
		return n.name
	}
	return ""
}

func (s *session) observeStart(n *node) {
	s.started = true
	e := Event{Kind: EventStarted, Workflow: s.graph.name, Node: n.name, Queue: n.queue}
	// How long one waited that was lost with its worker is not known.
	if !s.entered && s.item.Crashes == 0 {
		e.Queued, e.Waited = true, s.item.Waited
	}
	s.entered = true
	s.w.cfg.Observer.Observe(e)
	// A join begins once, also if its item is tried again, or the run. The end of a nested
	// workflow's visit is none that its author has written.
	if in := s.item.Input; in.Joined && n.visit == nil && e.Queued && s.lease.Attempt == 0 && s.item.Retried == 0 {
		s.w.cfg.Observer.Observe(Event{
			Kind: EventJoined, Workflow: s.graph.name, Node: n.name, Queue: n.queue, Count: len(in.Deposits),
		})
	}
}

// leave notes that the step is over, whatever came of it.
func (s *session) leave() {
	if s.started {
		s.started = false
		s.w.cfg.Observer.Observe(Event{Kind: EventGivenUp, Workflow: s.workflowLabel(), Node: s.nodeLabel()})
	}
}

// outcome says in a word what a commit decides about its item.
func (c *Commit) outcome() string {
	switch {
	case c.Fallback:
		return "fallback"
	case c.Op == OpRetry:
		return "retry"
	case c.Op == OpFail:
		return "fail"
	}
	return outcomeName(c)
}

// observeFailure tells of an attempt that has failed, and what c makes of that.
func (s *session) observeFailure(c *Commit, out outcome) {
	s.w.cfg.Observer.Observe(Event{
		Kind: EventFailed, Workflow: s.workflowLabel(), Node: s.nodeLabel(), Outcome: c.outcome(), Class: out.class,
	})
}

// observeState tells of a state of that many bytes that was read.
func (s *session) observeState(size int) {
	s.w.cfg.Observer.Observe(Event{Kind: EventState, Workflow: s.workflowLabel(), Count: size})
}

// runsEnded tells of runs that a call to the store has ended. Workflows are names
// that the namespace has, if not this worker.
func (w *Worker) runsEnded(runs []EndedRun) {
	for _, r := range runs {
		w.cfg.Observer.Observe(Event{
			Kind: EventRunEnded, Workflow: r.Workflow, Outcome: string(r.Status), Duration: r.Lasted,
		})
		if w.cfg.Tracer != nil {
			w.cfg.Tracer.RunEnded(r)
		}
	}
}

func (s *session) observeFinish(n *node, c *Commit, out outcome) {
	name := c.outcome()
	s.started = false
	s.w.cfg.Observer.Observe(Event{
		Kind: EventFinished, Workflow: s.graph.name, Node: n.name, Queue: n.queue, Outcome: name, Duration: out.took,
	})
	s.ending.Outcome, s.ending.Class, s.ending.Err = name, out.class, out.err
	if out.err != nil {
		s.observeFailure(c, out)
		level := slog.LevelWarn
		if c.Op == OpFail {
			level = slog.LevelError
		}
		s.log().Log(s.ctx, level, "item failed", logClass, out.class, logVerdict, name)
	}
}

func verdictName(v Verdict) string {
	switch v {
	case VerdictStale:
		return "stale"
	case VerdictLost:
		return "lost"
	case VerdictCancelled:
		return "cancelled"
	case VerdictLimit:
		return "limit"
	case VerdictGone:
		return "gone"
	case VerdictInvalid:
		return "invalid"
	case VerdictDropped:
		return "dropped"
	case VerdictRepeat:
		return "repeated"
	default:
		return "applied"
	}
}
