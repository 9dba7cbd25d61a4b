package dashboards

import (
	"bytes"
	"fmt"
	"math"
	"time"
)

// chart is a place for lines with its axes: time from left to right, values from
// low to high.
type chart struct {
	canvas
	start, end time.Time
	low, high  float64
	unit       string
}

const (
	legendLine = 15.0
	axisWidth  = 54.0
	axisHeight = 20.0
)

// lines draws series as lines or, stacked, as areas, with axes and a legend of
// the last values.
func (l *Live) lines(c canvas, p Panel, all []shown) {
	perRow := 2
	if len(all) <= 3 {
		perRow = 1
	}
	rows := min(3, (len(all)+perRow-1)/perRow)
	base, low, high := stack(p, all)
	marks := ticks(low, high, 4, p.Unit)
	plot := canvas{c.b, c.x + axisWidth, c.y, c.w - axisWidth - 4, c.h - axisHeight - float64(rows)*legendLine}
	ch := chart{plot, l.Start, l.End, marks[0], marks[len(marks)-1], p.Unit}
	ch.axes(marks)
	for i, s := range all {
		if p.Stack && !s.any() {
			continue // it would be a line on top of the others
		}
		for _, part := range unbroken(s.points, l.step().Seconds()) {
			ch.line(s.color, part, base[i], p.Stack)
		}
	}
	c.legend(p, all, rows, perRow, plot.y+plot.h+axisHeight)
}

// stack finds where each series' area begins at each time, 0 if the panel does
// not stack them, and the least and greatest place of all lines.
func stack(p Panel, all []shown) (base []map[float64]float64, low, high float64) {
	sums := map[float64]float64{}
	for _, s := range all {
		at := map[float64]float64{}
		for _, pt := range s.points {
			if math.IsNaN(pt.value) {
				continue
			}
			if p.Stack {
				at[pt.at] = sums[pt.at]
				sums[pt.at] += pt.value
			}
			low, high = min(low, at[pt.at]+pt.value), max(high, at[pt.at]+pt.value)
		}
		base = append(base, at)
	}
	return base, low, high
}

func (c chart) px(at float64) float64 {
	from := float64(c.start.UnixMilli()) / 1000
	return c.x + c.w*(at-from)/c.end.Sub(c.start).Seconds()
}

func (c chart) py(v float64) float64 { return c.y + c.h*(c.high-v)/(c.high-c.low) }

func (c chart) axes(marks []float64) {
	for _, m := range marks {
		fmt.Fprintf(c.b, `<path class="grid" d="M%s,%s h%s"/>`+"\n", num(c.x), num(c.py(m)), num(c.w))
		c.text("small end", c.x-6, c.py(m)+4, format(m, c.unit))
	}
	const times = 4
	for i := range times {
		share := (float64(i) + 0.5) / times
		at := c.start.Add(time.Duration(share * float64(c.end.Sub(c.start))))
		c.text("small mid", c.x+c.w*share, c.y+c.h+15, at.UTC().Format("15:04:05"))
	}
}

// line draws points from left to right and, for an area, back along its base.
func (c chart) line(color string, points []point, base map[float64]float64, area bool) {
	var top, back bytes.Buffer
	command := "M"
	for _, p := range points {
		fmt.Fprintf(&top, "%s%s,%s", command, num(c.px(p.at)), num(c.py(base[p.at]+p.value)))
		command = "L"
	}
	for j := len(points) - 1; j >= 0; j-- {
		fmt.Fprintf(&back, "L%s,%s", num(c.px(points[j].at)), num(c.py(base[points[j].at])))
	}
	if area {
		fmt.Fprintf(c.b, `<path class="area %s" d="%s%sZ"/>`+"\n", color, top.String(), back.String())
	}
	fmt.Fprintf(c.b, `<path class="line %s" d="%s"/>`+"\n", color, top.String())
}

// legend names the series; what does not fit is counted.
func (c canvas) legend(p Panel, all []shown, rows, perRow int, top float64) {
	w := c.w / float64(perRow)
	for i, s := range all {
		x, y := c.x+float64(i%perRow)*w, top+float64(i/perRow)*legendLine+11
		if i == rows*perRow-1 && len(all) > rows*perRow {
			c.text("small", x+16, y, fmt.Sprintf("and %d more", len(all)-i))
			return
		}
		fmt.Fprintf(c.b, `<path class="line key %s" d="M%s,%s h10"/>`+"\n", s.color, num(x), num(y-4))
		value := format(s.last(), p.Unit)
		c.text("small", x+16, y, fit(s.name, w-28-float64(len(value))*6.3)+"  "+value)
	}
}

// unbroken cuts points where there is no number, or none for more than a step of
// so many seconds.
func unbroken(points []point, step float64) (out [][]point) {
	last := math.Inf(-1)
	for _, p := range points {
		if math.IsNaN(p.value) {
			continue
		}
		if p.at-last > 1.5*step {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], p)
		last = p.at
	}
	return out
}
