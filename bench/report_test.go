package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// made is a report of two repetitions of made-up numbers.
func made() *report {
	r := &report{workloads: []workload{{
		name: "W1", about: "chains",
		systems: []system{{name: "flox"}, {name: "as<nq"}},
		targets: []target{
			{about: "faster", system: "flox", metric: "drain", overSystem: "as<nq", least: 5, stretch: 7},
			{about: "cheaper", system: "flox", metric: "redis cpu", least: 20, stretch: 10, most: true},
			{about: "flat", system: "flox", metric: "drain", overMetric: "redis cpu", least: 1e6, stretch: 2e6},
			{about: "absent", system: "flox", metric: "none", least: 1, stretch: 2},
		},
	}}}
	add := func(rep int, system, metric, unit string, v float64) {
		r.Samples = append(r.Samples, Sample{"W1", system, metric, unit, v, rep})
	}
	add(0, "flox", "drain", "steps/s", 40_000)
	add(0, "as<nq", "drain", "steps/s", 5000)
	add(0, "flox", "redis cpu", "µs/step", 10)
	add(1, "flox", "drain", "steps/s", 20_000)
	add(1, "as<nq", "drain", "steps/s", 4000)
	add(1, "flox", "redis cpu", "µs/step", 16)
	r.About.Repetitions = 2
	r.sum()
	return r
}

func TestTargets(t *testing.T) {
	got := map[string]result{}
	for _, x := range made().Targets {
		got[x.About] = x
	}
	for about, want := range map[string]struct {
		median  float64
		verdict string
	}{"faster": {6.5, "ok"}, "cheaper": {13, "ok"}, "flat": {2625, "miss"}} {
		if x := got[about]; x.Median != want.median || x.Verdict != want.verdict {
			t.Errorf("target %q = %v, %s, want %v, %s", about, x.Median, x.Verdict, want.median, want.verdict)
		}
	}
	if len(got) != 3 {
		t.Errorf("%d targets were judged, want 3: what was not measured has none", len(got))
	}
	if x := (target{least: 5, stretch: 7}).judge(spread{Median: 7, N: 1}); x.Verdict != "stretch" {
		t.Errorf("7 where 7 is the stretch is %s", x.Verdict)
	}
	if x := (target{least: 5, stretch: 3, most: true}).judge(spread{Median: 5.1, N: 1}); x.Verdict != "miss" {
		t.Errorf("5.1 where 5 is the most is %s", x.Verdict)
	}
}

func TestTable(t *testing.T) {
	r := made()
	r.Failures = []string{"W9 was not there"}
	r.Noise.Words = []string{"a band played"}
	var b strings.Builder
	if err := r.table(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"W1: chains", "30,000 (20,000 to 40,000)", "4,500 (4,000 to 5,000)", "6.50 (5.00 to 8.00)",
		"≥ 5.00", "≤ 20.0", "miss", "not measured: W9 was not there", "the machine was noisy: a band played",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the table has no %q:\n%s", want, b.String())
		}
	}
}

func TestChart(t *testing.T) {
	svg := made().chart()
	bars, texts := 0, ""
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		switch x := token.(type) {
		case xml.StartElement:
			for _, a := range x.Attr {
				if a.Name.Local == "class" && strings.HasPrefix(a.Value, "bar ") {
					bars++
				}
			}
		case xml.CharData:
			texts += string(x) + "\n"
		}
	}
	if bars != 3 {
		t.Errorf("the chart has %d bars, want 3", bars)
	}
	for _, want := range []string{"Chain of 3, steps/s", "as<nq", "30,000", "Median of 2", "prefers-color-scheme:dark"} {
		if !strings.Contains(texts, want) {
			t.Errorf("the chart does not say %q", want)
		}
	}
}

// TestScale leaves out of it the one bar beside which no other could be seen.
func TestScale(t *testing.T) {
	rows := []row{{System: "a", spread: spreadOf([]float64{2})}, {System: "b", spread: spreadOf([]float64{30})}, {System: "c", spread: spreadOf([]float64{2300})}}
	if got := scale(rows); got != 30 {
		t.Errorf("the scale of 2, 30 and 2300 ends at %v, want 30", got)
	}
	if got := scale(rows[:2]); got != 30 {
		t.Errorf("the scale of 2 and 30 ends at %v, want 30", got)
	}
	if got := scale(rows[1:2]); got != 30 {
		t.Errorf("the scale of 30 ends at %v, want 30", got)
	}
	var b bytes.Buffer
	panel(&b, 0, 0, 100, "three", rows)
	if bars := strings.Count(b.String(), `class="bar`); bars != 2 || !strings.Contains(b.String(), ">2,300, off the scale<") {
		t.Errorf("%d bars, want 2 and a word of the third, in\n%s", bars, b.String())
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	o := options{json: filepath.Join(dir, "a.json"), svg: filepath.Join(dir, "a.svg")}
	if err := made().write(o, io.Discard); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(o.json)
	if err != nil {
		t.Fatal(err)
	}
	var back report
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if len(back.Samples) != 6 || len(back.Targets) != 3 || back.Rows[0].Median != 30_000 {
		t.Errorf("the JSON is\n%s", raw)
	}
	if svg, err := os.ReadFile(o.svg); err != nil || !bytes.HasPrefix(svg, []byte("<svg ")) {
		t.Errorf("the picture is %.40q, %v", svg, err)
	}
}

func TestOptions(t *testing.T) {
	o, err := parse([]string{"--quick", "--workload", "W1|W3"}, io.Discard)
	if err != nil || o.repeat != 1 || !o.workload.MatchString("W3") || o.workload.MatchString("W2") {
		t.Errorf("options = %+v, %v", o, err)
	}
	for _, bad := range [][]string{{"--repeat", "-1"}, {"--workload", "("}, {"--system", "("}, {"W1"}} {
		if _, err := parse(bad, io.Discard); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
