package dashboards

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"fmt"
	"math"
	"slices"
	"strconv"
)

// Sizes in pixels: a dashboard is 24 columns wide.
const (
	column = 50.0
	line   = 30.0 // of a panel's height
	gap    = 8.0
	edge   = 16.0
)

// Pictures draws every dashboard with what the server answers now, all
// namespaces chosen, and the workflow that had the most items. It returns SVGs
// by file name.
func (l *Live) Pictures(ctx context.Context) (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, d := range All() {
		_, choices, err := l.choices(ctx, d)
		if err != nil {
			return nil, err
		}
		if len(choices) == 0 {
			return nil, fmt.Errorf("%s: a variable has no values", d.Title)
		}
		values, err := l.busiest(ctx, choices)
		if err != nil {
			return nil, err
		}
		pic, err := l.draw(ctx, d, values)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Title, err)
		}
		out["dashboard-"+d.File+".svg"] = pic
	}
	return out, nil
}

// busiest is the choice whose workflow had the most items.
func (l *Live) busiest(ctx context.Context, choices []map[string]string) (map[string]string, error) {
	best, most := choices[0], -1.0
	for _, c := range choices {
		if c["workflow"] == "" {
			break
		}
		answer, err := l.query(ctx, substitute("sum(increase(flox_items_total{"+wf+"}[$__range]))", c), true)
		if err != nil {
			return nil, err
		}
		if len(answer) > 0 && answer[0].points[0].value > most {
			best, most = c, answer[0].points[0].value
		}
	}
	return best, nil
}

func (l *Live) draw(ctx context.Context, d Dashboard, values map[string]string) ([]byte, error) {
	var body bytes.Buffer
	bottom := 0.0
	for _, at := range d.layout() {
		c := canvas{&body, edge + float64(at.x)*column, edge + 34 + float64(at.y)*line, float64(at.w)*column - gap, float64(at.h)*line - gap}
		bottom = max(bottom, c.y+c.h+gap)
		if at.panel == nil {
			c.text("row", c.x, c.y+18, substitute(at.row, values))
			continue
		}
		shown, err := l.ask(ctx, *at.panel, values)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at.panel.Title, err)
		}
		l.panel(c, *at.panel, shown)
	}
	w, h := num(2*edge+24*column-gap), num(bottom+edge)
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%s" height="%s" viewBox="0 0 %s %s">`+"\n", w, h, w, h)
	fmt.Fprintf(&out, "<title>%s</title>\n<style>%s</style>\n", escape(d.Title), style)
	fmt.Fprintf(&out, `<rect class="page" width="%s" height="%s"/>`+"\n", w, h)
	fmt.Fprintf(&out, `<text class="head" x="%s" y="%s">%s</text>`+"\n", num(edge), num(edge+18), escape(d.Title))
	fmt.Fprintf(&out, `<text class="small end" x="%s" y="%s">%s to %s UTC</text>`+"\n", num(edge+24*column-gap), num(edge+18),
		l.Start.UTC().Format("15:04:05"), l.End.UTC().Format("15:04:05"))
	out.Write(body.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes(), nil
}

// shown is a series as a panel shows it.
type shown struct {
	name, color string
	labels      map[string]string
	points      []point
}

func (s shown) last() float64 {
	for i := len(s.points) - 1; i >= 0; i-- {
		if !math.IsNaN(s.points[i].value) {
			return s.points[i].value
		}
	}
	return math.NaN()
}

// any tells whether a series has a value that is not 0.
func (s shown) any() bool {
	return slices.ContainsFunc(s.points, func(p point) bool { return p.value != 0 && !math.IsNaN(p.value) })
}

// ask asks a panel's queries. Of each the greatest series come first: a legend
// may not have room for all.
func (l *Live) ask(ctx context.Context, p Panel, values map[string]string) ([]shown, error) {
	var out []shown
	for _, q := range p.Queries {
		answer, err := l.query(ctx, substitute(q.Expr, values), p.instant())
		if err != nil {
			return nil, err
		}
		if !p.instant() {
			slices.SortStableFunc(answer, func(a, b series) int { return cmp.Compare(b.sum(), a.sum()) })
		}
		for _, s := range answer {
			if s.numbers() == 0 {
				continue
			}
			name := legendOf(q.Legend, s.labels)
			color := q.color(name)
			if color == "" {
				color = "c" + strconv.Itoa(len(out)%palette)
			}
			out = append(out, shown{name, color, s.labels, s.points})
		}
	}
	return out, nil
}

