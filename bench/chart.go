package main

import (
	"bytes"
	"fmt"
	"html"
)

// panels are what the chart shows.
var panels = []struct{ workload, metric, title string }{
	{"W1", "drain", "Chain of 3, steps/s: more is better"},
	{"W2", "drain", "1 → 100 → join → end, steps/s: more is better"},
	{"W1", "start", "Starts a second: more is better"},
	{"W3", "chain p50", "Idle chain of 3, median ms: less is better"},
	{"W1", "redis cpu", "Redis CPU, µs a step: less is better"},
	{"W1", "worker cpu", "Worker CPU, µs a step: less is better"},
	{"W6", "bytes, pending run", "Bytes of a pending run: less is better"},
	{"W6", "bytes, finished run", "Bytes of a finished run that is kept: less is better"},
}

// Sizes of the chart, in pixels.
const (
	panelWidth = 520
	nameWidth  = 100
	barWidth   = 270 // of the longest bar
	barHeight  = 18
	barStep    = 26
	headHeight = 64
	panelHead  = 40
	gap        = 20
)

const chartStyle = `text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:12.5px;fill:#24292f}` +
	`.head{font-size:19px;font-weight:600}.title{font-size:14px;font-weight:600}.small{font-size:11px;fill:#57606a}.end{text-anchor:end}` +
	`.page{fill:#f6f8fa}.panel{fill:#fff;stroke:#d0d7de}.bar{fill:#8c959f}.bar.flox{fill:#2f6fb5}.bar.bare{fill:#c9d1d9}.range{stroke:#24292f;stroke-width:1.4}` +
	`@media (prefers-color-scheme:dark){text{fill:#e6edf3}.small{fill:#9ea7b3}.page{fill:#0d1117}.panel{fill:#161b22;stroke:#30363d}` +
	`.bar{fill:#6e7681}.bar.flox{fill:#4c8fd8}.bar.bare{fill:#3d444d}.range{stroke:#e6edf3}}`

// chart draws bars for each panel of which something was measured, two panels in a
// row. The thin line over a bar goes from the least to the most of the repetitions.
func (r *report) chart() []byte {
	var body bytes.Buffer
	x, y, rowHeight, drawn := gap, headHeight, 0, 0
	for _, p := range panels {
		rows := r.of(p.workload, p.metric)
		if len(rows) == 0 {
			continue
		}
		if drawn > 0 && drawn%2 == 0 {
			x, y, rowHeight = gap, y+rowHeight+gap, 0
		}
		height := panelHead + barStep*len(rows) + 8
		panel(&body, x, y, height, p.title, rows)
		x, rowHeight = x+panelWidth+gap, max(rowHeight, height)
		drawn++
	}
	width, height := gap+2*(panelWidth+gap), y+rowHeight+gap
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="%d" height="%d" viewBox="0 0 %d %d">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, "<title>flox and its peers, side by side</title>\n<style>%s</style>\n", chartStyle)
	fmt.Fprintf(&b, `<rect class="page" width="%d" height="%d"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<text class="head" x="%d" y="30">flox and its peers, side by side</text>`+"\n", gap)
	fmt.Fprintf(&b, `<text class="small" x="%d" y="50">%s</text>`+"\n", gap, html.EscapeString(r.caption()))
	b.Write(body.Bytes())
	b.WriteString("</svg>\n")
	return b.Bytes()
}

func (r *report) caption() string {
	return fmt.Sprintf("%d cores of %s, Redis %s, asynq %s, %s, %s. Median of %d, and the range. bare: flox's scripts and no more",
		r.About.CPUs, r.About.Processor, r.About.Redis, r.About.Asynq, r.About.Go, r.About.Settings, r.About.Repetitions)
}

// of are the rows of one metric, one for each system.
func (r *report) of(workload, metric string) []row {
	var rows []row
	for _, x := range r.Rows {
		if x.Workload == workload && x.Metric == metric {
			rows = append(rows, x)
		}
	}
	return rows
}

// scale is the value of the longest bar. A row beside which no other could be seen is
// off the scale.
func scale(rows []row) float64 {
	var most, second float64
	for _, one := range rows {
		if one.Max > most {
			most, second = one.Max, most
		} else {
			second = max(second, one.Max)
		}
	}
	if second > 0 && most > 20*second {
		return second
	}
	return most
}

func panel(b *bytes.Buffer, x, y, height int, title string, rows []row) {
	fmt.Fprintf(b, `<rect class="panel" x="%d" y="%d" width="%d" height="%d" rx="6"/>`+"\n", x, y, panelWidth, height)
	fmt.Fprintf(b, `<text class="title" x="%d" y="%d">%s</text>`+"\n", x+14, y+25, html.EscapeString(title))
	most := scale(rows)
	length := func(v float64) float64 {
		if most <= 0 {
			return 0
		}
		return max(0, v) / most * barWidth
	}
	for i, one := range rows {
		at, left := y+panelHead+barStep*i, x+14+nameWidth
		fmt.Fprintf(b, `<text class="end" x="%d" y="%d">%s</text>`, left-8, at+13, html.EscapeString(one.System))
		if one.Max > most {
			fmt.Fprintf(b, `<text class="small" x="%d" y="%d">%s, off the scale</text>`+"\n", left, at+13, html.EscapeString(number(one.Median)))
			continue
		}
		fmt.Fprintf(b, `<rect class="bar %s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`, html.EscapeString(one.System), left, at, length(one.Median), barHeight)
		if one.N > 1 {
			fmt.Fprintf(b, `<path class="range" d="M%.1f %dH%.1f"/>`, float64(left)+length(one.Min), at+barHeight/2, float64(left)+length(one.Max))
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%d">%s</text>`+"\n", float64(left)+length(one.Max)+8, at+13, html.EscapeString(number(one.Median)))
	}
}
