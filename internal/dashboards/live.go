package dashboards

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// Live asks a Prometheus server what the dashboards would ask with all
// namespaces and queues chosen, for every workflow. It keeps nothing; its methods
// may be called at the same time.
type Live struct {
	URL        string        // of the server, as http://127.0.0.1:9090
	Start, End time.Time     // the time range
	Interval   time.Duration // between scrapes; 0 for 5 s
}

// Result is what came of one query.
type Result struct {
	Of      string // the dashboard and panel, or the alert
	Query   string // as it was asked
	Series  int
	Labels  []string // of the series
	Empty   string   // why there may be no series, "" if there must be some
	Problem string   // "" if the answer is as it must be
}

// String is a line that says it all.
func (r Result) String() string {
	s := fmt.Sprintf("%s: %d series of %v", r.Of, r.Series, r.Labels)
	switch {
	case r.Problem != "":
		s += ": " + r.Problem + ": " + strings.Join(strings.Fields(r.Query), " ")
	case r.Series == 0:
		s += " (" + r.Empty + ")"
	}
	return s
}

// absent says of series that alerts watch for why a healthy system may not have
// them.
var absent = map[string]string{
	`flox_run_duration_seconds_count{status="failed"}`: "no run has failed",
	"flox_leases_lost_total":                           "no lease was lost",
	"flox_redis_errors_total":                          "no command failed",
	"flox_redis_replication_lag_bytes":                 "there is no replica",
	`flox_runs{status="failed"}`:                       "no run has failed",
	`flox_runs{status="paused"}`:                       "no run is paused",
	`flox_failed_runs{class="crash"}`:                  "no run has failed of a crash",
}

// Check asks every variable and every query of every dashboard, and what every
// alert that the server has loaded watches, one after the other. It judges the
// answers: there are series, they have the labels that the legend shows, they
// differ by them, and their values are numbers that fit the unit. So runs must
// have ended in the time range: of nothing there is no duration. An error is one
// of the server, or of reaching it; what is wrong with an answer is in its Result.
func (l *Live) Check(ctx context.Context) ([]Result, error) {
	var out []Result
	for _, d := range All() {
		variables, choices, err := l.choices(ctx, d)
		if err != nil {
			return out, err
		}
		out = append(out, variables...)
		for _, row := range d.Rows {
			for _, p := range row.Panels {
				for _, q := range p.Queries {
					r, err := l.checkQuery(ctx, d, p, q, choices)
					if err != nil {
						return out, fmt.Errorf("%s: %w", r.Of, err)
					}
					out = append(out, r)
				}
			}
		}
	}
	alerts, err := l.checkAlerts(ctx)
	return append(out, alerts...), err
}

// choices are the values of a dashboard's variables: of one that takes a single
// value, each of them in turn.
func (l *Live) choices(ctx context.Context, d Dashboard) (results []Result, choices []map[string]string, err error) {
	choices = []map[string]string{{
		"__rate_interval": seconds(rateInterval(l.interval(), l.step())),
		"__range":         seconds(l.End.Sub(l.Start)),
	}}
	for _, v := range d.Variables {
		selector := substitute(v.Series, choices[0])
		values, err := l.values(ctx, selector, v.From)
		if err != nil {
			return results, nil, fmt.Errorf("%s: variable %s: %w", d.Title, v.Name, err)
		}
		r := Result{Of: d.Title + ": variable " + v.Name, Query: selector, Series: len(values), Labels: []string{v.From}}
		if len(values) == 0 {
			r.Problem = "no values"
		}
		results = append(results, r)
		if v.Multi {
			values = []string{".*"}
		}
		var more []map[string]string
		for _, c := range choices {
			for _, value := range values {
				c := maps.Clone(c)
				c[v.Name] = value
				more = append(more, c)
			}
		}
		choices = more
	}
	return results, choices, nil
}

