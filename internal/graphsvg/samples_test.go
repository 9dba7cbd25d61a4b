package graphsvg

import (
	"fmt"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// sample makes a graph of lines such as "a -> b", "a -case Paid-> b" and
// "a: fanout, signal approve"; the first node is the start.
func sample(name string, lines ...string) *flox.Graph {
	g := &flox.Graph{Name: name, Fingerprint: "f", MaxSteps: 100}
	at := map[string]int{}
	node := func(name string) *flox.GraphNode {
		if _, ok := at[name]; !ok {
			at[name] = len(g.Nodes)
			g.Nodes = append(g.Nodes, flox.GraphNode{Name: name, In: "int", Out: "int", Queue: "q", Attempts: 5, Start: len(g.Nodes) == 0})
		}
		return &g.Nodes[at[name]]
	}
	for _, line := range lines {
		if name, options, ok := strings.Cut(line, ": "); ok {
			option(node(name), options)
			continue
		}
		from, rest, _ := strings.Cut(line, " -")
		how, to, _ := strings.Cut(rest, "> ")
		kind, label, _ := strings.Cut(strings.Trim(how, "-"), " ")
		if kind == "" {
			kind = string(flox.EdgeNext)
		}
		node(from)
		node(to)
		g.Edges = append(g.Edges, flox.GraphEdge{From: from, To: to, Kind: flox.EdgeKind(kind), Label: label})
		if kind == string(flox.EdgeUndo) {
			node(to).Undoes = true
		}
	}
	g.Start = g.Nodes[0].Name
	return g
}

func option(n *flox.GraphNode, options string) {
	for option := range strings.SplitSeq(options, ", ") {
		word, value, _ := strings.Cut(option, " ")
		switch word {
		case "fanout":
			n.Fanout = true
		case "end":
			n.End = true
		case "quiet":
			n.Quiet = true
		case "route":
			n.Kind = "route"
		case "signal":
			n.Signals = append(n.Signals, value)
		case "timeout":
			n.Timeout = value
		case "quorum":
			fmt.Sscan(value, &n.Quorum)
		case "attempts":
			fmt.Sscan(value, &n.Attempts)
		default:
			panic("sample: no option " + word)
		}
	}
}

// samples are graphs of the shapes that people draw.
func samples() []*flox.Graph {
	return []*flox.Graph{
		sample("chain", "fetch -> parse", "parse -> store", "fetch: attempts 3, timeout 5s", "store: end"),
		sample("single", "only: end, attempts 1"),
		sample("diamond", "split: fanout", "split -> price", "split -> stock", "price -join-> sum", "stock -join-> sum", "sum: quorum 2, end"),
		sample("agent", "ask -> model", "model -case ToolCall-> tool", "model -case Answer-> answer", "tool -> model", "model -when-> model",
			"tool -failure-> explain", "explain -> model", "model: route, timeout 1m0s", "answer: end"),
		sample("saga", "reserve -> charge", "charge -> ship", "ship -> done", "reserve -undo-> release", "charge -undo-> refund", "ship -undo-> recall",
			"charge -failure-> declined", "done: end", "declined: end"),
		sample("nested", "plan -> ship", "ship: fanout", "ship -> ship/pick", "ship/pick -> ship/pack", "ship/pack -> ship/post/label",
			"ship/post/label -> ship/post/hand-over", "ship/post/label -failure-> ship/post/by-hand", "ship/post/by-hand -> ship/post/hand-over",
			"ship/post/hand-over -join-> ship/$end", "ship/$end -> bill", "ship/$end -failure-> refund", "ship/pack -undo-> unpack", "bill -otherwise-> plan", "bill -case Paid-> done",
			"ship/pick: signal picked", "done: end", "refund: end"),
		order(), many(),
	}
}

// order is the demo's workflow.
func order() *flox.Graph {
	return sample("order", "validate -> split", "validate -failure-> invalid", "split -> price", "split: fanout", "price -join-> decide",
		"decide -case Approved-> charge", "decide -case Rejected if-> reject", "charge -> ship", "ship -> receipt", "ship -failure-> refund",
		"invalid: end", "reject: end", "receipt: end", "refund: end", "decide: route", "charge: attempts 12, timeout 4s")
}

// many has 30 nodes.
func many() *flox.Graph {
	lines := []string{"start: fanout"}
	for i := range 4 {
		lines = append(lines, fmt.Sprintf("start -> load-%d", i), fmt.Sprintf("load-%d -failure-> repair", i))
		for j := range 5 {
			lines = append(lines, fmt.Sprintf("load-%d -case Kind%d-> work-%d-%d", i, j, i, j), fmt.Sprintf("work-%d-%d -join-> gather", i, j))
		}
	}
	return sample("many", append(lines, "repair -join-> gather", "gather -> check", "check -when-> start", "check -otherwise-> report",
		"report -> finish", "finish: end")...)
}
