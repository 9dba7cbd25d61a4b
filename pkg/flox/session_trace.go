package flox

import (
	"context"
	"log/slog"
	"strings"
)

// begin tells the tracer of the attempt at the item in hand. The context that it
// returns is the node's. It is followed by finish.
func (s *session) begin() context.Context {
	t := s.w.cfg.Tracer
	if t == nil {
		return s.ctx
	}
	ctx, span := t.Begin(s.ctx, Attempt{
		Namespace: s.w.st.Namespace(), Run: s.lease.Run, Workflow: s.item.Workflow, Node: s.item.Node,
		Queue: s.lease.Queue, Item: s.id, Number: s.lease.Attempt + 1, Retried: s.item.Retried, Trace: s.item.Trace,
		Worker: s.w.consumer, Release: s.item.Release != nil, After: s.after(), Waited: s.item.Waited,
	})
	s.span = span
	return ctx
}

// finish ends what begin began.
func (s *session) finish() {
	if s.span != nil {
		s.span.Finish(s.ending)
	}
	s.span, s.ending = nil, AttemptEnd{}
}

// after are the items that the one in hand follows, as far as they are known.
func (s *session) after() []string {
	switch {
	case s.item.Input.Joined && len(s.item.Input.Sources) > 0:
		return s.item.Input.Sources
	case s.lease.Step > 0:
		return []string{ItemID(s.lease.Token, s.lease.Step-1)}
	case isUndoToken(s.lease.Token):
		var u undoInput
		if DecodeRecord(s.item.Input.Payload, &u) == nil && u.Item != "" {
			return []string{u.Item}
		}
		return nil
	}
	return maker(s.lease.Token)
}

// maker is the item that made a token: that of the fan-out, for a branch, and
// also for a join with no branches. The name of a hashed token does not tell, and
// the first token of a run has none.
func maker(token string) []string {
	i := strings.LastIndexByte(token, '.')
	if i < 0 {
		return nil
	}
	return []string{token[:i]}
}

// noted is what a line of an item's log says of it, besides its run.
type noted struct {
	item, node  string
	attempt     int    // counted from 1
	trace, span string // of its span, "" if there is none
}

// line returns log with what was noted of an item of the run.
func (n *noted) line(log *slog.Logger, run string) *slog.Logger {
	attrs := make([]any, 0, 12)
	attrs = append(attrs, logRun, run, logItem, n.item, logNode, n.node, logAttempt, n.attempt)
	if n.trace != "" {
		attrs = append(attrs, logTrace, n.trace, logSpan, n.span)
	}
	return log.With(attrs...)
}

// note makes the lines of the log from now on name the item in hand, and its span.
func (s *session) note() noted {
	n := noted{item: s.id, node: s.item.Node, attempt: s.lease.Attempt + 1}
	if s.span != nil {
		if trace, span := s.span.IDs(); trace != "" {
			n.trace, n.span = trace, span
		}
	}
	s.mu.Lock()
	s.noted = n
	s.mu.Unlock()
	return n
}

// log names the item of the last note. It may be called on any goroutine.
func (s *session) log() *slog.Logger {
	s.mu.Lock()
	n := s.noted
	s.mu.Unlock()
	if n.item == "" {
		return s.w.cfg.Logger.With(logRun, s.held.Run)
	}
	return n.line(s.w.cfg.Logger, s.held.Run)
}

// storeFailed is Worker.storeFailed for a call about the item in hand.
func (s *session) storeFailed(call string, err error) { s.w.storeFailedOf(s.log(), call, err) }
