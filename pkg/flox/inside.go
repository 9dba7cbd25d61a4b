package flox

import (
	"context"
	"errors"
)

// inside is a workflow as the inner worker of a Composite gets it.
type inside struct {
	Definition
	g *graph
}

func (i inside) graph() *graph { return i.g }

// newInside makes the nodes of wf part of the item that v is at.
func newInside(run context.Context, end context.CancelCauseFunc, wf Definition, v *visit) inside {
	g := *wf.graph()
	nodes := map[*node]*node{}
	byName := map[string]*node{}
	for name, n := range g.byName {
		if nodes[n] == nil {
			c := *n
			c.execute = executeInside(run, end, n, v)
			nodes[n] = &c
		}
		byName[name] = nodes[n]
	}
	g.byName = byName
	return inside{wf, &g}
}

// executeInside executes items at n until run ends. The inner worker logs
// nothing, so what fails is told here.
func executeInside(run context.Context, end context.CancelCauseFunc, n *node, v *visit) func(context.Context, *execution) outcome {
	return func(ctx context.Context, x *execution) outcome {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(run, func() { cancel(endOf(run)) })()
		x.within, x.report, x.state = v.info(), nil, insideLog{x.state, v, end}
		out := n.execute(ctx, x)
		if out.err != nil {
			v.info().Logger.Warn("inner item failed", logPart, x.lease.Item(), logInner, n.name,
				logAttempt, x.lease.Attempt+1, logClass, out.class, logError, out.err)
		}
		return out
	}
}

// endOf is why run has ended, for the inner nodes: what is the timeout of the
// item is none of theirs.
func endOf(run context.Context) error {
	cause := context.Cause(run)
	if errors.Is(cause, errTimeout) {
		return context.DeadlineExceeded
	}
	return cause
}

// unreadError ends an inner run whose item could not read its state.
type unreadError struct{ error }

// insideLog is the state that inner nodes see: the item's, as it was when first
// asked for, followed by what they have merged. Inner scopes are the inner run's
// own.
type insideLog struct {
	stateLog
	outer *visit
	end   context.CancelCauseFunc
}

func (l insideLog) in(scope string) stateReader {
	own := l.stateLog.in(scope)
	if scope != "" {
		return own
	}
	return insideState{own, l}
}

type insideState struct {
	own stateReader
	insideLog
}

func (s insideState) readState(ctx context.Context, st *stateType) (any, int64, error) {
	own, version, err := s.own.readState(ctx, st)
	if err != nil {
		return nil, 0, err
	}
	outer, err := s.outer.read()
	if err != nil {
		s.end(&unreadError{err})
		return nil, 0, err
	}
	return st.merge(outer, own), version, nil
}
