package floxtest

import (
	"context"
	"fmt"
	"reflect"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/internal/hook"
)

// Fake replaces the code of a node by f. All else of the node stays: its edges,
// its joins, its retries and its undo, which see what f returns as they would
// see what the node does. An error of f is a failure of the node. A node that
// awaits a signal is faked by a function that returns the flox.Answer; then
// nothing is awaited. The last fake of a node counts.
//
// The compiler checks f against the Ref. That must be of the workflow under
// test; nodes of nested workflows are faked by name, see FakeNode.
func Fake[I, O any](h AnyHarness, ref flox.Ref[I, O], f func(I) (O, error)) {
	r := h.base()
	r.t.Helper()
	name, workflow, own := hook.NameOf(r.wf, ref)
	if !own {
		r.t.Fatalf("floxtest: Fake: node %s was added to another Builder, that of workflow %s; a node of a nested workflow is faked by name, see FakeNode",
			name, workflow)
	}
	fakeNode(r, fmt.Sprintf("Fake of node %s", name), name, f)
}

// FakeNode is Fake of the node of that name. One of a nested workflow is named
// after its nest, too, as in "ship/pack". That f takes and returns what the node
// does is checked here.
func FakeNode[I, O any](h AnyHarness, name string, f func(I) (O, error)) {
	r := h.base()
	r.t.Helper()
	fakeNode(r, fmt.Sprintf("FakeNode(%q)", name), name, f)
}

func fakeNode[I, O any](r *rig, what, name string, f func(I) (O, error)) {
	r.t.Helper()
	b := flox.New[flox.NoState]("fake")
	ref := flox.Func(b, "fake", func(_ context.Context, in I) (O, error) { return f(in) })
	r.replace(what, name, ref, hook.Node{In: reflect.TypeFor[I](), Out: reflect.TypeFor[O]()})
}

// FakeFanout is FakeNode for a node that fans out: f returns the elements.
func FakeFanout[I, O any](h AnyHarness, name string, f func(I) ([]O, error)) {
	r := h.base()
	r.t.Helper()
	node := flox.NodeFunc[flox.NoState, I, flox.Many[O]](func(_ *flox.Context[flox.NoState], in I) (flox.Fanout[O], error) {
		outs, err := f(in)
		if err != nil {
			return nil, err
		}
		return flox.NextAll(outs), nil
	})
	ref := flox.AddFanout(flox.New[flox.NoState]("fake"), "fake", node)
	r.replace(fmt.Sprintf("FakeFanout(%q)", name), name, ref,
		hook.Node{In: reflect.TypeFor[I](), Out: reflect.TypeFor[O](), Fanout: true})
}

// Replace is FakeNode with a whole node, which can do all that a node can: read
// and merge the state, hold, await, abort.
func Replace[S, I, O any, N flox.Node[S, I, O]](h AnyHarness, name string, n N) {
	r := h.base()
	r.t.Helper()
	r.replace(fmt.Sprintf("Replace(%q)", name), name, flox.Add(flox.New[S]("fake"), "fake", n),
		hook.Node{In: reflect.TypeFor[I](), Out: reflect.TypeFor[O](), State: reflect.TypeFor[S]()})
}

// ReplaceFanout is Replace for a node that fans out.
func ReplaceFanout[S, I, O any, N flox.Node[S, I, flox.Many[O]]](h AnyHarness, name string, n N) {
	r := h.base()
	r.t.Helper()
	r.replace(fmt.Sprintf("ReplaceFanout(%q)", name), name, flox.AddFanout(flox.New[S]("fake"), "fake", n),
		hook.Node{In: reflect.TypeFor[I](), Out: reflect.TypeFor[O](), State: reflect.TypeFor[S](), Fanout: true})
}

// replace lets the named node run the code of ref; given is what that takes,
// yields and, if it says so, what state it sees.
func (r *rig) replace(what, name string, ref any, given hook.Node) {
	r.t.Helper()
	n := r.node(what, name)
	takes := func(of hook.Node) string {
		yields := "yields " + of.Out.String()
		if of.Fanout {
			yields = "fans out into " + of.Out.String()
		}
		return fmt.Sprintf("takes %v and %s", of.In, yields)
	}
	switch {
	case n.In != given.In || n.Out != given.Out || n.Fanout != given.Fanout:
		r.t.Fatalf("floxtest: %s: node %s %s, the fake %s%s", what, name, takes(n), takes(given), otherCall(n, given))
	case given.State != nil && n.State != given.State:
		r.t.Fatalf("floxtest: %s: node %s sees a state of type %v, the fake one of type %v", what, name, n.State, given.State)
	}
	r.code[name] = ref
}

// otherCall names the functions to use, if it is the others.
func otherCall(n, given hook.Node) string {
	switch {
	case n.Fanout && !given.Fanout:
		return "; use FakeFanout or ReplaceFanout"
	case !n.Fanout && given.Fanout:
		return "; use FakeNode or Replace"
	}
	return ""
}
