package proptest

import "strings"

func (f *route) eval(m *model, in V) result {
	r := f.open.eval(m, in)
	if r.failed != nil {
		return r
	}
	return r.then(m, f.arms[f.choose(r.outs[0])])
}

// choose is the arm that v goes into.
func (f *route) choose(v V) int { return int(v.N) % len(f.arms) }

func (s *side) eval(m *model, in V) result {
	r := s.open.eval(m, in)
	if r.failed != nil {
		return r
	}
	beside := s.first.eval(m, r.outs[0]).then(m, s.last)
	r.side = append(r.side, beside.must...)
	return r.then(m, s.main)
}

func (l *loop) eval(m *model, in V) result {
	r := l.head.eval(m, in)
	for {
		r = r.then(m, l.body).then(m, l.tail)
		if r.failed != nil || len(r.outs) == 0 || l.tail.left(r.outs[0]) <= 0 {
			return r.then(m, l.done)
		}
	}
}

func (n *nest) framed() bool { return n.own || n.list || n.fallback != nil || n.undo != nil }

func (n *nest) eval(m *model, in V) result {
	r := n.body.eval(m, in)
	if !n.framed() {
		return r
	}
	if r.failed == nil && !n.list && len(r.outs) == 0 {
		r = r.fail(n.name + "/$end")
	}
	r.settle(r.failed == nil)
	if n.own {
		r.each(func(e event) event { return leave(e, r.failed == nil) })
	}
	if r.failed != nil {
		if n.fallback == nil {
			return r
		}
		r.each(func(e event) event {
			if e.kind == uncaught {
				e.kind = caught
			}
			return e
		})
		r.outs, r.failed = []V{in}, nil
		return r.then(m, n.fallback)
	}
	if n.list {
		r.outs = []V{foldSorted(r.outs)}
	}
	n.undo.undone(&r, in, r.outs[0])
	if n.list {
		return r.then(m, n.unlist)
	}
	return r
}

// leave is what is left of an event when a visit ends that has a state of its own.
func leave(e event, completed bool) event {
	switch {
	case e.kind == undo+inState, e.kind == inState && !completed:
		return event{}
	case e.kind == inState:
		e.key = lifted(e.key)
	}
	return e
}

func (g *gather) eval(m *model, in V) result {
	var r result
	in.K = gathered(in)
	r.add(committed, g.split)
	for i := range in.K {
		r.add(inState, lifted(g.collect.entry(element(in, i))))
		r.add(committed, g.collect.name)
	}
	r.outs = []V{foldSorted([]V{g.last(in)})}
	return r.then(m, g.then)
}

// last is what the last one that comes to a gathering yields, whichever it is.
func (g *gather) last(v V) V { return V{N: mix(int64(v.K), g.collect.salt)} }

func (a *ask) eval(m *model, in V) result {
	var r result
	r.add(inState, a.step.entry(in))
	r.add(committed, a.step.name)
	answer := a.payload
	if answer == "" {
		answer = "-"
	}
	in.N = mix(in.N, int64(len(answer)))
	r.outs = []V{in}
	return r.then(m, a.then)
}

// expected is what a run must come to.
type expected struct {
	Outs   []V
	Failed []string // one of these nodes failed it; nil: it completes
	Must   map[string]map[string]int
	May    map[string]map[string]int // beyond Must
}

// expect evaluates a whole workflow.
func expect(root block, in V, armed bool) expected {
	r := root.eval(&model{armed}, in)
	r.settle(r.failed == nil)
	r.each(func(e event) event {
		kind, ok := strings.CutPrefix(e.kind, undo)
		if ok && r.failed == nil {
			return event{}
		}
		return event{kind, e.key}
	})
	return expected{Outs: r.outs, Failed: r.failed, Must: count(r.must), May: count(r.may)}
}

func count(events []event) map[string]map[string]int {
	all := map[string]map[string]int{}
	for _, e := range events {
		if all[e.kind] == nil {
			all[e.kind] = map[string]int{}
		}
		all[e.kind][e.key]++
	}
	return all
}
