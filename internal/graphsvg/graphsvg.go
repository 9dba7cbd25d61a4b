// Package graphsvg draws the graph of a workflow as a picture, without any
// other program: layers from top to bottom (Sugiyama), boxes around nested
// workflows. It is meant for graphs that a person can still read, of up to a
// few hundred nodes.
package graphsvg

import "github.com/floxrun/flox/pkg/flox"

// Render draws g as an SVG document. With p, nodes are coloured and counted by
// how the run stands; nil draws the graph alone. The same arguments give the
// same bytes.
func Render(g *flox.Graph, p *flox.Progress) []byte {
	d := newDrawing(g, p)
	return d.svg(d.layOut(d.root))
}

// drawing is a graph on its way to a picture.
type drawing struct {
	g     *flox.Graph
	p     *flox.Progress
	root  *group
	lines []*line
}

// group is what is laid out by itself: the graph, or one nested workflow.
type group struct {
	name   string
	nodes  []*flox.GraphNode // that stand in no group of it
	groups []*group
	parent *group
}

// line is one edge of the graph.
type line struct {
	edge        *flox.GraphEdge
	top, bottom *flox.GraphNode // its ends as they are drawn
	up          bool            // it leads from bottom to top: it closes a cycle
	loop        bool            // it leads from a node to itself
}

func newDrawing(g *flox.Graph, p *flox.Progress) *drawing {
	d := &drawing{g: g, p: p, root: &group{}}
	byName := map[string]*flox.GraphNode{}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		byName[n.Name] = n
		at := d.root
		for _, nest := range g.Nests(n) {
			at = at.child(nest)
		}
		at.nodes = append(at.nodes, n)
	}
	for i := range g.Edges {
		e := &g.Edges[i]
		d.lines = append(d.lines, &line{edge: e, top: byName[e.From], bottom: byName[e.To], loop: e.From == e.To})
	}
	d.breakCycles(d.root)
	return d
}

func (t *group) child(name string) *group {
	for _, c := range t.groups {
		if c.name == name {
			return c
		}
	}
	c := &group{name: name, parent: t}
	t.groups = append(t.groups, c)
	return c
}

// members maps every node in t, at any depth, to the part of t that it is or is
// in: a *flox.GraphNode or a *group.
func (t *group) members() map[*flox.GraphNode]any {
	of := map[*flox.GraphNode]any{}
	for _, n := range t.nodes {
		of[n] = n
	}
	for _, c := range t.groups {
		for n := range c.members() {
			of[n] = c
		}
	}
	return of
}
