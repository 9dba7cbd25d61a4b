package flox

import (
	"reflect"
)

// Workflow is a built workflow, from inputs of type I to results of type O with
// a state of type S. It is immutable and safe for concurrent use.
type Workflow[S, I, O any] struct{ g *graph }

var _ Definition = (*Workflow[NoState, None, None])(nil)

// Name returns the workflow's name.
func (w *Workflow[S, I, O]) Name() string { return w.g.name }

// Fingerprint changes when names, types or edges of the graph do. Options do
// not count, nor does what functions do.
func (w *Workflow[S, I, O]) Fingerprint() string { return w.g.fingerprint }

// JSON describes the graph, see Graph. The same workflow gives the same bytes.
func (w *Workflow[S, I, O]) JSON() []byte { return w.g.json() }

// DOT draws the graph in the language of Graphviz, see Graph.DOT.
func (w *Workflow[S, I, O]) DOT() string { return w.g.doc().DOT(nil) }

// Mermaid draws the graph as a Mermaid flowchart, see Graph.Mermaid.
func (w *Workflow[S, I, O]) Mermaid() string { return w.g.doc().Mermaid(nil) }

// InputType is the type of the run's input.
func (w *Workflow[S, I, O]) InputType() reflect.Type { return reflect.TypeFor[I]() }

func (w *Workflow[S, I, O]) graph() *graph {
	if w == nil {
		return nil
	}
	return w.g
}

func (w *Workflow[S, I, O]) flow(S, I, O) *flowInfo { return &flowInfo{graph: w.g} }

// missing says that wf is nil, or a Workflow that no Build has made.
func missing(wf any) bool {
	d, ok := wf.(Definition)
	return wf == nil || ok && d.graph() == nil
}
