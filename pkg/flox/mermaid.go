package flox

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Mermaid draws the graph as a Mermaid flowchart, which GitHub and many editors
// show in Markdown. With p, nodes are coloured and counted by how the run
// stands; nil draws the graph alone. The same arguments give the same text.
func (g *Graph) Mermaid(p *Progress) string {
	m := &mermaid{g: g, p: p, ids: map[string]string{}}
	for i := range g.Nodes {
		m.ids[g.Nodes[i].Name] = fmt.Sprintf("n%d", i) // names may be words of the language
	}
	m.printf("---\ntitle: %q\n---\nflowchart TD\n", g.Caption(p))
	m.nest(g.tree(), "  ")
	m.printf("  start(( )) --> %s\n", m.ids[g.Start])
	for i := range g.Edges {
		m.edge(i+1, &g.Edges[i]) // the start's is edge 0
	}
	m.classes()
	return m.b.String()
}

// mermaid is a drawing in the making.
type mermaid struct {
	b     strings.Builder
	g     *Graph
	p     *Progress
	ids   map[string]string // of the nodes, by name
	nests int
}

func (m *mermaid) printf(format string, args ...any) { fmt.Fprintf(&m.b, format, args...) }

// nest draws the nodes of a nest, and the nests in it as subgraphs.
func (m *mermaid) nest(t *nestTree, indent string) {
	for _, i := range t.nodes {
		n := &m.g.Nodes[i]
		left, right := mermaidShape(n)
		m.printf("%s%s%s%s%s\n", indent, m.ids[n.Name], left, mermaidQuote(m.g.lines(n, m.p)...), right)
	}
	for _, nest := range t.nests {
		m.printf("%ssubgraph s%d[%s]\n", indent, m.nests, mermaidQuote(nest.label()))
		m.nests++
		m.nest(nest, indent+"  ")
		m.printf("%send\n", indent)
	}
}

// mermaidShape is what stands around a node's label.
func mermaidShape(n *GraphNode) (left, right string) {
	switch {
	case n.End:
		return "([", "])"
	case n.Kind == "route":
		return "{{", "}}"
	}
	return "(", ")"
}

func (m *mermaid) edge(i int, e *GraphEdge) {
	arrow, style := "-->", ""
	switch e.Kind {
	case EdgeFailure:
		arrow, style = "-.->", "stroke:"+failureColour+",color:"+failureColour+",stroke-dasharray:6 4"
	case EdgeUndo:
		arrow, style = "-.->", "stroke-dasharray:2 4"
	}
	label := ""
	if text := e.Text(); text != "" {
		label = "|" + mermaidQuote(text) + "|"
	}
	m.printf("  %s %s%s %s\n", m.ids[e.From], arrow, label, m.ids[e.To])
	if style != "" {
		m.printf("  linkStyle %d %s\n", i, style)
	}
}

// classes colours the nodes by how they stand, in the order of the words.
func (m *mermaid) classes() {
	m.printf("  classDef entry fill:#333,stroke:#333\n  class start entry\n")
	for _, status := range []NodeStatus{NodeDone, NodeRunning, NodeWaiting, NodeFailed, NodeHeld} {
		var ids []string
		for i := range m.g.Nodes {
			if n := &m.g.Nodes[i]; m.p.At(n).Status() == status {
				ids = append(ids, m.ids[n.Name])
			}
		}
		if len(ids) > 0 {
			fill, line, text := status.Colours()
			m.printf("  classDef %s fill:%s,stroke:%s,color:%s\n", status, fill, line, text)
			m.printf("  class %s %s\n", strings.Join(ids, ","), status)
		}
	}
}

// harmless is what a line may begin with: Markdown makes a list of "1." and "-".
var harmless = regexp.MustCompile(`^(\pL|[0-9]+ )`)

// mermaidQuote makes one label of lines. What Mermaid, HTML or Markdown could
// read as theirs is written as a character code.
func mermaidQuote(lines ...string) string {
	var b strings.Builder
	for i, line := range lines {
		if i > 0 {
			b.WriteString("<br/>")
		}
		for j, r := range []rune(line) {
			plain := unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" .-/,:·", r)
			if plain && (j > 0 || harmless.MatchString(line)) {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, "#%d;", r)
			}
		}
	}
	return `"` + b.String() + `"`
}
