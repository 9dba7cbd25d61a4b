package flox

import (
	"reflect"
	"time"
)

// In is a node that accepts an I.
type In[I any] interface {
	accepts(I)
	target() *nodeDef
}

// Out is a node that yields an O.
type Out[O any] interface {
	yields(O)
	source() *nodeDef
}

// Ref is a node that was added to a Builder; its methods draw the edges and set
// options, and return the Ref they were called on. A zero Ref panics.
type Ref[I, O any] struct{ def *nodeDef }

func (Ref[I, O]) accepts(I) {}
func (Ref[I, O]) yields(O)  {}

func (r Ref[I, O]) target() *nodeDef { return r.node() }
func (r Ref[I, O]) source() *nodeDef { return r.node() }

func (r Ref[I, O]) node() *nodeDef {
	if r.def == nil {
		panic("flox: use of a zero Ref; a Ref comes from Add and its like")
	}
	return r.def
}

// nodeDef is a node while its workflow is being built.
type nodeDef struct {
	w       *wiring
	name    string
	pos     string
	in, out reflect.Type
	fanout  bool

	aliases []string
	queue   string
	retry   RetryPolicy
	timeout time.Duration

	to       []edge
	routes   []string // where Route was called
	arms     []*armDef
	joins    []edge
	fallback []edge
	undo     []edge
	signals  []AnySignal
	awaits   string // where Awaits was called
	quorum   int
	needs    string // where Quorum was called
	passes   bool   // added by End: it hands on what it gets
	problem  string // of the node's value, found by itself
	nest     *nestDef
	visit    *visitDef // of the node that begins or ends the visit of a nested workflow
	scope    *scopeDef // whose state the node sees; nil: the run's

	process func(v *visit, in any) (move, error)                          // in is a *I
	failed  func(in any, node string, attempt int, err NodeError) (f any) // in is a *I, f a Failure[I]
	done    func(in, out any) any                                         // with undo: of a *I or *arrival and an O the Done[I, O]
}

// edge leads to one successor.
type edge struct {
	to  *nodeDef
	fan *nodeDef // JoinWith: the fan-out whose input travels along
	pos string
	// Of joins: the type of what is left there, and what makes it of an output
	// if it is not the output itself.
	element reflect.Type
	wrap    func(out any) any
}

// To draws an edge to each dst. With several, each gets a copy of the output,
// in parallel.
func (r Ref[I, O]) To(dst ...In[O]) Ref[I, O] {
	n, pos := r.node(), callSite()
	for _, d := range dst {
		n.to = append(n.to, edge{to: d.target(), pos: pos})
	}
	return r
}

// Route sends each output along the first arm that fits it. Build refuses a Route
// that leaves a declared variant, or an output that no guard fits, without a way.
func (r Ref[I, O]) Route(arms ...Arm[O]) Ref[I, O] {
	n, pos := r.node(), callSite()
	n.routes = append(n.routes, pos)
	for _, a := range arms {
		arm := a.needsCaseWhenOrOtherwise()
		arm.pos = pos
		n.arms = append(n.arms, &arm)
	}
	return r
}

// Join closes the innermost fan-out: dst runs once, when all its branches have
// come or ended, with their outputs in input order.
func (r Ref[I, O]) Join(dst In[[]O]) Ref[I, O] {
	n := r.node()
	n.joins = append(n.joins, edge{to: dst.target(), pos: callSite(), element: reflect.TypeFor[O]()})
	return r
}

// Quorum lets the join that leads to this node fire as soon as n branches have
// come to it. Branches that come later are dropped: their nodes' contexts end
// and nothing of them is committed. If fewer than n can come, the node fails
// with what has come as its input.
func (r Ref[I, O]) Quorum(n int) Ref[I, O] {
	def, pos := r.node(), callSite()
	if n <= 0 {
		def.w.mistake(pos, "node %s: Quorum(%d): want at least 1", def.name, n)
	}
	def.quorum, def.needs = n, pos
	return r
}

// Awaits says which signals the node may Await; the signal's payload must be
// that of the node's Answer.
func (r Ref[I, O]) Awaits(signals ...AnySignal) Ref[I, O] {
	n := r.node()
	n.awaits = callSite()
	for _, s := range signals {
		if s == nil {
			n.w.mistake(n.awaits, "node %s: Awaits(nil): want a signal", n.name)
			continue
		}
		n.signals = append(n.signals, s)
	}
	return r
}

// Undoer is a node that undoes what one from I to O did.
type Undoer[I, O any] interface {
	accepts(Done[I, O])
	yields(None)
	target() *nodeDef
}

// UndoWith names the node that undoes an item of this one. If the run fails, all
// its committed items that can be undone are, the last first, each as an item of
// its own with dst's retry policy. The run then has failed; it cannot be retried
// unless an undo failed, which Control.Retry then repeats. A failure that a
// fallback takes undoes nothing, nor does Control.Cancel.
func (r Ref[I, O]) UndoWith(dst Undoer[I, O]) Ref[I, O] {
	n := r.node()
	n.undo = append(n.undo, edge{to: dst.target(), pos: callSite()})
	n.done = func(in, out any) any { // here, for O may be wider than what the node yields, see As
		if a, ok := in.(*arrival); ok {
			in = a.input
		}
		o, _ := out.(O) // a nil of a sum type
		return Done[I, O]{Input: *in.(*I), Output: o}
	}
	return r
}

// OnFailure names the node's fallback: where an item goes that failed for good,
// as a Failure, instead of failing the run. What the item merged is dropped,
// unless it decided to fail with Abort.
func (r Ref[I, O]) OnFailure(dst In[Failure[I]]) Ref[I, O] {
	n := r.node()
	n.fallback = append(n.fallback, edge{to: dst.target(), pos: callSite()})
	return r
}

// Retry sets how the node's items are tried again; fields left open come from
// the Builder's policy, then DefaultRetry.
func (r Ref[I, O]) Retry(p RetryPolicy) Ref[I, O] {
	n := r.node()
	n.w.checkRetry(callSite(), "node "+n.name, p)
	n.retry = p
	return r
}

// Timeout limits one attempt. When it is over the node's context ends; an error
// it then returns is a failure of class timeout.
func (r Ref[I, O]) Timeout(d time.Duration) Ref[I, O] {
	n := r.node()
	n.w.checkTimeout(callSite(), "node "+n.name, d)
	n.timeout = d
	return r
}

// Queue names the queue that the node's items wait in, for workers that serve
// only that.
func (r Ref[I, O]) Queue(name string) Ref[I, O] {
	n := r.node()
	if err := CheckName("queue", name); err != nil {
		n.w.mistake(callSite(), "node %s: %w", n.name, err)
	}
	n.queue = name
	return r
}

// Alias gives names that the node had before, so that items which wait for it
// under one of these still find it.
func (r Ref[I, O]) Alias(old ...string) Ref[I, O] {
	n := r.node()
	for _, name := range old {
		if err := CheckName("alias", name); err != nil {
			n.w.mistake(callSite(), "node %s: %w", n.name, err)
		}
	}
	n.aliases = append(n.aliases, old...)
	return r
}
