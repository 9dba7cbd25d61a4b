package flox

import "errors"

// Transition is what a node decided: to go on with an output (Next, NextAll) or
// to fail (Abort). Only this package makes transitions.
type Transition[O any] interface {
	leadsTo(O)
	move() move
}

// Many is the output type of a fan-out: any number of O.
type Many[O any] struct{ outs []O }

// Fanout is what a node returns that fans out. Such a node is added with
// AddFanout, and its successors take an O each.
type Fanout[O any] = Transition[Many[O]]

// move is a Transition with its types erased.
type move struct {
	kind outcomeKind
	outs []any
	err  error // outcomeAbort
}

// many is what Many[O] is for any O.
type many interface{ elements() []any }

func (m Many[O]) elements() []any {
	outs := make([]any, len(m.outs))
	for i, out := range m.outs {
		outs[i] = out
	}
	return outs
}

type next[O any] struct{ out O }

func (next[O]) leadsTo(O) {}

func (n next[O]) move() move {
	if m, ok := any(n.out).(many); ok {
		return move{kind: outcomeFan, outs: m.elements()}
	}
	return move{kind: outcomeNext, outs: []any{n.out}}
}

// Next goes on with out: to the node's successors, or, at an end, as the run's
// output.
func Next[O any](out O) Transition[O] { return next[O]{out} }

// NextAll goes on with every element of outs, in parallel. The elements' order
// is kept by a join. No element at all is allowed: a join then gets none.
func NextAll[O any](outs []O) Fanout[O] { return next[Many[O]]{Many[O]{outs}} }

type abort[O any] struct{ err error }

func (abort[O]) leadsTo(O) {}

func (a abort[O]) move() move {
	if a.err == nil {
		a.err = errors.New("aborted")
	}
	return move{kind: outcomeAbort, err: a.err}
}

// Abort is a decision to fail with err, which no retry would change. The item
// goes to the node's fallback, and its delta is merged there; without a
// fallback the run fails and the delta is dropped.
func Abort[O any](err error) Transition[O] { return abort[O]{err} }
