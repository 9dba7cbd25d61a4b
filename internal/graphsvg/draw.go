package graphsvg

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// Sizes of nodes, in pixels.
const (
	leastWidth = 84.0
	sidePad    = 14.0
	topPad     = 7.0
	nameLine   = 18.0
	noteLine   = 14.0
	loopWidth  = 30.0
)

// picture collects the parts of the document, each on top of those before.
type picture struct {
	d                           *drawing
	boxes, lines, labels, nodes bytes.Buffer
	paths                       map[*line][]stretch
}

// stretch is a part of a line that goes straight down; it bends to the next. At
// a label it is a point that the line passes at a slant.
type stretch struct {
	x, top, low float64
	slant       bool
}

// label is the group's name without those around it.
func (t *group) label() string { return t.name[strings.LastIndex(t.name, "/")+1:] }

// vertex measures a node. A line from it to itself runs at its right side.
func (d *drawing) vertex(n *flox.GraphNode) *vertex {
	v := &vertex{node: n, w: max(leastWidth, textWidth(n.Label(), nameSize)*1.06+2*sidePad), h: 2*topPad + nameLine}
	for _, note := range d.notes(n) {
		v.w = max(v.w, textWidth(note, labelSize)+2*sidePad)
		v.h += noteLine
	}
	loop := 0.0
	for _, l := range d.loops(n) {
		loop = max(loop, loopWidth+textWidth(l.edge.Text(), labelSize))
	}
	v.w, v.off = v.w+loop, -loop/2
	return v
}

// loops are the lines from n to itself.
func (d *drawing) loops(n *flox.GraphNode) []*line {
	var all []*line
	for _, l := range d.lines {
		if l.loop && l.top == n {
			all = append(all, l)
		}
	}
	return all
}

// notes are the lines of text below a node's name.
func (d *drawing) notes(n *flox.GraphNode) []string {
	notes := d.g.Notes(n)
	if counts := d.p.At(n).String(); counts != "" {
		notes = append(notes, strings.Split(counts, " · ")...)
	}
	return notes
}

// top is the upper side of v in its level: what is beside a tall box begins near
// to where the box does.
func (l *level) top(v *vertex) float64 {
	top, low := l.tops[v.rank], l.lows[v.rank]
	return top + min((low-top-v.h)/2, 24)
}

// draw draws a level whose box begins at x and y.
func (pic *picture) draw(l *level, x, y float64) {
	for _, v := range l.all {
		left, top := x+v.x-v.w/2, y+l.top(v)
		switch {
		case v.node != nil:
			pic.node(v, left, top)
		case v.inner != nil:
			pic.box(v, left, top)
		case v.label != nil:
			pic.text("text", x+v.x, top+v.h/2+4, v.label.edge.Text())
		}
	}
	for _, s := range l.spans {
		pic.paths[s.line] = append(pic.paths[s.line], l.stretches(s, x, y)...)
	}
}

// stretches are what a span has of its line, from top to bottom.
func (l *level) stretches(s *span, x, y float64) []stretch {
	first, last := s.links[0], s.links[len(s.links)-1]
	from, to := first.from, last.to
	all := []stretch{{x: x + from.x + first.fromX, top: y + l.top(from) + from.h, low: y + l.lows[from.rank]}}
	for _, k := range s.links[:len(s.links)-1] {
		bend := stretch{x: x + k.to.x, top: y + l.tops[k.to.rank], low: y + l.lows[k.to.rank]}
		switch {
		case k.to.label != nil:
			bend.top = (bend.top + bend.low) / 2
			bend.low, bend.slant = bend.top, true
			all = append(all, bend)
		case k.to.rank%2 == 1: // past nodes; between their ranks the line is free
			all = append(all, bend)
		}
	}
	return append(all, stretch{x: x + to.x + last.toX, top: y + l.tops[to.rank], low: y + l.top(to)})
}

// box draws the box of a nested workflow and what is in it.
func (pic *picture) box(v *vertex, x, y float64) {
	fmt.Fprintf(&pic.boxes, `<rect class="box" x="%s" y="%s" width="%s" height="%s" rx="10"/>`+"\n", num(x), num(y), num(v.w), num(v.h))
	fmt.Fprintf(&pic.boxes, `<text class="boxname" x="%s" y="%s">%s</text>`+"\n", num(x+10), num(y+15), escape(v.inner.group.label()))
	pic.draw(v.inner, x, y)
}

