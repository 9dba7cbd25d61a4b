package dashboards

import "cmp"

// Kind is how a panel shows its queries.
type Kind string

// The kinds, by the names of Grafana's plugins.
const (
	Lines Kind = "timeseries"
	Stat  Kind = "stat"
	Bars  Kind = "bargauge"
	Table Kind = "table"
)

// Dashboard is one dashboard. All of its fields are needed.
type Dashboard struct {
	UID         string // stable: links and bookmarks use it
	File        string // its name in deploy/grafana/dashboards, without .json
	Title       string
	Description string
	Variables   []Variable
	Rows        []Row
}

// Variable is a list of values above a dashboard, taken from a label of series.
type Variable struct {
	Name, Label string
	Series      string // a selector; may use the variables before it
	From        string // the label
	Multi       bool   // several at a time, and "All"
}

// Row is a heading with panels under it, placed from left to right.
type Row struct {
	Title  string
	Panels []Panel
}

// Panel shows the answers to some queries.
type Panel struct {
	Kind        Kind
	Title       string
	Description string // what it says, and what to make of it
	Unit        string // a unit of Grafana
	NoValue     string // shown when there are no data
	Queries     []Query
	Width       int // of 24; 0 for 8, a stat 4
	Height      int // 0 for 8, a stat 4
	Steps       []Step
	Says        map[string]string // a value to the text shown in its place
	Stack       bool
	Link        string // of a value: to another dashboard
}

// Query is an expression of PromQL, with Grafana's variables in it.
type Query struct {
	Expr   string
	Legend string // a text with {{label}}s; each series must have them
	// MayBeEmpty says why there may be no such series in a healthy system, or
	// is "" if there must be some.
	MayBeEmpty string
}

// Step is a threshold: from From up, values have the colour. The first step's
// From is ignored.
type Step struct {
	From  float64
	Color string
}

// All returns the dashboards in the order in which to read them. The caller
// owns the result.
func All() []Dashboard {
	return []Dashboard{overview(), workflow(), workers(), redis()}
}

// place is where a row's heading or a panel stands, in units of the grid: a
// dashboard is 24 wide.
type place struct {
	row        string // the heading, or
	panel      *Panel
	x, y, w, h int
}

// layout places rows under each other, and the panels of each from left to right, a
// new line where one is full.
func (d Dashboard) layout() (out []place) {
	y := 0
	for _, row := range d.Rows {
		out = append(out, place{row: row.Title, y: y, w: 24, h: 1})
		y++
		x, tall := 0, 0
		for i := range row.Panels {
			p := &row.Panels[i]
			side := 8
			if p.Kind == Stat {
				side = 4
			}
			w, h := cmp.Or(p.Width, side), cmp.Or(p.Height, side)
			if x+w > 24 {
				x, y, tall = 0, y+tall, 0
			}
			out = append(out, place{panel: p, x: x, y: y, w: w, h: h})
			x, tall = x+w, max(tall, h)
		}
		y += tall
	}
	return out
}

// instant tells whether a panel shows the last values only.
func (p Panel) instant() bool { return p.Kind != Lines }

// colors are those of series that are shown by one label, by its values: of names
// that say whether they are good or bad. Those under "" have fixed names.
var colors = map[string]map[string]string{
	"status": {
		"completed": "green", "failed": "red", "running": "blue", "paused": "purple", "undoing": "orange",
		"cancelled": "yellow", "pending": "super-light-blue",
	},
	"state": {"alive": "green", "draining": "purple", "stale": "orange", "dead": "red"},
	"outcome": {
		"next": "green", "end": "blue", "retry": "orange", "fail": "red", "fallback": "yellow",
		"deposit": "purple", "fan": "super-light-blue",
	},
	"": {"lost": "red", "reclaimed": "orange", "extended": "green", "busy": "blue", "slots": "green"},
}

// color is that of one of a query's series, "" if it has none of its own.
func (q Query) color(legend string) string {
	label := ""
	if l := legendLabels(q.Legend); len(l) == 1 && q.Legend == "{{"+l[0]+"}}" {
		label = l[0]
	} else if len(l) > 0 {
		return ""
	}
	return colors[label][legend]
}

var (
	onlyGood    = []Step{{0, "red"}, {1, "green"}}
	noneIsGood  = []Step{{0, "green"}, {1, "red"}}
	waitSteps   = []Step{{0, "green"}, {60, "yellow"}, {300, "red"}}
	fillSteps   = []Step{{0, "green"}, {0.8, "yellow"}, {0.95, "red"}}
	plain       = []Step{{0, "blue"}}
	failedSteps = []Step{{0, "green"}, {0.01, "yellow"}, {0.1, "red"}}
)
