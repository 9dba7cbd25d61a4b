package flox

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

var kindNames = map[edgeKind]string{edgeNone: "none", edgeTo: "to", edgeRoute: "route", edgeJoin: "join"}

// doc is the graph as data, nodes and edges in the order they were added.
func (g *graph) doc() *Graph {
	d := &Graph{
		Name: g.name, Fingerprint: g.fingerprint, Start: g.start.name, NeedsOutput: g.needsOutput, ListOutput: g.list,
		MaxSteps: g.maxSteps, Deadline: durationText(g.deadline), State: typeName(g.state.typ),
		Edges: []GraphEdge{},
	}
	for _, n := range g.nodes {
		d.Nodes = append(d.Nodes, g.describe(n))
		d.Edges = append(d.Edges, edgesOf(n)...)
	}
	for i := range d.Nodes {
		if nests := d.Nests(&d.Nodes[i]); len(nests) > 0 {
			d.Nodes[i].Nest = nests[len(nests)-1]
		}
	}
	return d
}

func (g *graph) json() []byte {
	b, err := json.MarshalIndent(g.doc(), "", "  ")
	if err != nil {
		panic(fmt.Sprintf("flox: describe workflow %s: %v", g.name, err)) // strings and numbers only
	}
	return b
}

func (g *graph) describe(n *node) GraphNode {
	d := GraphNode{
		Name: n.name, Aliases: n.aliases, Queue: n.queue, In: typeName(n.in), Out: typeName(n.out),
		Kind: kindNames[n.kind], Start: n == g.start, End: n.end, Quiet: n.quiet, Fanout: n.fanout,
		Quorum: n.quorum, Attempts: n.retry.MaxAttempts, Timeout: durationText(n.timeout),
		Signals: n.signals, Undoes: n.undoes,
	}
	if n.frame != nil {
		d.Joins = n.frame.join.name
	}
	if n.undo != nil {
		d.Undo = n.undo.name
	}
	if n.scope != nil {
		d.State = typeName(n.scope.state.typ)
	}
	return d
}

var importPath = regexp.MustCompile(`[\w.~-]+/`)

// typeName names t with its package but without import paths, which type
// arguments have.
func typeName(t reflect.Type) string { return importPath.ReplaceAllString(t.String(), "") }

func durationText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// edgesOf lists the edges that leave n.
func edgesOf(n *node) []GraphEdge {
	var edges []GraphEdge
	kind := map[edgeKind]EdgeKind{edgeTo: EdgeNext, edgeJoin: EdgeJoin}[n.kind]
	for _, t := range n.targets {
		edges = append(edges, GraphEdge{From: n.name, To: t.name, Kind: kind})
	}
	for _, a := range n.arms {
		edges = append(edges, a.edge(n))
	}
	if n.fallback != nil && (n.frame == nil || !n.frame.catches) { // a nest's is drawn where its visits end
		edges = append(edges, GraphEdge{From: n.name, To: n.fallback.name, Kind: EdgeFailure})
	}
	if n.undo != nil {
		edges = append(edges, GraphEdge{From: n.name, To: n.undo.name, Kind: EdgeUndo})
	}
	return edges
}

func (a *arm) edge(from *node) GraphEdge {
	e := GraphEdge{From: from.name, To: a.target.name, Kind: EdgeWhen}
	switch {
	case a.other:
		e.Kind = EdgeOtherwise
	case a.variant != nil:
		e.Kind, e.Label = EdgeCase, shortName(a.variant)
		if a.guarded {
			e.Label += " if"
		}
	}
	return e
}

// sum is the graph's fingerprint: of names, types and edges, not of options nor
// of the order in which nodes were added. The order of a route's arms counts.
// What only some graphs have is written for these alone, so that it changes no
// other graph's fingerprint.
func (g *graph) sum() string {
	nodes := slices.SortedFunc(slices.Values(g.nodes), func(a, b *node) int { return cmp.Compare(a.name, b.name) })
	var text strings.Builder
	fmt.Fprintf(&text, "workflow %s %s start %s output %v list %v\n", g.name, typeName(g.state.typ), g.start.name, g.needsOutput, g.list)
	for _, name := range slices.Sorted(maps.Keys(g.scopes)) {
		if name != g.scopes[name].name {
			continue
		}
		fmt.Fprintf(&text, "scope %s %s\n", name, typeName(g.scopes[name].state.typ))
	}
	for _, n := range nodes {
		fmt.Fprintf(&text, "node %s %s %s fanout %v end %v\n", n.name, typeName(n.in), typeName(n.out), n.fanout, n.end)
		if n.quorum > 0 {
			fmt.Fprintf(&text, "quorum %d\n", n.quorum)
		}
		for _, signal := range n.signals {
			fmt.Fprintf(&text, "signal %s\n", signal)
		}
		for _, e := range edgesOf(n) {
			fmt.Fprintf(&text, "edge %s %s %s\n", e.To, e.Kind, e.Label)
		}
	}
	hash := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(hash[:])[:16]
}
