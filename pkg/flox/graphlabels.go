package flox

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Nests are the nested workflows that the node stands in, outermost first: "a"
// and "a/b" for node "a/b/c", and for a node "a/b" that begins the visits of
// nest "a/b".
func (g *Graph) Nests(n *GraphNode) []string {
	var nests []string
	for i, c := range n.Name {
		if c == '/' && i > 0 {
			nests = append(nests, n.Name[:i])
		}
	}
	if g.opensNest(n) {
		nests = append(nests, n.Name)
	}
	return nests
}

// opensNest says that the node begins the visits of a nested workflow.
func (g *Graph) opensNest(n *GraphNode) bool {
	return slices.ContainsFunc(g.Nodes, func(m GraphNode) bool { return strings.HasPrefix(m.Name, n.Name+"/") })
}

// Label is the node's name without those of the nests that it stands in.
func (n *GraphNode) Label() string { return n.Name[strings.LastIndex(n.Name, "/")+1:] }

// Notes are the short lines that a drawing has below the node's name: what it
// does with tokens, what limits it, what it awaits.
func (g *Graph) Notes(n *GraphNode) []string {
	var role, limits, lines []string
	add := func(to *[]string, ok bool, note string) {
		if ok {
			*to = append(*to, note)
		}
	}
	closes := strings.HasSuffix(n.Name, closerName)
	add(&role, n.Start, "start")
	add(&role, closes, "ends the visit")
	add(&role, !closes && g.isJoin(n), joinNote(n.Quorum))
	add(&role, g.opensNest(n), "begins the visit")
	add(&role, n.Fanout && !g.opensNest(n), "fan-out")
	add(&role, n.Undoes, "undoes")
	add(&role, n.End, "end")
	add(&role, n.Quiet && !n.End && !n.Undoes, "ends quietly")
	add(&limits, n.Attempts < 0, "any number of attempts")
	add(&limits, n.Attempts > 1, fmt.Sprintf("%d attempts", n.Attempts))
	add(&limits, n.Timeout != "", "timeout "+span(n.Timeout))
	add(&lines, len(role) > 0, strings.Join(role, " · "))
	add(&lines, len(limits) > 0, strings.Join(limits, " · "))
	add(&lines, len(n.Signals) > 0, brief("awaits "+strings.Join(n.Signals, ", ")))
	return lines
}

func joinNote(quorum int) string {
	if quorum > 0 {
		return fmt.Sprintf("join of the first %d", quorum)
	}
	return "join"
}

func (g *Graph) isJoin(n *GraphNode) bool {
	return slices.ContainsFunc(g.Edges, func(e GraphEdge) bool { return e.Kind == EdgeJoin && e.To == n.Name })
}

// Caption is what a drawing says of the whole: the workflow, how the run stands,
// if p is not nil, and the limits.
func (g *Graph) Caption(p *Progress) string {
	parts := []string{g.Name}
	if p != nil {
		parts = append(parts, fmt.Sprintf("run %s: %s", p.Run.ID, p.Run.Status))
	}
	if g.MaxSteps > 0 {
		parts = append(parts, fmt.Sprintf("at most %d steps", g.MaxSteps))
	}
	if g.Deadline != "" {
		parts = append(parts, "deadline "+span(g.Deadline))
	}
	return strings.Join(parts, " · ")
}

// Text is what a drawing writes at the edge.
func (e *GraphEdge) Text() string {
	switch e.Kind {
	case EdgeNext, EdgeJoin:
		return ""
	case EdgeFailure:
		return "on failure"
	case EdgeCase:
		return brief(e.Label)
	}
	return brief(string(e.Kind) + " " + e.Label)
}

// span is a duration without the zeros at its end: 1h, not 1h0m0s.
func span(d string) string {
	for _, zero := range []string{"0s", "0m"} {
		if s := strings.TrimSuffix(d, zero); strings.HasSuffix(s, "m") || strings.HasSuffix(s, "h") {
			d = s
		}
	}
	return brief(d)
}

// brief is the beginning of a text of any length, on one line.
func brief(s string) string {
	const most = 40
	printable := func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}
	r := []rune(strings.Join(strings.Fields(strings.Map(printable, s)), " "))
	if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return string(r)
}

// nestTree is the nodes of a graph by the nests they stand in.
type nestTree struct {
	name  string // of the nest, "" of the whole graph
	nodes []int  // that stand in no nest of it, by index
	nests []*nestTree
}

func (g *Graph) tree() *nestTree {
	root := &nestTree{}
	for i := range g.Nodes {
		at := root
		for _, nest := range g.Nests(&g.Nodes[i]) {
			at = at.nest(nest)
		}
		at.nodes = append(at.nodes, i)
	}
	return root
}

func (t *nestTree) nest(name string) *nestTree {
	i := slices.IndexFunc(t.nests, func(n *nestTree) bool { return n.name == name })
	if i < 0 {
		i = len(t.nests)
		t.nests = append(t.nests, &nestTree{name: name})
	}
	return t.nests[i]
}

// label is the nest's name without those of the nests around it.
func (t *nestTree) label() string { return t.name[strings.LastIndex(t.name, "/")+1:] }
