package dashboards

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	promDir = "../../deploy/prometheus/"
	runbook = "https://github.com/floxrun/flox/blob/main/docs/runbook.md"
)

// contract is what docs/metrics.md lists: the labels of each series by name.
func contract(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	row := regexp.MustCompile("(?m)^\\| `(flox_\\w+)` \\| (counter|gauge|histogram) \\|([^|]*)\\|")
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		labels := []string{"flox_namespace"}
		for l := range strings.SplitSeq(m[3], ",") {
			if l = strings.TrimSpace(l); l != "" {
				labels = append(labels, l)
			}
		}
		if m[2] != "histogram" {
			out[m[1]] = labels
			continue
		}
		out[m[1]+"_bucket"] = append(slices.Clone(labels), "le")
		out[m[1]+"_sum"], out[m[1]+"_count"] = labels, labels
	}
	if len(out) < 40 {
		t.Fatalf("docs/metrics.md lists %d series; has its form changed?", len(out))
	}
	return out
}

// check says what an expression uses that the contract does not have.
func check(listed map[string][]string, expr string) (problems []string) {
	e := parse(expr)
	if len(e.selectors) == 0 {
		return []string{"selects no series"}
	}
	known := []string{"instance", "job"}
	for _, s := range e.selectors {
		for _, name := range s.names {
			labels, ok := listed[name]
			switch {
			case name == "ALERTS":
				labels = []string{"alertname", "alertstate", "severity", "flox_namespace", "workflow", "queue", "server"}
			case strings.HasPrefix(name, "go_"), strings.HasPrefix(name, "process_"):
				labels = nil
			case !ok:
				problems = append(problems, name+" is not in docs/metrics.md")
			}
			for _, l := range s.labels {
				if !slices.Contains(labels, l) {
					problems = append(problems, name+" has no label "+l)
				}
			}
			known = append(known, labels...)
		}
	}
	for _, l := range e.grouping {
		if !slices.Contains(known, l) {
			problems = append(problems, "no series of it has the label "+l)
		}
	}
	return problems
}

// TestCheckFinds checks that the check finds what is wrong.
func TestCheckFinds(t *testing.T) {
	listed := contract(t)
	for _, tc := range []struct{ expr, want string }{
		{`sum by (workflow) (rate(flox_items_total{outcome!="retry"}[$__rate_interval])) / 2 > bool 0`, ""},
		{`histogram_quantile(0.5, sum by (le) (rate(flox_node_duration_seconds_bucket[5m] offset 1h)))`, ""},
		{`rate(process_cpu_seconds_total[1m]) and on (job, instance) flox_worker_slots`, ""},
		{`rate(flox_item_total[5m])`, "flox_item_total is not in docs/metrics.md"},
		{`flox_node_duration_seconds`, "flox_node_duration_seconds is not in docs/metrics.md"},
		{`{__name__=~"flox_runs|flox_rnus", workflow="a"}`, "flox_rnus is not in docs/metrics.md; flox_rnus has no label workflow"},
		{`flox_runs{queue="a \" } b"} or up`, "flox_runs has no label queue; up is not in docs/metrics.md"},
		{`max by (worker) (flox_items_in_flight)`, "no series of it has the label worker"},
		{`flox_runs + on (nod) flox_failed_runs`, "no series of it has the label nod"},
		{`1 + 2`, "selects no series"},
	} {
		if got := strings.Join(check(listed, tc.expr), "; "); got != tc.want {
			t.Errorf("check(%s) = %q, want %q", tc.expr, got, tc.want)
		}
	}
}

// TestPanels checks what each panel must have, and that it asks for series and
// labels which docs/metrics.md lists.
func TestPanels(t *testing.T) {
	listed := contract(t)
	for _, d := range All() {
		titles := map[string]bool{}
		variables := []string{"namespace"}
		for _, v := range d.Variables {
			variables = append(variables, v.Name)
			for _, p := range check(listed, v.Series) {
				t.Errorf("%s: variable %s: %s", d.Title, v.Name, p)
			}
		}
		for _, row := range d.Rows {
			for _, p := range row.Panels {
				name := d.Title + ": " + p.Title
				if p.Title == "" || p.Description == "" || p.Unit == "" || p.NoValue == "" || len(p.Queries) == 0 {
					t.Errorf("%s: want a title, a description, a unit, a text for no value and a query", name)
				}
				if titles[p.Title] && p.Kind == Stat {
					t.Errorf("%s is there twice", name)
				}
				titles[p.Title] = true
				if p.Kind != Lines && p.Kind != Table && len(p.Steps) == 0 {
					t.Errorf("%s: want thresholds", name)
				}
				for _, q := range p.Queries {
					for _, problem := range check(listed, q.Expr) {
						t.Errorf("%s: %s: %s", name, q.Expr, problem)
					}
					checkQuery(t, name, q, variables)
				}
			}
		}
	}
}

