package graphsvg

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

// element is any element of a document.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []element  `xml:",any"`
}

func (e *element) attr(name string) string {
	i := slices.IndexFunc(e.Attrs, func(a xml.Attr) bool { return a.Name.Local == name })
	if i < 0 {
		return ""
	}
	return e.Attrs[i].Value
}

// box is the rectangle that e or its first rect draws.
func (e *element) box(t *testing.T) box {
	t.Helper()
	for _, c := range e.Children {
		if c.XMLName.Local == "rect" {
			return c.box(t)
		}
	}
	number := func(name string) float64 {
		f, err := strconv.ParseFloat(e.attr(name), 64)
		if err != nil {
			t.Fatalf("%s of %s: %v", name, e.XMLName.Local, err)
		}
		return f
	}
	return box{number("x"), number("y"), number("width"), number("height")}
}

type box struct{ x, y, w, h float64 }

type point struct{ x, y float64 }

func (b box) in(c box) bool {
	return b.x >= c.x-0.2 && b.y >= c.y-0.2 && b.x+b.w <= c.x+c.w+0.2 && b.y+b.h <= c.y+c.h+0.2
}

func (b box) meets(c box) bool {
	return b.x < c.x+c.w && c.x < b.x+b.w && b.y < c.y+c.h && c.y < b.y+b.h
}

// shown is what a picture shows.
type shown struct {
	page   box
	nodes  map[string]box
	nests  []box
	labels []box
	ends   [][2]point // of the lines, first to last
}

func read(t *testing.T, svg []byte) shown {
	t.Helper()
	var doc element
	if err := xml.Unmarshal(svg, &doc); err != nil {
		t.Fatalf("the picture is no XML: %v", err)
	}
	s := shown{nodes: map[string]box{}}
	fmt.Sscan(doc.attr("viewBox"), &s.page.x, &s.page.y, &s.page.w, &s.page.h)
	for _, e := range doc.Children {
		switch class := e.attr("class"); {
		case strings.HasPrefix(class, "node"):
			name, _, _ := strings.Cut(e.Children[0].Text, "\n")
			s.nodes[name] = e.box(t)
		case class == "box":
			s.nests = append(s.nests, e.box(t))
		case class == "text":
			w := textWidth(e.Text, labelSize)
			x, _ := strconv.ParseFloat(e.attr("x"), 64)
			y, _ := strconv.ParseFloat(e.attr("y"), 64)
			s.labels = append(s.labels, box{x - w/2, y - 10, w, 12})
		case strings.HasPrefix(class, "edge") && !strings.Contains(e.attr("d"), "c"): // a loop is drawn with that
			s.ends = append(s.ends, ends(t, e.attr("d")))
		}
	}
	return s
}

// ends are the first and the last point of a path of absolute commands.
func ends(t *testing.T, path string) (e [2]point) {
	t.Helper()
	points := strings.Fields(strings.NewReplacer("M", " ", "C", " ", "L", " ").Replace(path))
	for i, text := range []string{points[0], points[len(points)-1]} {
		if _, err := fmt.Sscanf(text, "%f,%f", &e[i].x, &e[i].y); err != nil {
			t.Fatalf("path %s: %v", path, err)
		}
	}
	return e
}

// check checks that nothing hides anything, that all is on the page, nodes are
// in the boxes of their nests alone, and lines end at the nodes they connect.
func check(t *testing.T, g *flox.Graph, p *flox.Progress) {
	t.Helper()
	svg := Render(g, p)
	if !bytes.Equal(svg, Render(g, p)) {
		t.Error("the same graph is drawn in two ways")
	}
	s := read(t, svg)
	if len(s.nodes) != len(g.Nodes) {
		t.Errorf("%d nodes are drawn, want %d", len(s.nodes), len(g.Nodes))
	}
	checkNests(t, g, s)
	checkLines(t, g, s)
	all := slices.AppendSeq(s.labels, maps.Values(s.nodes))
	for i, a := range all {
		if !a.in(s.page) {
			t.Errorf("%v is not on the page %v", a, s.page)
		}
		for _, b := range all[i+1:] {
			if a.meets(b) {
				t.Errorf("%v and %v are drawn over one another", a, b)
			}
		}
	}
}

func checkNests(t *testing.T, g *flox.Graph, s shown) {
	t.Helper()
	for i := range g.Nodes {
		n, around := &g.Nodes[i], 0
		for _, nest := range s.nests {
			if b := s.nodes[n.Name]; b.in(nest) {
				around++
			} else if b.meets(nest) {
				t.Errorf("node %s is half in a box", n.Name)
			}
		}
		if want := len(g.Nests(n)); around != want {
			t.Errorf("node %s is in %d boxes, want %d", n.Name, around, want)
		}
	}
}

