package flox

import (
	"fmt"
	"strings"
)

// failureColour is that of the edges to fallbacks.
const failureColour = "#c62828"

// DOT draws the graph in the language of Graphviz. With p, nodes are coloured
// and counted by how the run stands; nil draws the graph alone. The same
// arguments give the same text.
func (g *Graph) DOT(p *Progress) string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n", dotQuote(g.Name))
	fmt.Fprintf(&b, "  graph [label=%s, labelloc=t, fontname=\"sans-serif\"];\n", dotQuote(g.Caption(p)))
	b.WriteString("  node [shape=box, style=\"rounded,filled\", fillcolor=white, fontname=\"sans-serif\", fontsize=12];\n")
	b.WriteString("  edge [fontname=\"sans-serif\", fontsize=10];\n")
	b.WriteString("  \"(start)\" [shape=circle, style=filled, fillcolor=black, label=\"\", width=0.15];\n") // no node's name has parentheses
	g.dotNest(&b, p, g.tree(), "  ")
	fmt.Fprintf(&b, "  \"(start)\" -> %s;\n", dotQuote(g.Start))
	for i := range g.Edges {
		e := &g.Edges[i]
		fmt.Fprintf(&b, "  %s -> %s%s;\n", dotQuote(e.From), dotQuote(e.To), g.dotEdge(e))
	}
	b.WriteString("}\n")
	return b.String()
}

// dotNest draws the nodes of a nest, and the nests in it as clusters.
func (g *Graph) dotNest(b *strings.Builder, p *Progress, t *nestTree, indent string) {
	for _, i := range t.nodes {
		n := &g.Nodes[i]
		fmt.Fprintf(b, "%s%s [%s];\n", indent, dotQuote(n.Name), g.dotNode(n, p))
	}
	for _, nest := range t.nests {
		fmt.Fprintf(b, "%ssubgraph %s {\n", indent, dotQuote("cluster_"+nest.name))
		fmt.Fprintf(b, "%s  label=%s; labeljust=l; style=rounded; color=gray50;\n", indent, dotQuote(nest.label()))
		g.dotNest(b, p, nest, indent+"  ")
		fmt.Fprintf(b, "%s}\n", indent)
	}
}

func (g *Graph) dotNode(n *GraphNode, p *Progress) string {
	attrs := "label=" + dotQuote(strings.Join(g.lines(n, p), "\n"))
	if n.End {
		attrs += ", peripheries=2"
	}
	if status := p.At(n).Status(); status != NodeIdle {
		fill, line, text := status.Colours()
		attrs += fmt.Sprintf(", fillcolor=%q, color=%q, fontcolor=%q", fill, line, text)
	}
	return attrs
}

// lines are the text of a node: its name, its notes and its counts.
func (g *Graph) lines(n *GraphNode, p *Progress) []string {
	lines := append([]string{n.Label()}, g.Notes(n)...)
	if counts := p.At(n).String(); counts != "" {
		lines = append(lines, counts)
	}
	return lines
}

func (g *Graph) dotEdge(e *GraphEdge) string {
	var attrs []string
	if text := e.Text(); text != "" {
		attrs = append(attrs, "label="+dotQuote(text))
	}
	switch e.Kind {
	case EdgeFailure:
		attrs = append(attrs, fmt.Sprintf("style=dashed, color=%q, fontcolor=%q", failureColour, failureColour))
	case EdgeUndo:
		attrs = append(attrs, "style=dotted")
	}
	if e.To == g.Start {
		attrs = append(attrs, "constraint=false") // the start stays above what leads back to it
	}
	if len(attrs) == 0 {
		return ""
	}
	return " [" + strings.Join(attrs, ", ") + "]"
}

var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func dotQuote(s string) string { return `"` + dotEscapes.Replace(s) + `"` }