func (s series) sum() (sum float64) {
	for _, p := range s.points {
		if !math.IsNaN(p.value) {
			sum += p.value
		}
	}
	return sum
}

// canvas is a rectangle to draw on.
type canvas struct {
	b          *bytes.Buffer
	x, y, w, h float64
}

func (c canvas) text(class string, x, y float64, s string) {
	fmt.Fprintf(c.b, `<text class="%s" x="%s" y="%s">%s</text>`+"\n", class, num(x), num(y), escape(s))
}

// fit cuts a text of 11 px to what a width holds.
func fit(s string, width float64) string {
	r := []rune(s)
	if n := int(width / 6.3); len(r) > n && n > 1 {
		return string(r[:n-1]) + "…"
	}
	return s
}

func (l *Live) panel(c canvas, p Panel, all []shown) {
	fmt.Fprintf(c.b, `<g><title>%s</title><rect class="panel" x="%s" y="%s" width="%s" height="%s" rx="4"/>`+"\n",
		escape(p.Description), num(c.x), num(c.y), num(c.w), num(c.h))
	c.text("name", c.x+10, c.y+19, p.Title)
	in := canvas{c.b, c.x + 10, c.y + 34, c.w - 20, c.h - 42}
	switch {
	case len(all) == 0:
		c.text("none", c.x+c.w/2, c.y+c.h/2+8, p.NoValue)
	case p.Kind == Stat:
		in.stat(p, all)
	case p.Kind == Bars:
		in.bars(p, all)
	case p.Kind == Table:
		in.table(p, all)
	default:
		l.lines(in, p, all)
	}
	fmt.Fprintln(c.b, "</g>")
}

// step is the colour of a value by a panel's thresholds.
func (p Panel) step(v float64) string {
	color := "blue"
	for i, s := range p.Steps {
		if i == 0 || v >= s.From {
			color = s.Color
		}
	}
	return color
}

func (c canvas) stat(p Panel, all []shown) {
	for i, s := range all {
		v := s.last()
		text, ok := p.Says[digits(v)]
		if !ok {
			text = format(v, p.Unit)
		}
		w := c.w / float64(len(all))
		x := c.x + w*(float64(i)+0.5)
		c.text("value "+p.step(v), x, c.y+c.h/2+8, text)
		if len(all) > 1 {
			c.text("small mid", x, c.y+c.h/2+26, fit(s.name, w))
		}
	}
}

func (c canvas) bars(p Panel, all []shown) {
	high := 0.0
	for _, s := range all {
		high = max(high, s.last())
	}
	if high == 0 {
		high = 1
	}
	tall := min(26, c.h/float64(len(all)))
	label := c.w * 0.34
	for i, s := range all {
		y := c.y + float64(i)*tall
		c.text("small end", c.x+label-6, y+tall/2+4, fit(s.name, label))
		fmt.Fprintf(c.b, `<rect class="area %s" x="%s" y="%s" width="%s" height="%s" rx="2"/>`+"\n",
			p.step(s.last()), num(c.x+label), num(y+3), num(max(1, (c.w-label-60)*s.last()/high)), num(tall-6))
		c.text("small", c.x+label+(c.w-label-60)*s.last()/high+6, y+tall/2+4, format(s.last(), p.Unit))
	}
}

func (c canvas) table(p Panel, all []shown) {
	labels := parse(p.Queries[0].Expr).grouping
	for col, label := range labels {
		x, w := c.x+float64(col)*c.w/float64(len(labels)), c.w/float64(len(labels))
		c.text("small strong", x, c.y+10, fit(label, w))
		for i, s := range all {
			if y := c.y + 28 + float64(i)*17; y < c.y+c.h {
				c.text("small", x, y, fit(s.labels[label], w))
			}
		}
	}
}

func num(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64) }

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer does not fail
	return b.String()
}
