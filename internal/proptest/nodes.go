package proptest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// stepNode is what a step does.
func stepNode[I any](w *wirer, s *step, pre func(I) V) func(*flox.Context[State], I) (flox.Transition[V], error) {
	return func(ctx *flox.Context[State], in I) (flox.Transition[V], error) {
		v := pre(in)
		w.enter(ctx, s, v)
		err := fmt.Errorf("%s fails for %d", s.name, v.N)
		switch s.fate(v, ctx.Attempt(), w.c.armed.Load()) {
		case fateError:
			return nil, err
		case fatePanic:
			panic(err)
		case fatePermanent:
			return nil, flox.Permanent(err)
		case fateAbort:
			return flox.Abort[V](err), nil
		}
		out := w.leave(s, v)
		if s.undo != nil && w.scope == "" {
			w.c.effect(s.undo.undoing(v, out))
		}
		if s.after > 0 {
			return flox.NextAfter(w.units(s.after), out), nil
		}
		return flox.Next(out), nil
	}
}

// bareNode is a step as a plain function.
func bareNode[I any](w *wirer, s *step, pre func(I) V) func(context.Context, I) (V, error) {
	return func(ctx context.Context, in I) (V, error) {
		v := pre(in)
		info, _ := flox.InfoFrom(ctx)
		switch s.fate(v, info.Attempt, w.c.armed.Load()) {
		case fateOK:
			out := s.out(v)
			out.Prev = ""
			return out, nil
		case fateError:
			return V{}, errors.New(s.name + " fails")
		case fatePanic:
			panic(s.name)
		}
		return V{}, flox.Permanent(errors.New(s.name + " fails for good"))
	}
}

// enter merges the step's entry and looks whether the state has what it must.
func (w *wirer) enter(ctx *flox.Context[State], s *step, v V) {
	entry := s.entry(v)
	ctx.Merge(delta(entry))
	if !s.reads {
		return
	}
	state := ctx.State()
	if int(state.Sum) != len(state.Log) {
		w.c.complain("%s saw %d entries, and a sum of %d", entry, len(state.Log), state.Sum)
	}
	if !slices.Contains(state.Log, entry) {
		w.c.complain("%s did not see its own delta in %v", entry, state.Log)
	}
	if scope, prev, ok := strings.Cut(v.Prev, "|"); ok && scope == w.scope && !slices.Contains(state.Log, prev) {
		w.c.complain("%s did not see the delta of %s, which came before it, in %v", entry, prev, state.Log)
	}
}

// leave is what the step yields.
func (w *wirer) leave(s *step, v V) V {
	out := s.out(v)
	out.Prev = w.scope + "|" + s.entry(v)
	return out
}

func undoNode[I any](w *wirer, s *step, pre func(I) V) func(*flox.Context[State], flox.Done[I, V]) (flox.Transition[flox.None], error) {
	return func(ctx *flox.Context[State], d flox.Done[I, V]) (flox.Transition[flox.None], error) {
		if d.Cause.Class == "" || d.Cause.Message == "" {
			w.c.complain("%s was not told the cause: %+v", s.name, d.Cause)
		}
		ctx.Merge(delta(s.undoing(pre(d.Input), d.Output)))
		if ctx.Attempt() <= s.flaky {
			return nil, errors.New("could not undo")
		}
		return flox.Next(flox.None{}), nil
	}
}

func holdNode(w *wirer, q *quiet) func(*flox.Context[State], V) (flox.Transition[V], error) {
	return func(ctx *flox.Context[State], v V) (flox.Transition[V], error) {
		w.enter(ctx, q.step, v)
		if q.holds(v) {
			return flox.Hold[V](), nil
		}
		return flox.Next(w.leave(q.step, v)), nil
	}
}

func quietNode(w *wirer, s *step) func(*flox.Context[State], V) (flox.Transition[flox.None], error) {
	return func(ctx *flox.Context[State], v V) (flox.Transition[flox.None], error) {
		w.enter(ctx, s, v)
		return flox.Next(flox.None{}), nil
	}
}

func (s *split) elements(v V) []V {
	all := make([]V, s.size(v))
	for i := range all {
		all[i] = element(v, i)
	}
	return all
}

func splitNode(w *wirer, s *split) flox.NodeFunc[State, V, flox.Many[V]] {
	return func(ctx *flox.Context[State], v V) (flox.Fanout[V], error) {
		w.enter(ctx, &step{name: s.name}, v)
		return flox.NextAll(s.elements(v)), nil
	}
}

func collectNode(w *wirer, g *gather) func(*flox.Context[State], V) (flox.Transition[V], error) {
	return func(ctx *flox.Context[State], v V) (flox.Transition[V], error) {
		w.enter(ctx, g.collect, v)
		if int(ctx.State().Sum) < v.K {
			return flox.Hold[V](), nil
		}
		return flox.Next(g.last(v)), nil
	}
}

func askNode(w *wirer, a *ask) func(*flox.Context[State], V) (flox.Awaiting[V, string], error) {
	return func(ctx *flox.Context[State], v V) (flox.Awaiting[V, string], error) {
		w.enter(ctx, a.step, v)
		v.Prev = ""
		if a.payload != "" {
			return flox.Await(signal(a.step.name), v, 0), nil
		}
		return flox.Await(signal(a.step.name), v, w.units(1)), nil
	}
}