func checkLines(t *testing.T, g *flox.Graph, s shown) {
	t.Helper()
	lines := slices.DeleteFunc(slices.Clone(g.Edges), func(e flox.GraphEdge) bool { return e.From == e.To })
	if len(lines) != len(s.ends) {
		t.Fatalf("%d lines are drawn, want %d", len(s.ends), len(lines))
	}
	for i, e := range lines {
		from, to := s.nodes[e.From], s.nodes[e.To]
		if !touches(from, s.ends[i][0]) || !touches(to, s.ends[i][1]) {
			t.Errorf("line %s -> %s goes from %v to %v, want from the rim of %v to that of %v",
				e.From, e.To, s.ends[i][0], s.ends[i][1], from, to)
		}
	}
}

// touches says that p is on the upper or lower side of b.
func touches(b box, p point) bool {
	near := func(a, b float64) bool { return a-b < 0.25 && b-a < 0.25 }
	return p.x >= b.x && p.x <= b.x+b.w && (near(p.y, b.y) || near(p.y, b.y+b.h))
}

func TestSamples(t *testing.T) {
	for _, g := range samples() {
		t.Run(g.Name, func(t *testing.T) {
			check(t, g, nil)
			p := &flox.Progress{Run: flox.RunInfo{ID: "r", Status: flox.StatusRunning}, Nodes: map[string]flox.NodeProgress{}}
			for i, n := range g.Nodes {
				p.Nodes[n.Name] = flox.NodeProgress{Done: i % 2, Running: i % 3, Delayed: i % 5, Failed: i % 7, Attempts: 12345}
			}
			check(t, g, p)
		})
	}
}

// TestAnyGraph draws graphs that no builder would make.
func TestAnyGraph(t *testing.T) {
	kinds := []string{"", "case Paid", "failure", "undo", "when", "perhaps"}
	for seed := range uint64(120) {
		r := rand.New(rand.NewPCG(seed, 1))
		names := []string{"start"}
		for i := range r.IntN(14) {
			prefix := []string{"", "", "a/", "a/b/", "c/", "a/b/c/"}[r.IntN(6)]
			names = append(names, fmt.Sprintf("%sn%d", prefix, i))
		}
		lines := []string{"start: attempts 5"}
		for _, name := range names {
			lines = append(lines, name+": timeout 1s")
		}
		for range r.IntN(30) {
			from, to := names[r.IntN(len(names))], names[r.IntN(len(names))]
			lines = append(lines, fmt.Sprintf("%s -%s-> %s", from, kinds[r.IntN(len(kinds))], to))
		}
		check(t, sample("any", lines...), nil)
		if t.Failed() {
			t.Fatalf("seed %d: %s", seed, strings.Join(lines, "\n"))
		}
	}
}

// TestLegend checks that the legend explains what is drawn, and nothing else.
func TestLegend(t *testing.T) {
	saga := sample("saga", "a -> b", "a -undo-> c")
	p := &flox.Progress{Nodes: map[string]flox.NodeProgress{"a": {Done: 1}}}
	for _, tt := range []struct {
		g          *flox.Graph
		p          *flox.Progress
		want, lack []string
	}{
		{sample("chain", "a -> b"), nil, nil, []string{">next<", ">done<"}},
		{saga, nil, []string{">next<", ">undone by<"}, []string{">done<", ">on failure<"}},
		{saga, p, []string{">undone by<", ">done<"}, []string{">running<", ">held<"}},
	} {
		svg := string(Render(tt.g, tt.p))
		for _, text := range tt.want {
			if !strings.Contains(svg, text) {
				t.Errorf("the legend of %s lacks %s", tt.g.Name, text)
			}
		}
		for _, text := range tt.lack {
			if strings.Contains(svg, text) {
				t.Errorf("the legend of %s has %s", tt.g.Name, text)
			}
		}
	}
}

// TestText checks that what is written stays text.
func TestText(t *testing.T) {
	g := sample("w", `a -case <b>&"Pair[int]"-> z`, `a: timeout <script>`)
	svg := Render(g, nil)
	if strings.Contains(string(svg), "<script>") || !strings.Contains(string(svg), "&lt;b&gt;&amp;&#34;Pair[int]&#34;") {
		t.Errorf("text is not escaped in\n%s", svg)
	}
	read(t, svg)
	if svg := Render(&flox.Graph{Name: "none"}, nil); !bytes.Contains(svg, []byte("<title>none</title>")) {
		t.Errorf("an empty graph is drawn as\n%s", svg)
	}
}
