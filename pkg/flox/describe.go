package flox

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
)

// graphJSON is a graph as Workflow.JSON writes it.
type graphJSON struct {
	Name        string     `json:"name"`
	Fingerprint string     `json:"fingerprint"`
	Start       string     `json:"start"`
	NeedsOutput bool       `json:"needsOutput"`
	ListOutput  bool       `json:"listOutput"`
	MaxSteps    int64      `json:"maxSteps,omitempty"`
	State       string     `json:"state"`
	Nodes       []nodeJSON `json:"nodes"`
	Edges       []edgeJSON `json:"edges"`
}

type nodeJSON struct {
	Name     string   `json:"name"`
	Aliases  []string `json:"aliases,omitempty"`
	Queue    string   `json:"queue"`
	In       string   `json:"in"`
	Out      string   `json:"out"`
	Kind     string   `json:"kind"` // how successors are chosen: none, to, route, join
	Start    bool     `json:"start,omitempty"`
	End      bool     `json:"end,omitempty"`
	Fanout   bool     `json:"fanout,omitempty"`
	Joins    string   `json:"joins,omitempty"` // the join that closes its fan-out
	Attempts int      `json:"attempts"`
	Timeout  string   `json:"timeout,omitempty"`
}

type edgeJSON struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Kind  string `json:"kind"` // next, case, when, otherwise, join, failure
	Label string `json:"label,omitempty"`
}

var kindNames = map[edgeKind]string{edgeNone: "none", edgeTo: "to", edgeRoute: "route", edgeJoin: "join"}

// json describes the graph, nodes and edges in the order they were added.
func (g *graph) json() []byte {
	d := graphJSON{
		Name: g.name, Fingerprint: g.fingerprint, Start: g.start.name, NeedsOutput: g.needsOutput,
		ListOutput: g.list, MaxSteps: g.maxSteps, State: typeName(g.state.typ),
	}
	for _, n := range g.nodes {
		d.Nodes = append(d.Nodes, g.describe(n))
		d.Edges = append(d.Edges, edgesOf(n)...)
	}
	b, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("flox: describe workflow %s: %v", g.name, err)) // strings and numbers only
	}
	return b
}

func (g *graph) describe(n *node) nodeJSON {
	d := nodeJSON{
		Name: n.name, Aliases: n.aliases, Queue: n.queue, In: typeName(n.in), Out: typeName(n.out),
		Kind: kindNames[n.kind], Start: n == g.start, End: n.end, Fanout: n.fanout,
		Attempts: n.retry.MaxAttempts, Timeout: timeoutText(n.timeout),
	}
	if n.frame != nil {
		d.Joins = n.frame.join.name
	}
	return d
}

var importPath = regexp.MustCompile(`[\w.~-]+/`)

// typeName names t with its package but without import paths, which type
// arguments have.
func typeName(t reflect.Type) string { return importPath.ReplaceAllString(t.String(), "") }

func timeoutText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// edgesOf lists the edges that leave n.
func edgesOf(n *node) []edgeJSON {
	var edges []edgeJSON
	kind := map[edgeKind]string{edgeTo: "next", edgeJoin: "join"}[n.kind]
	for _, t := range n.targets {
		edges = append(edges, edgeJSON{From: n.name, To: t.name, Kind: kind})
	}
	for _, a := range n.arms {
		edges = append(edges, a.edge(n))
	}
	if n.fallback != nil {
		edges = append(edges, edgeJSON{From: n.name, To: n.fallback.name, Kind: "failure"})
	}
	return edges
}

func (a *arm) edge(from *node) edgeJSON {
	e := edgeJSON{From: from.name, To: a.target.name, Kind: "when"}
	switch {
	case a.other:
		e.Kind = "otherwise"
	case a.variant != nil:
		e.Kind, e.Label = "case", shortName(a.variant)
		if a.guarded {
			e.Label += " if"
		}
	}
	return e
}

// sum is the graph's fingerprint: of names, types and edges, not of options nor
// of the order in which nodes were added. The order of a route's arms counts.
func (g *graph) sum() string {
	nodes := slices.SortedFunc(slices.Values(g.nodes), func(a, b *node) int { return cmp.Compare(a.name, b.name) })
	var text strings.Builder
	fmt.Fprintf(&text, "workflow %s %s start %s output %v list %v\n", g.name, typeName(g.state.typ), g.start.name, g.needsOutput, g.list)
	for _, n := range nodes {
		fmt.Fprintf(&text, "node %s %s %s fanout %v end %v\n", n.name, typeName(n.in), typeName(n.out), n.fanout, n.end)
		for _, e := range edgesOf(n) {
			fmt.Fprintf(&text, "edge %s %s %s\n", e.To, e.Kind, e.Label)
		}
	}
	hash := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(hash[:])[:16]
}
