package flox

import (
	"fmt"
	"reflect"
)

// Nest adds a built workflow as a node. Its nodes become nodes of this workflow,
// named "name/node", and are committed one by one; they share the run's state.
// Queue, Retry and Timeout of the nest are their defaults, ahead of the
// Builder's. The step limit, the deadline and the retention that count are the
// outer workflow's. What fails inside goes to its own fallback, else to the nest's,
// which ends whatever else is in flight in the nest.
func Nest[S, I, O any](b *Builder[S], name string, wf *Workflow[S, I, O]) Ref[I, O] {
	return addNest[I, O](b.w, callSite(), name, wf.graph(), nil)
}

// NestWith is like Nest for a workflow with a state of its own: each visit
// begins with an empty one, and ends when all its tokens have. Then lift makes
// of its final state what is merged into the outer state; nil drops it. What
// undoes its items runs after the visits: it sees an empty state, and what it
// merges is dropped.
func NestWith[S, T, I, O any](b *Builder[S], name string, wf *Workflow[T, I, O], lift func(T) S) Ref[I, O] {
	own := &scopeDef{state: reflect.TypeFor[T]()}
	if lift != nil {
		own.lift = func(final any) any { return lift(final.(T)) }
	}
	return addNest[I, O](b.w, callSite(), name, wf.graph(), own)
}

// nestDef is a workflow that stands as one node of another, until expand puts
// its nodes in its place.
type nestDef struct {
	inner *plan
	own   *scopeDef // NestWith
}

// scopeDef is a scope while its workflow is being built.
type scopeDef struct {
	names []string // of the nest, its aliases behind it
	outer *scopeDef
	state reflect.Type
	lift  func(final any) any
}

// visitDef is what the two nodes know that begin and end the visits of a nested
// workflow whose visits have a frame.
type visitDef struct {
	output  reflect.Type // of one end
	list    bool         // it may have any number of outputs
	catches bool         // what fails inside goes to the fallback of the end
	own     *scopeDef
}

// arrival is the input of the node that ends a visit.
type arrival struct {
	input  any          // a pointer to what the nest was given
	out    any          // what it came to, unless it failed
	failed *ErrorRecord // of the item that the visit failed of
}

func addNest[I, O any](w *wiring, pos, name string, inner *graph, own *scopeDef) Ref[I, O] {
	def := &nodeDef{
		w: w, pos: pos, name: name, in: reflect.TypeFor[I](), out: reflect.TypeFor[O](),
		process: closeVisit,
		failed: func(in any, node string, attempt int, err NodeError) any {
			a, ended := in.(*arrival)
			if !ended {
				return Failure[I]{Input: *in.(*I), Node: node, Attempt: attempt, Err: err}
			}
			if a.failed != nil {
				node, attempt = a.failed.Node, a.failed.Attempt
			}
			return Failure[I]{Input: *a.input.(*I), Node: node, Attempt: attempt, Err: err}
		},
	}
	if inner == nil {
		def.problem = "a Nest of no workflow"
	} else {
		def.nest = &nestDef{inner: inner.plan, own: own}
	}
	w.nodes = append(w.nodes, def)
	return Ref[I, O]{def}
}

// openVisit is what the node does that begins a visit.
func openVisit(_ *visit, in any) (move, error) {
	return move{kind: outcomeFan, outs: []any{reflect.ValueOf(in).Elem().Interface()}}, nil
}

// closeVisit is what the node does that ends a visit: it hands on what the visit
// came to.
func closeVisit(_ *visit, in any) (move, error) {
	a := in.(*arrival)
	if a.failed != nil {
		return move{}, &nestError{a.failed}
	}
	return move{kind: outcomeNext, one: &a.out}, nil
}

// nestError is the failure of an item inside a nested workflow.
type nestError struct{ record *ErrorRecord }

func (e *nestError) Error() string {
	return fmt.Sprintf("node %s: attempt %d: %s", e.record.Node, e.record.Attempt, e.record.Message)
}
