package dashboards

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestShape checks what is found wrong with an answer.
func TestShape(t *testing.T) {
	one := func(v float64, labels ...string) series {
		s := series{labels: map[string]string{}, points: []point{{1, math.NaN()}, {2, v}}}
		for i := 0; i < len(labels); i += 2 {
			s.labels[labels[i]] = labels[i+1]
		}
		return s
	}
	for _, tc := range []struct {
		panel  Panel
		legend string
		answer []series
		want   string
	}{
		{Panel{Kind: Lines}, "{{node}}", []series{one(1, "node", "a"), one(2, "node", "b")}, ""},
		{Panel{Kind: Lines}, "p50", []series{one(math.NaN())}, ""},
		{Panel{Kind: Lines}, "{{node}}", []series{one(1, "nod", "a")}, "a series has no label node: map[nod:a]"},
		{Panel{Kind: Lines}, "{{node}}", []series{one(1, "node", "a", "x", "1"), one(1, "node", "a", "x", "2")}, `two series are shown as "a"`},
		{Panel{Kind: Stat}, "alive", []series{one(1), one(2)}, `two series are shown as "alive"`},
		{Panel{Kind: Lines}, "p50", []series{one(math.Inf(1))}, `"p50" is infinite`},
		{Panel{Kind: Lines}, "p50", []series{one(-1)}, `"p50" is below 0: -1`},
		{Panel{Kind: Lines, Title: clockOffset}, "r", []series{one(-1)}, ""},
		{Panel{Kind: Stat, Unit: "percentunit"}, "used", []series{one(1)}, ""},
		{Panel{Kind: Stat, Unit: "percentunit"}, "used", []series{one(2)}, `"used" is over 100 %: 2`},
	} {
		if got := shape(tc.panel, Query{Legend: tc.legend}, tc.answer); got != tc.want {
			t.Errorf("shape(%v, %q, %v) = %q, want %q", tc.panel, tc.legend, tc.answer, got, tc.want)
		}
	}
}

// kept are the labels that the outermost aggregation of a query keeps.
func kept(query string) []string {
	all := parse(query).grouping
	m := regexp.MustCompile(`^(?:sort_desc\(|time\(\) - |\(|histogram_quantile\([0-9.]+, )*(?:sum|min|max|avg|count)(?: by \(([^)]*)\))? ?\(`).FindStringSubmatch(query)
	if m != nil {
		all = strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' })
	}
	return slices.DeleteFunc(all, func(l string) bool { return l == "le" })
}

// fake is a Prometheus server that answers each query with two series, which have
// the labels that it keeps, or with one if there are none; with none if it is empty.
func fake(t *testing.T, empty bool, rules string) *Live {
	t.Helper()
	end := time.Now()
	series := func(query string, instant bool) []any {
		labels := kept(query)
		var out []any
		for i := range 2 {
			m := map[string]string{}
			for _, l := range labels {
				m[l] = fmt.Sprintf("%s <%d>", l, i)
			}
			s := map[string]any{"metric": m}
			if instant {
				s["value"] = []any{1, "0.5"}
			} else {
				s["values"] = []any{[]any{end.Unix() - 40, "NaN"}, []any{end.Unix() - 20, "0.25"}, []any{end.Unix() - 10, "1"}}
			}
			if out = append(out, s); len(m) == 0 {
				break
			}
		}
		return out
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var data any = []any{}
		switch {
		case r.URL.Path == "/api/v1/rules":
			data = json.RawMessage(rules)
		case empty && strings.HasPrefix(r.URL.Path, "/api/v1/query"):
			data = map[string]any{"resultType": "vector", "result": []any{}}
		case strings.HasPrefix(r.URL.Path, "/api/v1/query"):
			data = map[string]any{"resultType": "vector", "result": series(r.FormValue("query"), r.URL.Path == "/api/v1/query")}
		case strings.HasSuffix(r.URL.Path, "/values") && !empty:
			data = []string{"some"}
		case r.URL.Path == "/api/v1/series" && !empty:
			data = []any{map[string]string{}}
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"status": "success", "data": data}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return &Live{URL: s.URL, Start: end.Add(-time.Minute), End: end}
}

const fineRules = `{"groups": [{"rules": [{"name": "A", "health": "ok", "query": "flox_runs > 1"}, {"name": "B", "health": "ok", "query": "flox_redis_errors_total"}]}]}`

// TestCheck checks that good answers have no problem, and that each query that
// must not be empty has one if it is.
func TestCheck(t *testing.T) {
	results, err := fake(t, false, fineRules).Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	queries := 2 // of the alerts
	for _, d := range All() {
		queries += len(d.Variables)
		for _, row := range d.Rows {
			for _, p := range row.Panels {
				queries += len(p.Queries)
			}
		}
	}
	if len(results) != queries {
		t.Errorf("there are %d results of %d queries", len(results), queries)
	}
	for _, r := range results {
		if r.Problem != "" || r.Series == 0 {
			t.Errorf("of good answers: %v", r)
		}
	}

	results, err = fake(t, true, fineRules).Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		// Without a workflow, nothing of one is asked.
		if (r.Problem == "") != (r.Empty != "") {
			t.Errorf("of empty answers: %v, problem %q, may be empty: %q", r, r.Problem, r.Empty)
		}
	}
}

