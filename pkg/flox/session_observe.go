package flox

import "log/slog"

func (s *session) lost(when string) {
	s.w.cfg.Observer.Observe(Event{Kind: EventLeaseLost, Workflow: s.workflowLabel(), Node: s.nodeLabel(), Count: 1})
	s.note().Warn("lease lost " + when)
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
	// A join begins once, also if its item is tried again. The end of a nested
	// workflow's visit is none that its author has written.
	if in := s.item.Input; in.Joined && n.visit == nil && e.Queued && s.lease.Attempt == 0 {
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
func (c Commit) outcome() string {
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
func (s *session) observeFailure(c Commit, out outcome) {
	s.w.cfg.Observer.Observe(Event{
		Kind: EventFailed, Workflow: s.workflowLabel(), Node: s.nodeLabel(), Outcome: c.outcome(), Class: out.class,
	})
}

// observeState tells of a state of that many bytes that was read.
func (s *session) observeState(size int) {
	s.w.cfg.Observer.Observe(Event{Kind: EventState, Workflow: s.workflowLabel(), Count: size})
}

// runEnded tells of a run that the commit c has ended.
func (s *session) runEnded(c Commit, res CommitResult) {
	s.w.cfg.Observer.Observe(Event{
		Kind: EventRunEnded, Workflow: s.workflowLabel(), Outcome: string(res.Ended), Duration: res.Lasted,
	})
	if s.w.cfg.Tracer != nil {
		s.w.cfg.Tracer.RunEnded(EndedRun{
			Namespace: s.w.st.Namespace(), Run: s.lease.Run, Workflow: s.item.Workflow, Trace: s.item.Trace,
			Status: res.Ended, Lasted: res.Lasted, Cause: c.Cause,
		})
	}
}

func (s *session) observeFinish(n *node, c Commit, out outcome) {
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
