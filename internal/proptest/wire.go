package proptest

import (
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// wirer draws blocks into a builder.
type wirer struct {
	c     *Case
	b     *flox.Builder[State]
	scope string // of the nested workflow with a state of its own
}

// port is where the edges to a block lead, and where those behind it begin.
type port struct {
	in   flox.In[V]
	outs []exit
}

// exit is a node that yields a V, whatever it takes.
type exit struct {
	out  flox.Out[V]
	to   func(flox.In[V])
	join func(flox.In[[]V])
}

func exitOf[I any](r flox.Ref[I, V]) exit {
	return exit{out: r, to: func(n flox.In[V]) { r.To(n) }, join: func(n flox.In[[]V]) { r.Join(n) }}
}

// signal of a node that asks.
func signal(node string) flox.Signal[string] { return flox.NewSignal[string]("signal-" + node) }

func (w *wirer) units(n int) time.Duration { return time.Duration(n) * w.c.unit }

// addStep adds s with what it fails to; pre makes a V of its input.
func addStep[I any](w *wirer, s *step, pre func(I) V) (flox.Ref[I, V], []exit) {
	r := addNode(w, s, pre)
	outs := []exit{exitOf(r)}
	if s.fallback != nil {
		f := addNode(w, s.fallback, func(f flox.Failure[I]) V { return pre(f.Input) })
		r.OnFailure(f)
		outs = append(outs, exitOf(f))
	}
	return r, outs
}

// addNode adds s without a fallback.
func addNode[I any](w *wirer, s *step, pre func(I) V) flox.Ref[I, V] {
	var r flox.Ref[I, V]
	if s.bare {
		r = flox.Func(w.b, s.name, bareNode(w, s, pre))
	} else {
		r = flox.AddFunc(w.b, s.name, stepNode(w, s, pre))
	}
	if s.queue != "" {
		r.Queue(s.queue)
	}
	if s.undo != nil {
		r.UndoWith(addUndo(w, s.undo, pre))
		w.c.undos[s.name] = true
	}
	return r
}

func addUndo[I any](w *wirer, s *step, pre func(I) V) flox.Ref[flox.Done[I, V], flox.None] {
	return flox.AddFunc(w.b, s.name, undoNode(w, s, pre))
}

func (s *step) wire(w *wirer) port {
	r, outs := addStep(w, s, same)
	return port{r, outs}
}

func (p port) before(next port) port {
	for _, out := range p.outs {
		out.to(next.in)
	}
	return port{p.in, next.outs}
}

func (s seq) wire(w *wirer) port {
	p := s[0].wire(w)
	for _, b := range s[1:] {
		p = p.before(b.wire(w))
	}
	return p
}

func (q *quiet) wire(w *wirer) port {
	if q.hold {
		r := flox.AddFunc(w.b, q.step.name, holdNode(w, q))
		return port{r, []exit{exitOf(r)}}
	}
	return port{in: flox.AddFunc(w.b, q.step.name, quietNode(w, q.step))}
}

// join draws the join of what leaves the arms of opener.
func (w *wirer) join(opener flox.Ref[V, V], outs [][]exit, how joinKind, join *step, needs int) []exit {
	switch how {
	case joinWith:
		j, after := addStep(w, join, foldJoined)
		for _, arm := range outs {
			for _, out := range arm {
				flox.JoinWith(opener, out.out, j)
			}
		}
		return after
	case joinPair:
		j, after := addStep(w, join, foldPair)
		flox.Join2(outs[0][0].out, outs[1][0].out, j) // each arm ends in one bare step
		return after
	}
	fold := foldList
	if how == joinAny {
		fold = foldCount
	}
	j, after := addStep(w, join, fold)
	if needs > 0 {
		j.Quorum(needs)
	}
	for _, arm := range outs {
		for _, out := range arm {
			out.join(j)
		}
	}
	return after
}

func (f *fan) wire(w *wirer) port {
	w.c.drops = w.c.drops || f.needs > 0
	open, _ := addStep(w, f.open, same)
	var outs [][]exit
	for _, arm := range f.arms {
		p := arm.wire(w)
		open.To(p.in)
		outs = append(outs, p.outs)
	}
	for _, s := range f.slow {
		p := seq{s, &step{name: s.name + "late"}}.wire(w)
		open.To(p.in)
		outs = append(outs, p.outs)
	}
	return port{open, w.join(open, outs, f.how, f.join, f.needs)}
}

func (s *split) wire(w *wirer) port {
	var r flox.Ref[V, V]
	if s.plain {
		r = flox.Split[State](w.b, s.name, s.elements)
	} else {
		r = flox.AddFanout(w.b, s.name, splitNode(w, s))
	}
	body := s.body.wire(w)
	r.To(body.in)
	if s.join == nil {
		return port{r, body.outs}
	}
	return port{r, w.join(r, [][]exit{body.outs}, s.how, s.join, 0)}
}

func (f *route) wire(w *wirer) port {
	open, _ := addStep(w, f.open, same)
	var arms []flox.Arm[V]
	var outs []exit
	for i, arm := range f.arms {
		p := arm.wire(w)
		outs = append(outs, p.outs...)
		if i == len(f.arms)-1 {
			arms = append(arms, flox.Otherwise(p.in))
			continue
		}
		arms = append(arms, flox.When(func(v V) bool { return f.choose(v) == i }, p.in))
	}
	open.Route(arms...)
	return port{open, outs}
}
