package graphsvg

import (
	"math"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// vertex is what a level places: a node, a nested workflow with all that is in
// it, a bend of a long line with perhaps its label, or a port, where a line
// enters (above all) or leaves (below all) the level.
type vertex struct {
	w, h float64
	off  float64 // of where lines meet it from its middle
	x    float64 // its middle
	rank int
	pos  int // in its rank
	in   []*link
	out  []*link

	node  *flox.GraphNode
	inner *level
	port  port
	bend  bool
	label *line // whose label stands here
}

type port int

const (
	entry port = iota + 1
	exit
)

// link leads from a vertex to one below. fromX and toX are where it meets them,
// from their middles.
type link struct {
	from, to   *vertex
	fromX, toX float64
	side       bool // of a line that is not of the main flow
}

// span is a line in one level: first one link, then one for each rank.
type span struct {
	link
	line  *line
	links []*link
}

// level is the layout of one group.
type level struct {
	group      *group
	all        []*vertex
	spans      []*span
	ports      map[*line]*vertex
	ranks      [][]*vertex
	tops, lows []float64 // of the ranks
	w, h       float64
}

// Distances, in pixels.
const (
	nodeGap  = 26.0 // between neighbours
	bendGap  = 14.0
	rankGap  = 17.0 // between a rank and the rank of bends below it
	padding  = 18.0 // inside the box of a nested workflow
	boxTitle = 18.0
	textLine = 15.0
)

// layOut places the parts of t, the nested ones first.
func (d *drawing) layOut(t *group) *level {
	l := &level{group: t, ports: map[*line]*vertex{}}
	parts := map[any]*vertex{}
	for _, n := range t.nodes {
		parts[n] = l.add(d.vertex(n))
	}
	for _, c := range t.groups {
		inner := d.layOut(c)
		parts[c] = l.add(&vertex{w: inner.w, h: inner.h, inner: inner})
	}
	of := t.members()
	for _, ln := range d.lines {
		a, b := parts[of[ln.top]], parts[of[ln.bottom]]
		if a == b { // neither end is here, both are in one part, or it is a loop
			continue
		}
		if a == nil {
			a = l.add(&vertex{port: entry})
			l.ports[ln] = a
		}
		if b == nil {
			b = l.add(&vertex{port: exit})
			l.ports[ln] = b
		}
		l.spans = append(l.spans, &span{line: ln, link: link{a, b, a.meets(ln), b.meets(ln), ln.side()}})
	}
	l.rank()
	l.cut()
	l.order()
	l.place()
	return l
}

func (l *level) add(v *vertex) *vertex {
	l.all = append(l.all, v)
	return v
}

// meets is where ln meets v, from its middle.
func (v *vertex) meets(ln *line) float64 {
	if v.inner == nil {
		return v.off
	}
	return v.inner.ports[ln].x - v.w/2
}

// side says that ln is not of the main flow, which is to be straight.
func (ln *line) side() bool { return ln.up || late(ln.edge.Kind) > 0 }

// tie makes a link known to its ends.
func tie(k *link) *link {
	k.from.out, k.to.in = append(k.from.out, k), append(k.to.in, k)
	return k
}

// rank gives every node the least rank that is below all it comes from. Nodes
// have odd ranks; the even ones are for bends, labels and ports.
func (l *level) rank() {
	for _, s := range l.spans {
		tie(&s.link)
	}
	order, last := l.topological(), 1
	for _, v := range order {
		if v.port != 0 {
			continue
		}
		v.rank = 1
		for _, k := range v.in {
			if k.from.port == 0 {
				v.rank = max(v.rank, k.from.rank+2)
			}
		}
		last = max(last, v.rank)
	}
	for _, v := range order {
		if v.port == exit {
			v.rank = last + 1
		}
	}
	for _, v := range slices.Backward(order) {
		v.sink()
	}
}

// sink lets a vertex that nothing leads to go down to where it is needed.
func (v *vertex) sink() {
	if len(v.in) > 0 || len(v.out) == 0 || v.port != 0 || v.node != nil && v.node.Start {
		return
	}
	least := math.MaxInt
	for _, k := range v.out {
		least = min(least, k.to.rank)
	}
	v.rank = max(1, least-2)
	v.rank -= (v.rank + 1) % 2 // of an exit above an even rank
}

// topological is all vertices, each after those it comes from.
func (l *level) topological() []*vertex {
	left := map[*vertex]int{}
	var order []*vertex
	for _, v := range l.all {
		if left[v] = len(v.in); left[v] == 0 {
			order = append(order, v)
		}
	}
	for i := 0; i < len(order); i++ {
		for _, k := range order[i].out {
			if left[k.to]--; left[k.to] == 0 {
				order = append(order, k.to)
			}
		}
	}
	return order
}

// cut puts a bend into every rank that a span passes, and the label of its line
// on the one next to where the line begins.
func (l *level) cut() {
	for _, v := range l.all {
		v.in, v.out = nil, nil
	}
	for _, s := range l.spans {
		at, atX := s.from, s.fromX
		var bends []*vertex
		for r := s.from.rank + 1; r < s.to.rank; r++ {
			bend := l.add(&vertex{w: 4, rank: r, bend: true})
			bends = append(bends, bend)
			s.links = append(s.links, tie(&link{at, bend, atX, 0, s.side}))
			at, atX = bend, 0
		}
		s.links = append(s.links, tie(&link{at, s.to, atX, s.toX, s.side}))
		text := s.line.edge.Text()
		if text == "" || s.from.port != 0 || s.to.port != 0 {
			continue
		}
		v := bends[0]
		if s.line.up {
			v = bends[len(bends)-1]
		}
		v.label, v.w, v.h = s.line, textWidth(text, labelSize)+10, textLine
	}
}