// checkQuery asks a query with each of the choices. It is empty if it is with
// all of them.
func (l *Live) checkQuery(ctx context.Context, d Dashboard, p Panel, q Query, choices []map[string]string) (Result, error) {
	r := Result{Of: d.Title + ": " + p.Title + " (" + q.Legend + ")", Query: q.Expr, Empty: q.MayBeEmpty}
	numbers := 0
	for _, values := range choices {
		answer, err := l.query(ctx, substitute(q.Expr, values), p.instant())
		if err != nil {
			return r, err
		}
		r.Series += len(answer)
		for _, s := range answer {
			r.Labels = slices.Sorted(maps.Keys(s.labels))
			numbers += s.numbers()
		}
		if problem := shape(p, q, answer); problem != "" && r.Problem == "" {
			r.Query, r.Problem = substitute(q.Expr, values), problem
		}
	}
	switch {
	case r.Problem != "":
	case r.Series == 0 && q.MayBeEmpty == "":
		r.Problem = "no series"
	case r.Series > 0 && numbers == 0 && q.MayBeEmpty == "":
		r.Problem = "not a single number"
	}
	return r, nil
}

// shape says what is wrong with the series of an answer.
func shape(p Panel, q Query, answer []series) string {
	legends := map[string]bool{}
	for _, s := range answer {
		for _, label := range legendLabels(q.Legend) {
			if s.labels[label] == "" {
				return fmt.Sprintf("a series has no label %s: %v", label, s.labels)
			}
		}
		legend := legendOf(q.Legend, s.labels)
		if legends[legend] && p.Kind != Table {
			return fmt.Sprintf("two series are shown as %q", legend)
		}
		legends[legend] = true
		for _, v := range s.points {
			switch {
			case math.IsInf(v.value, 0):
				return fmt.Sprintf("%q is infinite", legend)
			case v.value < 0 && !p.signed():
				return fmt.Sprintf("%q is below 0: %v", legend, v.value)
			case v.value > 1.01 && p.Unit == "percentunit":
				return fmt.Sprintf("%q is over 100 %%: %v", legend, v.value)
			}
		}
	}
	return ""
}

// numbers counts the points that are one: a quantile of nothing is not.
func (s series) numbers() int {
	n := 0
	for _, p := range s.points {
		if !math.IsNaN(p.value) {
			n++
		}
	}
	return n
}

// checkAlerts checks that the server evaluates its alerts, and has the series
// that they watch: an alert on what there is not never fires.
func (l *Live) checkAlerts(ctx context.Context) ([]Result, error) {
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Query, Health, LastError, Type string }
		}
	}
	if err := l.get(ctx, "/api/v1/rules", nil, &data); err != nil {
		return nil, err
	}
	var out []Result
	for _, g := range data.Groups {
		for _, rule := range g.Rules {
			r := Result{Of: "alert " + rule.Name, Query: rule.Query}
			if rule.Health != "ok" {
				r.Problem = fmt.Sprintf("its health is %s, %s", rule.Health, rule.LastError)
			}
			for _, s := range parse(rule.Query).selectors {
				n, err := l.count(ctx, s.text)
				if err != nil {
					return out, fmt.Errorf("%s: %w", r.Of, err)
				}
				r.Series += n
				switch why := absent[s.text]; {
				case n == 0 && why != "":
					r.Empty = why
				case n == 0 && r.Problem == "":
					r.Problem = "no series " + s.text
				}
			}
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return out, fmt.Errorf("%s has loaded no alerts", l.URL)
	}
	return out, nil
}

func (l *Live) interval() time.Duration {
	if l.Interval > 0 {
		return l.Interval
	}
	return 5 * time.Second
}

// step is the distance of points in a time range, as of a panel 240 points wide.
func (l *Live) step() time.Duration {
	return max(l.interval(), (l.End.Sub(l.Start) / 240).Round(time.Second))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%ds", int(math.Ceil(d.Seconds()))) }
