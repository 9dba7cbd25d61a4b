package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
)

// report is what a run came to, and its JSON.
type report struct {
	About     facts    `json:"about"`
	Noise     noise    `json:"noise"`
	Rows      []row    `json:"rows"`
	Targets   []result `json:"targets"`
	Failures  []string `json:"failures,omitempty"` // measurements that gave no number
	Samples   samples  `json:"samples"`
	workloads []workload
}

// row is one number of the table.
type row struct {
	Workload string `json:"workload"`
	System   string `json:"system"`
	Metric   string `json:"metric"`
	Unit     string `json:"unit"`
	spread
}

// result says how a target was met.
type result struct {
	About   string  `json:"about"`
	Least   float64 `json:"least"`
	Stretch float64 `json:"stretch"`
	Most    bool    `json:"most,omitempty"` // both are upper bounds
	Verdict string  `json:"verdict"`        // stretch, ok, miss
	spread
}

// add takes what one measurement gave.
func (r *report) add(got []Sample, rep int) {
	for _, s := range got {
		s.Rep = rep
		r.Samples = append(r.Samples, s)
	}
}

// sum makes rows and results of the samples. What was not measured has none.
func (r *report) sum() {
	type key struct{ workload, system, metric string }
	seen := map[key]bool{}
	for _, s := range r.Samples {
		k := key{s.Workload, s.System, s.Metric}
		if !seen[k] {
			seen[k] = true
			values := list(r.Samples.values(s.Workload, s.System, s.Metric))
			r.Rows = append(r.Rows, row{s.Workload, s.System, s.Metric, s.Unit, spreadOf(values)})
		}
	}
	for _, w := range r.workloads {
		for _, t := range w.targets {
			if values := t.values(w.name, r.Samples); len(values) > 0 {
				r.Targets = append(r.Targets, t.judge(spreadOf(values)))
			}
		}
	}
}

// values are the target's number in each repetition.
func (t target) values(workload string, all samples) []float64 {
	over := all.values(workload, t.system, t.metric)
	switch {
	case t.overSystem != "":
		return ratios(over, all.values(workload, t.overSystem, t.metric))
	case t.overMetric != "":
		return ratios(over, all.values(workload, t.system, t.overMetric))
	}
	return list(over)
}

func (t target) judge(s spread) result {
	r := result{About: t.about, Least: t.least, Stretch: t.stretch, Most: t.most, spread: s}
	reaches := func(bound float64) bool {
		if t.most {
			return s.Median <= bound
		}
		return s.Median >= bound
	}
	switch {
	case reaches(t.stretch):
		r.Verdict = "stretch"
	case reaches(t.least):
		r.Verdict = "ok"
	default:
		r.Verdict = "miss"
	}
	return r
}

// write prints the table and writes the files that were asked for.
func (r *report) write(o options, stdout io.Writer) error {
	if err := r.table(stdout); err != nil {
		return err
	}
	if o.json != "" {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(r); err != nil {
			return err
		}
		if err := os.WriteFile(o.json, b.Bytes(), 0o644); err != nil {
			return err
		}
	}
	if o.svg != "" {
		if err := os.WriteFile(o.svg, r.chart(), 0o644); err != nil {
			return err
		}
	}
	if o.page != "" {
		return r.page(o.page)
	}
	return nil
}

// digits is how many digits behind the point make three that count.
func digits(v float64) int {
	if v == 0 || math.IsNaN(v) {
		return 0
	}
	return max(0, 2-int(math.Floor(math.Log10(math.Abs(v)))))
}