// checkQuery checks that a query is of the chosen namespace, uses variables that
// there are, and has a legend with labels that it groups by.
func checkQuery(t *testing.T, name string, q Query, variables []string) {
	t.Helper()
	if q.Legend == "" {
		t.Errorf("%s: %s: want a legend", name, q.Expr)
	}
	for _, v := range regexp.MustCompile(`\$\w+`).FindAllString(q.Expr, -1) {
		if v != "$__rate_interval" && v != "$__range" && !slices.Contains(variables, v[1:]) {
			t.Errorf("%s: %s: its dashboard has no variable %s", name, q.Expr, v)
		}
	}
	e := parse(q.Expr)
	for _, s := range e.selectors {
		if strings.HasPrefix(s.names[0], "flox_") && !slices.Contains(s.labels, "flox_namespace") {
			t.Errorf("%s: %s is not narrowed to the namespace", name, s.text)
		}
	}
	for _, l := range legendLabels(q.Legend) {
		if !slices.Contains(e.grouping, l) {
			t.Errorf("%s: the legend %q shows %s, which %s does not group by", name, q.Legend, l, q.Expr)
		}
	}
	checkReplicas(t, name, q.Expr)
}

var adds = regexp.MustCompile(`\bsum(?: by \([^)]*\))? \((?:\w+\()?(flox_\w+)`)

// checkReplicas checks that an expression does not add up what each of several
// that serve exports.
func checkReplicas(t *testing.T, name, expr string) {
	t.Helper()
	for _, sum := range adds.FindAllStringSubmatch(expr, -1) {
		if ofServe(t, sum[1]) {
			t.Errorf("%s: %s adds up %s over all that serve", name, expr, sum[1])
		}
	}
}

// ofServe tells whether orchestrator serve exports a series.
func ofServe(t *testing.T, name string) bool {
	t.Helper()
	text, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, ok := strings.Cut(string(text), "\n## Of `orchestrator serve`")
	if !ok {
		t.Fatal("docs/metrics.md has no section on orchestrator serve")
	}
	return strings.Contains(part, "`"+name+"`")
}

type rule struct {
	Alert       string
	Expr        string
	Labels      map[string]string
	Annotations map[string]string
}

func alerts(t *testing.T) []rule {
	t.Helper()
	text, err := os.ReadFile(promDir + "alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Groups []struct{ Rules []rule } }
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Groups) != 1 || len(file.Groups[0].Rules) < 10 {
		t.Fatal("alerts.yml: want one group with the alerts")
	}
	return file.Groups[0].Rules
}

// TestAlerts checks what each alert must have, that it asks for series and labels
// which docs/metrics.md lists, that docs/runbook.md has a section for it and no
// others, and that it fires in a case for promtool and is quiet in one.
func TestAlerts(t *testing.T) {
	listed := contract(t)
	book, err := os.ReadFile("../../docs/runbook.md")
	if err != nil {
		t.Fatal(err)
	}
	var sections, names []string
	for _, m := range regexp.MustCompile(`(?m)^## (Flox\w+)$`).FindAllStringSubmatch(string(book), -1) {
		sections = append(sections, m[1])
	}
	fires, quiet := cases(t)
	for _, r := range alerts(t) {
		names = append(names, r.Alert)
		for _, problem := range check(listed, r.Expr) {
			t.Errorf("%s: %s", r.Alert, problem)
		}
		checkReplicas(t, r.Alert, r.Expr)
		if s := r.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s has severity %q, want critical or warning", r.Alert, s)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s: want a summary and a description", r.Alert)
		}
		if got, want := r.Annotations["runbook_url"], runbook+"#"+strings.ToLower(r.Alert); got != want {
			t.Errorf("%s has the runbook %s, want %s", r.Alert, got, want)
		}
		grouping := parse(r.Expr).grouping
		for _, text := range r.Annotations {
			for _, m := range regexp.MustCompile(`\$labels\.(\w+)`).FindAllStringSubmatch(text, -1) {
				if !slices.Contains(grouping, m[1]) {
					t.Errorf("%s: a text shows the label %s, which its expression does not keep", r.Alert, m[1])
				}
			}
		}
		if !fires[r.Alert] || !quiet[r.Alert] {
			t.Errorf("%s: the cases have it fire: %v, quiet: %v; want both", r.Alert, fires[r.Alert], quiet[r.Alert])
		}
	}
	if !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(slices.Values(sections))) {
		t.Errorf("alerts are %v, sections of docs/runbook.md %v; want the same", names, sections)
	}
}

// cases are the alerts that the cases for promtool see fire, and those they see
// quiet.
func cases(t *testing.T) (fires, quiet map[string]bool) {
	t.Helper()
	fires, quiet = map[string]bool{}, map[string]bool{}
	for _, name := range []string{"alerts_test.yml", "alerts_slow_test.yml"} {
		text, err := os.ReadFile(promDir + name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Tests []struct {
				Cases []struct {
					Alertname string
					Alerts    []any `yaml:"exp_alerts"`
				} `yaml:"alert_rule_test"`
			}
		}
		if err := yaml.Unmarshal(text, &file); err != nil {
			t.Fatal(err)
		}
		for _, test := range file.Tests {
			for _, c := range test.Cases {
				if len(c.Alerts) > 0 {
					fires[c.Alertname] = true
				} else {
					quiet[c.Alertname] = true
				}
			}
		}
	}
	return fires, quiet
}
