package flox

import "log/slog"

func (s *session) lost(when string) {
	s.w.cfg.Observer.Observe(Event{Kind: EventLeaseLost, Workflow: s.workflowLabel(), Node: s.nodeLabel(), Count: 1})
	s.w.cfg.Logger.Warn("lease lost "+when, logRun, s.lease.Run, logItem, s.lease.Item(), logNode, s.item.Node)
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

func (s *session) observeFinish(n *node, c Commit, out outcome) {
	name := map[Op]string{OpRetry: "retry", OpFail: "fail"}[c.Op]
	if name == "" {
		name = outcomeName(c)
	}
	if c.Fallback {
		name = "fallback"
	}
	s.w.cfg.Observer.Observe(Event{
		Kind: EventFinished, Workflow: s.graph.name, Node: n.name, Queue: n.queue, Outcome: name, Duration: out.took,
	})
	if out.err != nil {
		level := slog.LevelWarn
		if c.Op == OpFail {
			level = slog.LevelError
		}
		s.w.cfg.Logger.Log(s.ctx, level, "item failed", logRun, s.lease.Run, logItem, s.lease.Item(),
			logNode, n.name, logAttempt, s.lease.Attempt+1, logClass, out.class, logVerdict, name)
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
