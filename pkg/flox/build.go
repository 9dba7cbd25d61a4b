package flox

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// plan is a workflow on its way from the builder to a graph. It collects every
// mistake it finds, each at the line it was made at.
type plan struct {
	w      *wiring
	pos    string // of the call of Build
	start  *nodeDef
	ends   []*nodeDef
	output reflect.Type // of an end
	list   bool         // BuildAll

	nodes  []*nodeDef // with those of nested workflows in their place
	codecs *codecs
	state  *stateType
	scopes map[*scopeDef]*scope
	sums   map[reflect.Type]*sumDef
	errs   []mistake
}

// mistake is an error and where it belongs in the list.
type mistake struct {
	pos string
	err error
}

func (p *plan) errorf(pos, format string, args ...any) {
	p.errs = append(p.errs, mistake{pos, fmt.Errorf(pos+": "+format, args...)})
}

// nodeErrorf reports a mistake of node n.
func (p *plan) nodeErrorf(pos string, n *nodeDef, format string, args ...any) {
	p.errorf(pos, "node %s: %s", n.name, fmt.Sprintf(format, args...))
}

// err is all mistakes, in the order of the lines they were made at.
func (p *plan) err() error {
	all := slices.Concat(p.w.mistakes, p.errs)
	slices.SortStableFunc(all, func(a, b mistake) int { return comparePos(a.pos, b.pos) })
	errs := make([]error, len(all))
	for i, m := range all {
		errs[i] = m.err
	}
	return errors.Join(errs...)
}

func comparePos(a, b string) int {
	fileA, lineA, _ := strings.Cut(a, ":")
	fileB, lineB, _ := strings.Cut(b, ":")
	return cmp.Or(cmp.Compare(fileA, fileB), cmp.Compare(len(lineA), len(lineB)), cmp.Compare(lineA, lineB))
}

// buildGraph checks everything that the compiler could not. Checks of frames
// and paths are left out while names or edges are wrong: they would only repeat
// that in other words.
func buildGraph(w *wiring, pos string, start *nodeDef, ends []*nodeDef, output reflect.Type, list bool) (*graph, error) {
	p := &plan{w: w, pos: pos, start: start, ends: ends, output: output, list: list}
	p.checkNames()
	p.expand()
	p.checkSums()
	p.checkEdges()
	p.checkRoutes()
	p.checkSignals()
	p.checkUndos()
	sound := len(p.errs) == 0
	p.checkTypes()
	if sound {
		p.checkPaths()
		p.checkCycles()
	}
	var frames framing
	if sound && len(p.errs) == 0 {
		frames = p.checkFrames()
	}
	if err := p.err(); err != nil {
		return nil, fmt.Errorf("workflow %s:\n%w", w.name, err)
	}
	return p.assemble(frames), nil
}

// kindOf is how n's successors are chosen, by its first edge.
func kindOf(n *nodeDef) edgeKind {
	switch {
	case len(n.to) > 0:
		return edgeTo
	case len(n.routes) > 0:
		return edgeRoute
	case len(n.joins) > 0:
		return edgeJoin
	}
	return edgeNone
}

var noneType = reflect.TypeFor[None]()

// isQuiet says that n ends its token with no output.
func isQuiet(n *nodeDef) bool { return n.out == noneType && kindOf(n) == edgeNone }

// successors are the nodes that an item at n may lead to, its fallback last.
func successors(n *nodeDef) []*nodeDef {
	next := forward(n)
	for _, e := range n.fallback {
		next = append(next, e.to)
	}
	return next
}

// later is successors, and what undoes an item of n.
func later(n *nodeDef) []*nodeDef {
	next := successors(n)
	for _, e := range n.undo {
		next = append(next, e.to)
	}
	return next
}

// forward are the successors of n but for its fallback.
func forward(n *nodeDef) []*nodeDef {
	var next []*nodeDef
	for _, e := range n.to {
		next = append(next, e.to)
	}
	for _, a := range n.arms {
		next = append(next, a.to)
	}
	for _, e := range n.joins {
		next = append(next, e.to)
	}
	return next
}

func (p *plan) isEnd(n *nodeDef) bool { return slices.Contains(p.ends, n) }

// checkTypes makes the codecs of everything that is stored.
func (p *plan) checkTypes() {
	sums := map[reflect.Type]*sum{}
	for t, d := range p.sums {
		s := &sum{byTag: map[string]reflect.Type{}, tags: map[reflect.Type]string{}}
		for _, v := range d.variants {
			s.byTag[tagOf(v)], s.tags[v] = v, tagOf(v)
		}
		sums[t] = s
	}
	p.codecs = newCodecs(sums)
	var err error
	if p.state, err = newStateType(p.w.state, p.codecs); err != nil {
		p.errorf(p.w.pos, "%w", err)
	}
	p.scopes = map[*scopeDef]*scope{nil: nil}
	for _, n := range p.nodes {
		p.checkType(n, "input", n.in)
		p.checkType(n, "output", n.out)
		for _, e := range n.joins {
			if _, err := p.codecs.of(e.element); err != nil {
				p.nodeErrorf(e.pos, n, "what it leaves at the join %s cannot be stored: %v", e.to.name, err)
			}
		}
		p.checkScope(n)
	}
	if _, err := p.codecs.of(p.output); err != nil {
		p.errorf(p.pos, "output %s cannot be stored: %w", p.output, err)
	}
}

func (p *plan) checkType(n *nodeDef, what string, t reflect.Type) {
	if t.Implements(manyType) { // which checkFanout explains
		return
	}
	if _, err := p.codecs.of(t); err != nil {
		p.nodeErrorf(n.pos, n, "%s %s cannot be stored: %v", what, shortName(t), err)
	}
}

// shortName is how t is called in its own package.
func shortName(t reflect.Type) string { return cmp.Or(t.Name(), t.String()) }
