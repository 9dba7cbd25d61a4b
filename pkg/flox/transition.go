package flox

import (
	"errors"
	"reflect"
	"time"
)

// Transition is what a node decided: to go on with an output (Next, NextAfter,
// NextAll), to wait for a signal (Await), to end without a trace (Hold) or to
// fail (Abort). Only this package makes transitions.
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
	kind   outcomeKind
	one    any           // outcomeNext: a pointer to the output
	outs   []any         // outcomeFan: the outputs
	delay  time.Duration // outcomeNext: until it goes on; outcomeAwait: the timeout
	signal string        // outcomeAwait
	carry  any           // outcomeAwait
	err    error         // outcomeAbort
}

// output is the one output, nil if there is none.
func (m move) output() any {
	if m.one == nil {
		return nil
	}
	return reflect.ValueOf(m.one).Elem().Interface()
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
	if m, ok := any(&n.out).(many); ok {
		return move{kind: outcomeFan, outs: m.elements()}
	}
	return move{kind: outcomeNext, one: &n.out}
}

// Next goes on with out: to the node's successors, or, at an end, as the run's
// output.
func Next[O any](out O) Transition[O] { return next[O]{out} }

type nextAfter[O any] struct {
	out   O
	delay time.Duration
}

func (nextAfter[O]) leadsTo(O) {}

func (n nextAfter[O]) move() move {
	return move{kind: outcomeNext, one: &n.out, delay: max(0, n.delay)}
}

// NextAfter goes on with out after d, which is kept by the store: no worker
// waits meanwhile, and none needs to live. Something must come after the node:
// at an end or a join there is nothing to delay, and the item fails for good.
func NextAfter[O any](d time.Duration, out O) Transition[O] { return nextAfter[O]{out, d} }

type hold[O any] struct{}

func (hold[O]) leadsTo(O) {}

func (hold[O]) move() move { return move{kind: outcomeHold} }

// Hold ends the token and emits nothing: a later item will, when the run's state
// says that all is there. The item's delta is merged. If the state has moved since the item
// read it, the node runs again on the fresh state instead; so of several items
// that each add to the state and hold, the last one always sees all the others.
func Hold[O any]() Transition[O] { return hold[O]{} }

type await[C, P any] struct {
	signal  string
	carry   C
	timeout time.Duration
}

func (await[C, P]) leadsTo(Answer[C, P]) {}

func (a await[C, P]) move() move {
	return move{kind: outcomeAwait, signal: a.signal, carry: a.carry, delay: max(0, a.timeout)}
}

// Await waits for a signal of the run, at most for timeout (zero: for ever). No
// worker waits meanwhile. The node's successors get an Answer with carry and
// the signal's payload, or with TimedOut set. A signal that came before the
// Await is taken at once. The node names its signals with Ref.Awaits.
func Await[C, P any](s Signal[P], carry C, timeout time.Duration) Awaiting[C, P] {
	return await[C, P]{s.name, carry, timeout}
}

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
// goes to the node's fallback, and its delta is merged there. Without a fallback
// of the node's own the delta is dropped, and that of the nested workflow takes the
// failure, or else the run fails.
func Abort[O any](err error) Transition[O] { return abort[O]{err} }
