package graphsvg

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

const (
	margin     = 22.0 // around everything
	header     = 52.0 // the title's and the second line's height
	leastPage  = 300.0
	legendLine = 22.0
)

// svg is the whole document.
func (d *drawing) svg(l *level) []byte {
	pic := &picture{d: d, paths: map[*line][]stretch{}}
	title, rest, _ := strings.Cut(d.g.Caption(d.p), " · ")
	w := max(leastPage, l.w, textWidth(title, titleSize)*1.06, textWidth(rest, labelSize))
	keys, rows := d.legend(w)
	pic.draw(l, margin+(w-l.w)/2, margin+header)
	pic.connect()
	w, h := w+2*margin, 2*margin+header+l.h+float64(rows)*legendLine+12

	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="flox" role="img" width="%s" height="%s" viewBox="0 0 %s %s">`+"\n",
		num(w), num(h), num(w), num(h))
	fmt.Fprintf(&b, "<title>%s</title>\n<style>%s</style>\n<defs>%s</defs>\n", escape(d.g.Caption(d.p)), style(), markers())
	fmt.Fprintf(&b, `<rect class="page" width="%s" height="%s"/>`+"\n", num(w), num(h))
	fmt.Fprintf(&b, `<text class="title" x="%s" y="%s">%s</text>`+"\n", num(margin), num(margin+14), escape(title))
	if rest != "" {
		fmt.Fprintf(&b, `<text class="under" x="%s" y="%s">%s</text>`+"\n", num(margin), num(margin+32), escape(rest))
	}
	for _, part := range []*bytes.Buffer{&pic.boxes, &pic.lines, &pic.nodes, &pic.labels} {
		b.Write(part.Bytes())
	}
	fmt.Fprintf(&b, `<g transform="translate(%s,%s)">%s</g>`+"\n", num(margin), num(margin+header+l.h+26), keys)
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// legend explains the lines and colours that the drawing uses, in rows no wider
// than w.
func (d *drawing) legend(w float64) (svg string, rows int) {
	var b strings.Builder
	x := 0.0
	add := func(sample, text string) {
		wide := 30 + textWidth(text, labelSize) + 16
		if rows == 0 || x+wide > w && x > 0 {
			rows, x = rows+1, 0
		}
		fmt.Fprintf(&b, `<g transform="translate(%s,%s)">%s<text class="under" x="30" y="4">%s</text></g>`,
			num(x), num(float64(rows-1)*legendLine), sample, text)
		x += wide
	}
	if !d.hasLine("failure") && !d.hasLine("undo") && d.p == nil {
		return "", 0
	}
	for _, k := range []struct{ class, text string }{{"next", "next"}, {"failure", "on failure"}, {"undo", "undone by"}} {
		if d.hasLine(k.class) {
			add(fmt.Sprintf(`<path class="edge %s" marker-end="url(#flox-%s)" d="M0,0 L24,0"/>`, k.class, k.class), k.text)
		}
	}
	for _, s := range statuses {
		if d.hasStatus(s) {
			add(fmt.Sprintf(`<g class="node %s"><rect x="4" y="-6" width="18" height="12" rx="3"/></g>`, s), string(s))
		}
	}
	return b.String(), rows
}

var statuses = []flox.NodeStatus{flox.NodeDone, flox.NodeRunning, flox.NodeWaiting, flox.NodeFailed, flox.NodeHeld}

func (d *drawing) hasLine(class string) bool {
	for _, l := range d.lines {
		if lineClass(l.edge.Kind) == class {
			return true
		}
	}
	return false
}

func (d *drawing) hasStatus(s flox.NodeStatus) bool {
	for i := range d.g.Nodes {
		if d.p.At(&d.g.Nodes[i]).Status() == s {
			return true
		}
	}
	return false
}

// style has a light and a dark look, each with a page of its own colour, so that
// the picture can be read wherever it is put. Its rules hold for the picture
// alone, also inside a page of HTML.
func style() string {
	var b strings.Builder
	b.WriteString(light + dark)
	for _, s := range statuses {
		fill, line, text := s.Colours()
		fmt.Fprintf(&b, ".flox .%s rect{fill:%s;stroke:%s}.flox .%s text,.flox .%s .name{fill:%s}\n", s, fill, line, s, s, text)
	}
	return b.String()
}

const light = `
.flox{font-family:system-ui,"Segoe UI","Helvetica Neue",Arial,sans-serif}
.flox .page{fill:#fff}
.flox .title{font-size:16px;font-weight:600;fill:#1f2937}
.flox .under{font-size:11px;fill:#4b5563}
.flox .box{fill:none;stroke:#9aa3af;stroke-width:1.2}
.flox .boxname{font-size:11px;font-weight:600;fill:#6b7280}
.flox .edge{fill:none;stroke:#6b7280;stroke-width:1.4}
.flox .failure{stroke:#c62828;stroke-dasharray:6 4}
.flox .undo{stroke-dasharray:1.5 4;stroke-linecap:round}
.flox .head-next,.flox .head-undo{fill:#6b7280}
.flox .head-failure{fill:#c62828}
.flox .text{font-size:11px;text-anchor:middle;fill:#374151;stroke:#fff;stroke-width:5;stroke-linejoin:round;paint-order:stroke}
.flox .loop{text-anchor:start}
.flox .node rect{fill:#fff;stroke:#4b5563;stroke-width:1.4}
.flox .node text{text-anchor:middle;fill:#4b5563}
.flox .node .name{font-size:13px;font-weight:600;fill:#1f2937}
.flox .node .note{font-size:11px}
.flox .node .inner{fill:none}
.flox .start{fill:#1f2937}
`

const dark = `@media (prefers-color-scheme:dark){
.flox .page{fill:#15191f}
.flox .title,.flox .start{fill:#e5e7eb}
.flox .under{fill:#9aa3af}
.flox .box{stroke:#4b5563}
.flox .boxname{fill:#9aa3af}
.flox .edge{stroke:#9aa3af}
.flox .failure{stroke:#ef6a6a}
.flox .head-next,.flox .head-undo{fill:#9aa3af}
.flox .head-failure{fill:#ef6a6a}
.flox .text{fill:#d1d5db;stroke:#15191f}
.flox .node rect{fill:#232a34;stroke:#8b95a5}
.flox .node text{fill:#aab2be}
.flox .node .name{fill:#e5e7eb}
}
`

// markers are the heads of the lines.
func markers() string {
	var b strings.Builder
	for _, class := range []string{"next", "failure", "undo"} {
		fmt.Fprintf(&b, `<marker id="flox-%s" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" `+
			`markerUnits="userSpaceOnUse" orient="auto"><path class="head-%s" d="M0,1 L10,5 L0,9 z"/></marker>`, class, class)
	}
	return b.String()
}

func escape(s string) string {
	var b strings.Builder
	xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

// num is a length with one decimal at most.
func num(f float64) string { return strconv.FormatFloat(float64(int(f*10+0.5))/10, 'f', -1, 64) }
