package proptest

import "slices"

// event is one thing that a run leaves behind.
type event struct{ kind, key string }

// Kinds of events. What begins with "undo" happens if the run fails.
const (
	inState   = "state"  // an entry in the state
	committed = "done"   // an item of the node in the history
	caught    = "caught" // an item of it that took a fallback
	failedTry = "error"  // a failed attempt
	uncaught  = "fails"  // an item that no fallback of its own took
	undo      = "undo "
)

// tally is what happens: surely; surely, unless something fails meanwhile; maybe.
type tally struct{ must, side, may []event }

// result is what a block comes to for one value.
type result struct {
	outs   []V // none if the token ended
	failed []string
	tally
}

// model evaluates blocks one after the other, with no engine.
type model struct{ armed bool }

func (r *result) add(kind, key string) { r.must = append(r.must, event{kind, key}) }

func (t *tally) plus(u tally) {
	t.must = append(t.must, u.must...)
	t.side = append(t.side, u.side...)
	t.may = append(t.may, u.may...)
}

// unsure makes everything something that may happen.
func (t *tally) unsure() {
	t.may = slices.Concat(t.may, t.must, t.side)
	t.must, t.side = nil, nil
}

// settle says what became of what went on beside: somebody waited for it, or
// something failed.
func (t *tally) settle(waited bool) {
	if waited {
		t.must = append(t.must, t.side...)
	} else {
		t.may = append(t.may, t.side...)
	}
	t.side = nil
}

// each replaces every event by what f makes of it; "" drops it.
func (t *tally) each(f func(event) event) {
	for _, list := range []*[]event{&t.must, &t.side, &t.may} {
		var kept []event
		for _, e := range *list {
			if e = f(e); e.kind != "" {
				kept = append(kept, e)
			}
		}
		*list = kept
	}
}

// then goes on with b, if there is something to go on with.
func (r result) then(m *model, b block) result {
	if r.failed != nil || len(r.outs) == 0 {
		return r
	}
	next := b.eval(m, r.outs[0])
	r.outs, r.failed = next.outs, next.failed
	r.plus(next.tally)
	return r
}

func (s *step) eval(m *model, in V) result {
	var r result
	for attempt := 1; ; attempt++ {
		how := s.fate(in, attempt, m.armed)
		if how == fateOK {
			break
		}
		r.add(failedTry, s.name)
		if (how == fateError || how == fatePanic) && attempt < maxAttempts {
			continue
		}
		if how == fateAbort && s.fallback != nil && !s.bare {
			r.add(inState, s.entry(in))
		}
		return s.fail(m, r, in)
	}
	if !s.bare {
		r.add(inState, s.entry(in))
	}
	r.add(committed, s.name)
	r.outs = []V{s.out(in)}
	s.undo.undone(&r, in, r.outs[0])
	return r
}

// fail ends with a failure at node.
func (r result) fail(node string) result {
	r.add(uncaught, node)
	r.failed = []string{node}
	return r
}

// fail takes the fallback, if there is one.
func (s *step) fail(m *model, r result, in V) result {
	if s.fallback == nil {
		return r.fail(s.name)
	}
	r.add(caught, s.name)
	r.outs = []V{in}
	return r.then(m, s.fallback)
}

// undone adds what undoes in to out, should the run fail.
func (s *step) undone(r *result, in, out V) {
	if s == nil {
		return
	}
	for range s.flaky {
		r.add(undo+failedTry, s.name)
	}
	r.add(undo+inState, s.undoing(in, out))
	r.add(undo+committed, s.name)
}

func (s seq) eval(m *model, in V) result {
	r := result{outs: []V{in}}
	for _, b := range s {
		r = r.then(m, b)
	}
	return r
}

func (q *quiet) eval(m *model, in V) result {
	r := q.step.eval(m, in)
	if !q.hold || q.holds(in) {
		r.outs = nil
	}
	return r
}

// together is what branches come to that are in flight at the same time.
func together(branches []result) result {
	var r result
	for _, b := range branches {
		r.outs = append(r.outs, b.outs...)
		r.failed = append(r.failed, b.failed...)
		r.plus(b.tally)
	}
	if r.failed != nil {
		r.unsure()
	}
	return r
}

// joined goes on behind the join of branches that were opened by r, which was
// given in.
func (r result) joined(m *model, in V, b result, how joinKind, arms, needs int, join *step) result {
	if how == joinAny {
		b.unsure()
		b.outs = b.outs[:needs]
	}
	r.failed = b.failed
	r.plus(b.tally)
	if r.failed != nil {
		return r
	}
	r.settle(needs == 0)
	came := b.outs
	r.outs = []V{foldList(came)}
	switch {
	case how == joinPair && len(came) < arms: // its input cannot be made, for a fallback neither
		r.add(failedTry, join.name)
		return r.fail(join.name)
	case how == joinWith:
		r.outs[0].N, r.outs[0].L0, r.outs[0].L1 = mix(r.outs[0].N, in.N), in.L0, in.L1
	case how == joinAny:
		r.outs[0] = foldCount(came)
	}
	if len(came) < needs {
		r.add(failedTry, join.name)
		return join.fail(m, r, r.outs[0])
	}
	return r.then(m, join)
}

func (f *fan) eval(m *model, in V) result {
	r := f.open.eval(m, in)
	if r.failed != nil {
		return r
	}
	var branches []result
	for _, arm := range f.arms {
		branches = append(branches, arm.eval(m, r.outs[0]))
	}
	b := together(branches)
	for _, s := range f.slow {
		late := s.eval(m, r.outs[0])
		late.unsure()
		b.plus(late.tally)
	}
	return r.joined(m, in, b, f.how, len(f.arms), f.needs, f.join)
}

func (s *split) eval(m *model, in V) result {
	var r result
	r.add(committed, s.name)
	if !s.plain {
		r.add(inState, (&step{name: s.name}).entry(in))
	}
	r.outs = []V{in}
	var branches []result
	for i := range s.size(in) {
		branches = append(branches, s.body.eval(m, element(in, i)))
	}
	b := together(branches)
	if s.join != nil {
		return r.joined(m, in, b, s.how, 0, 0, s.join)
	}
	r.plus(b.tally)
	r.outs, r.failed = b.outs, b.failed
	return r
}
