package graphsvg

import (
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// breakCycles turns those lines upside down that lead back to where a walk
// along the others came from. Each line is judged in the group where its ends
// are in different parts, so that the parts of every group have an order.
func (d *drawing) breakCycles(t *group) {
	of := t.members()
	next := map[any][]*line{}
	for _, l := range d.lines {
		if from, to := of[l.top], of[l.bottom]; from != nil && to != nil && from != to {
			next[from] = append(next[from], l)
		}
	}
	const on, done = 1, 2
	seen := map[any]int{}
	var back []*line
	var walk func(part any)
	walk = func(part any) {
		seen[part] = on
		slices.SortStableFunc(next[part], func(a, b *line) int { return late(a.edge.Kind) - late(b.edge.Kind) })
		for _, l := range next[part] {
			switch to := of[l.bottom]; seen[to] {
			case on:
				back = append(back, l)
			case 0:
				walk(to)
			}
		}
		seen[part] = done
	}
	for _, part := range d.parts(of) {
		if seen[part] == 0 {
			walk(part)
		}
	}
	for _, l := range back {
		l.top, l.bottom, l.up = l.bottom, l.top, true
	}
	for _, c := range t.groups {
		d.breakCycles(c)
	}
}

// parts are the parts of a group in the order of a walk through it: that with
// the start first, then those that are entered from outside.
func (d *drawing) parts(of map[*flox.GraphNode]any) []any {
	var start, entered, rest []any
	for _, l := range d.lines {
		if to := of[l.bottom]; to != nil && of[l.top] == nil {
			entered = append(entered, to)
		}
	}
	for i := range d.g.Nodes {
		switch n := &d.g.Nodes[i]; {
		case of[n] == nil:
		case n.Name == d.g.Start:
			start = append(start, of[n])
		default:
			rest = append(rest, of[n])
		}
	}
	return slices.Concat(start, entered, rest)
}

// late orders edges by how much they say about what comes after what.
func late(k flox.EdgeKind) int {
	switch k {
	case flox.EdgeFailure:
		return 1
	case flox.EdgeUndo:
		return 2
	}
	return 0
}
