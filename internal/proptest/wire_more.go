package proptest

import (
	"github.com/floxrun/flox/pkg/flox"
)

func (s *side) wire(w *wirer) port {
	open, _ := addStep(w, s.open, same)
	beside := s.first.wire(w).before(s.last.wire(w))
	main := s.main.wire(w)
	open.To(main.in, beside.in)
	return port{open, main.outs}
}

func (l *loop) wire(w *wirer) port {
	body := l.body.wire(w)
	head := l.head.wire(w).before(body)
	tail, _ := addStep(w, l.tail, same)
	head.before(port{in: tail})
	done := l.done.wire(w)
	tail.Route(flox.When(func(v V) bool { return l.tail.left(v) > 0 }, body.in), flox.Otherwise(done.in))
	return port{head.in, done.outs}
}

// inner is a wirer of a nested workflow.
func (w *wirer) inner(name string, own bool) *wirer {
	scope := w.scope
	if own {
		scope = name
	}
	return &wirer{w.c, newBuilder(name), scope}
}

// buildError is what wiring panics with when a workflow does not build.
type buildError struct{ error }

// enclose builds what an inner wirer has drawn, with one output or any number.
func enclose(in *wirer, p port) *flox.Workflow[State, V, V] {
	wf, err := flox.Build(in.b, p.in, ends(p)...)
	if err != nil {
		panic(buildError{err})
	}
	return wf
}

func encloseAll(in *wirer, p port) *flox.Workflow[State, V, []V] {
	wf, err := flox.BuildAll(in.b, p.in, ends(p)...)
	if err != nil {
		panic(buildError{err})
	}
	return wf
}

func ends(p port) []flox.Out[V] {
	var all []flox.Out[V]
	for _, out := range p.outs {
		all = append(all, out.out)
	}
	return all
}

func addNest[O any](w *wirer, name string, own bool, wf *flox.Workflow[State, V, O]) flox.Ref[V, O] {
	if own {
		return flox.NestWith(w.b, name, wf, lift)
	}
	return flox.Nest(w.b, name, wf)
}

func (n *nest) wire(w *wirer) port {
	w.c.drops = w.c.drops || n.fallback != nil
	in := w.inner(n.name, n.own)
	p := n.body.wire(in)
	if n.list {
		r := addNest(w, n.name, n.own, encloseAll(in, p))
		then, outs := addStep(w, n.unlist, foldSorted)
		r.To(then)
		if n.fallback == nil {
			return port{r, outs}
		}
		f, more := addStep(w, n.fallback, failedInput)
		r.OnFailure(f)
		return port{r, append(outs, more...)}
	}
	r := addNest(w, n.name, n.own, enclose(in, p))
	outs := []exit{exitOf(r)}
	if n.undo != nil {
		r.UndoWith(addUndo(w, n.undo, same))
		w.c.undos[n.name+"/$end"] = true
	}
	if n.fallback != nil {
		f, more := addStep(w, n.fallback, failedInput)
		r.OnFailure(f)
		outs = append(outs, more...)
	}
	return port{r, outs}
}

func failedInput(f flox.Failure[V]) V { return f.Input }

func (g *gather) wire(w *wirer) port {
	in := w.inner(g.name, true)
	spread := flox.Split[State](in.b, g.split, func(v V) []V {
		v.K = gathered(v)
		all := make([]V, v.K)
		for i := range all {
			all[i] = element(v, i)
		}
		return all
	})
	collect := flox.AddFunc(in.b, g.collect.name, collectNode(in, g))
	spread.To(collect)
	r := flox.NestWith(w.b, g.name, encloseAll(in, port{spread, []exit{exitOf(collect)}}), lift)
	then, outs := addStep(w, g.then, foldSorted)
	r.To(then)
	return port{r, outs}
}

func (a *ask) wire(w *wirer) port {
	if a.payload != "" {
		w.c.signals[a.step.name] = a.payload
	}
	r := flox.AddFunc(w.b, a.step.name, askNode(w, a)).Awaits(signal(a.step.name))
	then, outs := addStep(w, a.then, foldAnswer)
	r.To(then)
	return port{r, outs}
}