// TestCheckAlerts checks that alerts that do not work are found, and a server
// that has none or does not answer is an error.
func TestCheckAlerts(t *testing.T) {
	bad := `{"groups": [{"rules": [{"name": "A", "health": "err", "lastError": "many-to-many", "query": "flox_runs"}]}]}`
	results, err := fake(t, false, bad).Check(t.Context())
	if i := slices.IndexFunc(results, func(r Result) bool { return r.Of == "alert A" }); err != nil || i < 0 || !strings.Contains(results[i].Problem, "many-to-many") {
		t.Errorf("an alert that fails: %v, %v", results, err)
	}
	if _, err := fake(t, false, `{"groups": []}`).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "has loaded no alerts") {
		t.Errorf("no alerts: %v", err)
	}
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	live := Live{URL: s.URL, Start: time.Now().Add(-time.Minute), End: time.Now()}
	if _, err := live.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "404 Not Found") {
		t.Errorf("another server: %v", err)
	}
}

// TestPictures checks that pictures are well-formed, with each panel in them, and
// draw lines only where there are numbers.
func TestPictures(t *testing.T) {
	pictures, err := fake(t, false, fineRules).Pictures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range All() {
		pic := pictures["dashboard-"+d.File+".svg"]
		for dec := xml.NewDecoder(strings.NewReader(string(pic))); ; {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", d.Title, err)
			}
		}
		for _, row := range d.Rows {
			for _, p := range row.Panels {
				if !strings.Contains(string(pic), ">"+p.Title+"</text>") {
					t.Errorf("%s: its picture has no panel %s", d.Title, p.Title)
				}
			}
		}
		if strings.Contains(string(pic), "NaN") || strings.Contains(string(pic), "Inf") {
			t.Errorf("%s: its picture has a place that is no number", d.Title)
		}
	}
	empty, err := fake(t, true, fineRules).draw(t.Context(), workers(), map[string]string{})
	if err != nil || !strings.Contains(string(empty), noWorker) {
		t.Errorf("a picture of nothing does not say so: %v", err)
	}
}

// TestUnbroken checks that a line has gaps where values are missing.
func TestUnbroken(t *testing.T) {
	nan := math.NaN()
	got := unbroken([]point{{0, nan}, {5, 1}, {10, 2}, {15, nan}, {20, 3}, {25, 4}, {40, 5}}, 5)
	if want := [][]point{{{5, 1}, {10, 2}}, {{20, 3}, {25, 4}}, {{40, 5}}}; !reflect.DeepEqual(got, want) {
		t.Errorf("unbroken = %v, want %v", got, want)
	}
}

// TestFormat checks values with their units.
func TestFormat(t *testing.T) {
	for _, tc := range []struct {
		v    float64
		unit string
		want string
	}{
		{0.00025, "s", "250 µs"}, {0.0415, "s", "41.5 ms"}, {59.99999, "s", "1 min"}, {5400, "s", "1.5 h"}, {-0.002, "s", "-2 ms"}, {0, "s", "0 s"},
		{0.187, "percentunit", "18.7 %"}, {1536, "bytes", "1.5 KiB"}, {0, "bytes", "0 B"}, {12345, "ops", "12.3 k/s"}, {0.25, "ops", "0.25/s"},
		{1234567, "short", "1.23 M"}, {42, "none", "42"}, {math.NaN(), "s", "-"}, {0, "ops", "0/s"},
	} {
		if got := format(tc.v, tc.unit); got != tc.want {
			t.Errorf("format(%v, %s) = %q, want %q", tc.v, tc.unit, got, tc.want)
		}
	}
}

// TestTicks checks that an axis holds its values, in round steps.
func TestTicks(t *testing.T) {
	for _, tc := range []struct {
		low, high float64
		unit      string
		want      []float64
	}{
		{0, 9, "short", []float64{0, 5, 10}},
		{0, 0, "short", []float64{0, 0.5, 1}},
		{-3, 7, "short", []float64{-5, 0, 5, 10}},
		{0, 3000, "bytes", []float64{0, 1024, 2048, 3072}},
		{0, 400, "s", []float64{0, 120, 240, 360, 480}},
	} {
		if got := ticks(tc.low, tc.high, 4, tc.unit); !slices.Equal(got, tc.want) {
			t.Errorf("ticks(%v, %v, %s) = %v, want %v", tc.low, tc.high, tc.unit, got, tc.want)
		}
	}
}

// TestRateInterval checks Grafana's $__rate_interval: four scrapes at least, so
// that a rate has two samples even if one was missed.
func TestRateInterval(t *testing.T) {
	for _, tc := range []struct{ scrape, step, want time.Duration }{
		{5 * time.Second, 5 * time.Second, 20 * time.Second},
		{5 * time.Second, time.Minute, 65 * time.Second},
	} {
		if got := rateInterval(tc.scrape, tc.step); got != tc.want {
			t.Errorf("rateInterval(%v, %v) = %v, want %v", tc.scrape, tc.step, got, tc.want)
		}
	}
}
