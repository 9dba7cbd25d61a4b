package flox

import "reflect"

// This file is where the types of the people who write nodes end: what goes
// through it comes out as closures over pointers to values of those types.

func addTyped[S, I, O any](b *Builder[S], pos, name string, n Node[S, I, O]) Ref[I, O] {
	def := erase[S, I, O](b.w, pos, name, n)
	def.out = reflect.TypeFor[O]()
	return Ref[I, O]{def}
}

func addFanoutTyped[S, I, O any](b *Builder[S], pos, name string, n Node[S, I, Many[O]]) Ref[I, O] {
	def := erase[S, I, Many[O]](b.w, pos, name, n)
	def.out, def.fanout = reflect.TypeFor[O](), true
	return Ref[I, O]{def}
}

func erase[S, I, O any](w *wiring, pos, name string, n Node[S, I, O]) *nodeDef {
	def := &nodeDef{w: w, pos: pos, name: name, in: reflect.TypeFor[I](), problem: problemOf(n)}
	def.process = func(v *visit, in any) (move, error) {
		t, err := n.Process(&Context[S]{Context: v, visit: v}, *in.(*I))
		if err != nil {
			return move{}, err
		}
		if t == nil {
			return move{}, errNothing
		}
		return t.move(), nil
	}
	def.failed = func(in any, node string, attempt int, err NodeError) any {
		return Failure[I]{Input: *in.(*I), Node: node, Attempt: attempt, Err: err}
	}
	w.nodes = append(w.nodes, def)
	return def
}

// Build checks the workflow and returns it. A run of it begins at start and has
// exactly one output, that of the end it comes to. All mistakes are reported at
// once, each with the file and line it was made at.
func Build[S, I, O any](b *Builder[S], start In[I], ends ...Out[O]) (*Workflow[S, I, O], error) {
	out := reflect.TypeFor[O]()
	g, err := buildGraph(b.w, callSite(), start.target(), sources(ends), out, false)
	if err != nil {
		return nil, err
	}
	return &Workflow[S, I, O]{g}, nil
}

// BuildAll is like Build for runs with any number of outputs, also none; their
// result is the list in commit order.
func BuildAll[S, I, O any](b *Builder[S], start In[I], ends ...Out[O]) (*Workflow[S, I, []O], error) {
	out := reflect.TypeFor[O]()
	g, err := buildGraph(b.w, callSite(), start.target(), sources(ends), out, true)
	if err != nil {
		return nil, err
	}
	return &Workflow[S, I, []O]{g}, nil
}

func sources[O any](ends []Out[O]) []*nodeDef {
	defs := make([]*nodeDef, len(ends))
	for i, e := range ends {
		defs[i] = e.source()
	}
	return defs
}
