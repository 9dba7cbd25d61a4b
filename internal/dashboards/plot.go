package dashboards

import (
	"bytes"
	"fmt"
	"time"
)

// Plot is a chart of numbers that no Prometheus has.
type Plot struct {
	Title string
	Unit  string // of Grafana's: bytes, s, short
	Lines []PlotLine
}

// PlotLine is a line of a Plot.
type PlotLine struct {
	Name   string
	Values []float64 // one for each time; NaN where there is none
}

// DrawPlots draws plots in rows of two, as an SVG document in the style of the
// dashboards' pictures. Each value is of the time at its place, in order; there
// must be two at least.
func DrawPlots(title string, times []time.Time, plots []Plot) []byte {
	const wide, tall = 12 * column, 8 * line
	start, end := times[0], times[len(times)-1]
	l := &Live{Start: start, End: end, Interval: end.Sub(start)} // no gap in a line
	var body bytes.Buffer
	rows := (len(plots) + 1) / 2
	for i, p := range plots {
		c := canvas{&body, edge + float64(i%2)*wide, edge + 34 + float64(i/2)*tall, wide - gap, tall - gap}
		l.panel(c, Panel{Title: p.Title, Unit: p.Unit, NoValue: "none"}, p.shown(times))
	}
	w, h := num(2*edge+2*wide-gap), num(2*edge+34+float64(rows)*tall)
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%s" height="%s" viewBox="0 0 %s %s">`+"\n", w, h, w, h)
	fmt.Fprintf(&out, "<title>%s</title>\n<style>%s</style>\n", escape(title), style)
	fmt.Fprintf(&out, `<rect class="page" width="%s" height="%s"/>`+"\n", w, h)
	fmt.Fprintf(&out, `<text class="head" x="%s" y="%s">%s</text>`+"\n", num(edge), num(edge+18), escape(title))
	out.Write(body.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

func (p Plot) shown(times []time.Time) []shown {
	var all []shown
	for i, line := range p.Lines {
		s := shown{name: line.Name, color: fmt.Sprint("c", i%palette)}
		for j, v := range line.Values {
			s.points = append(s.points, point{float64(times[j].UnixMilli()) / 1000, v})
		}
		all = append(all, s)
	}
	return all
}