// node draws a node, and the lines from it to itself.
func (pic *picture) node(v *vertex, x, y float64) {
	n, b := v.node, &pic.nodes
	w := v.w + 2*v.off
	fmt.Fprintf(b, `<g class="%s"><title>%s</title>`, strings.TrimSpace("node "+string(pic.d.p.At(n).Status())), escape(tooltip(n)))
	fmt.Fprintf(b, `<rect x="%s" y="%s" width="%s" height="%s" rx="7"/>`, num(x), num(y), num(w), num(v.h))
	if n.End {
		fmt.Fprintf(b, `<rect class="inner" x="%s" y="%s" width="%s" height="%s" rx="5"/>`, num(x+3), num(y+3), num(w-6), num(v.h-6))
	}
	if n.Start {
		fmt.Fprintf(b, `<circle class="start" cx="%s" cy="%s" r="5"/>`, num(x+w/2), num(y))
	}
	at := y + topPad + nameLine - 5
	fmt.Fprintf(b, `<text class="name" x="%s" y="%s">%s</text>`, num(x+w/2), num(at), escape(n.Label()))
	for _, note := range pic.d.notes(n) {
		at += noteLine
		fmt.Fprintf(b, `<text class="note" x="%s" y="%s">%s</text>`, num(x+w/2), num(at), escape(note))
	}
	b.WriteString("</g>\n")
	for i, l := range pic.d.loops(n) {
		right, middle := x+w, y+v.h/2
		pic.path(l, fmt.Sprintf("M%s,%s c%d,-8 %d,24 0,16", num(right), num(middle-8), 26+8*i, 26+8*i))
		if text := l.edge.Text(); text != "" {
			pic.text("text loop", right+26, middle+4+float64(i)*noteLine, text)
		}
	}
}

// tooltip is what a viewer shows of a node that is pointed at.
func tooltip(n *flox.GraphNode) string {
	return fmt.Sprintf("%s\ntakes %s\nyields %s\nqueue %s", n.Name, n.In, n.Out, n.Queue)
}

func (pic *picture) text(class string, x, y float64, text string) {
	fmt.Fprintf(&pic.labels, `<text class="%s" x="%s" y="%s">%s</text>`+"\n", class, num(x), num(y), escape(text))
}

func (pic *picture) path(l *line, data string) {
	kind := lineClass(l.edge.Kind)
	fmt.Fprintf(&pic.lines, `<path class="edge %s" marker-end="url(#flox-%s)" d="%s"/>`+"\n", kind, kind, data)
}

// lineClass is how the lines of edges of one kind look.
func lineClass(k flox.EdgeKind) string {
	if k == flox.EdgeFailure || k == flox.EdgeUndo {
		return string(k)
	}
	return "next"
}

// connect draws the lines between nodes, in the order of the edges.
func (pic *picture) connect() {
	for _, l := range pic.d.lines {
		if s := pic.paths[l]; len(s) > 0 {
			pic.path(l, curve(s, l.up))
		}
	}
}

// curve leads through the stretches, which levels have added in no order, from
// top to bottom or up.
func curve(s []stretch, up bool) string {
	slices.SortStableFunc(s, func(a, b stretch) int { return cmp.Compare(a.top+a.low, b.top+b.low) })
	if up {
		slices.Reverse(s)
		for i := range s {
			s[i].top, s[i].low = s[i].low, s[i].top
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "M%s,%s", num(s[0].x), num(s[0].top))
	for i, at := range s {
		if i > 0 && (at.x != s[i-1].x || at.top != s[i-1].low) {
			fromX, fromY := s[i-1].x, (s[i-1].low+at.top)/2
			toX, toY := at.x, fromY
			if s[i-1].slant {
				fromX, fromY = s[i-1].control(s[i-2], at, 1)
			}
			if at.slant {
				toX, toY = at.control(s[i-1], s[i+1], -1)
			}
			fmt.Fprintf(&b, " C%s,%s %s,%s %s,%s", num(fromX), num(fromY), num(toX), num(toY), num(at.x), num(at.top))
		}
		if at.low != at.top {
			fmt.Fprintf(&b, " L%s,%s", num(at.x), num(at.low))
		}
	}
	return b.String()
}

// control is a point before (-1) or after (1) a slanting one, in the direction
// from what is before to what is after it.
func (s stretch) control(before, after stretch, side float64) (x, y float64) {
	const part = 0.2
	return s.x + side*part*(after.x-before.x), s.top + side*part*(after.top-before.low)
}
