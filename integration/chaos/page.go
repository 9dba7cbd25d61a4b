package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// What the page has before and after the part that is written here.
const (
	pageBegin = "<!-- chaos: written by `make guarantees` -->\n"
	pageEnd   = "<!-- /chaos -->\n"
)

// fault is what all rows of one fault come to.
type fault struct {
	name                       string
	where                      map[string]bool
	rows, bad                  int
	runs, executions, repeated int
	fired                      map[string]int
	judged, violations         int
	measures                   map[string]float64 // the largest of each
}

// faultsOf sums the rows up, fault by fault, in their order.
func faultsOf(rows []row) []*fault {
	var all []*fault
	for _, r := range rows {
		i := slices.IndexFunc(all, func(f *fault) bool { return f.name == r.Fault })
		if i < 0 {
			i = len(all)
			all = append(all, &fault{name: r.Fault, where: map[string]bool{}, fired: map[string]int{}, measures: map[string]float64{}})
		}
		f := all[i]
		f.where[r.Server+"/"+r.Topology] = true
		f.rows++
		if !r.ok() {
			f.bad++
		}
		f.runs += r.Runs
		f.executions += r.Executions
		f.repeated += r.Repeated
		f.judged += r.Judged
		f.violations += r.Violations
		for name, n := range r.Faults {
			f.fired[name] += n
		}
		for name, x := range r.Measures {
			f.measures[name] = max(f.measures[name], x)
		}
	}
	return all
}

// writePage puts what was seen into the page at its marks, and leaves the rest of it
// alone.
func writePage(file string, rows []row) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(raw), pageBegin)
	_, tail, closed := strings.Cut(rest, pageEnd)
	if !ok || !closed {
		return fmt.Errorf("%s: want %q and %q, each on a line", file, strings.TrimSpace(pageBegin), strings.TrimSpace(pageEnd))
	}
	return os.WriteFile(file, []byte(head+pageBegin+seen(rows)+pageEnd+tail), 0o644)
}

// seen is the part of the page about the rows.
func seen(rows []row) string {
	var b strings.Builder
	seeds, judged, violations := map[uint64]bool{}, 0, 0
	for _, r := range rows {
		seeds[r.Seed] = true
		judged += r.Judged
		violations += r.Violations
	}
	fmt.Fprintf(&b, "%d rows with the seeds %s: %d things judged, %d violations.\n\n", len(rows),
		strings.Join(words(slices.Sorted(maps.Keys(seeds))), ", "), judged, violations)
	b.WriteString("| fault | on | rows | fired | runs | executions, of them repeated | violations | measured, at most |\n")
	b.WriteString("| --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, f := range faultsOf(rows) {
		passed := fmt.Sprint(f.rows)
		if f.bad > 0 {
			passed = fmt.Sprintf("%d, **%d failed**", f.rows, f.bad)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d | %d, %d | %d | %s |\n", f.name, strings.Join(slices.Sorted(maps.Keys(f.where)), " "),
			passed, counted(f.fired), f.runs, f.executions, f.repeated, f.violations, measured(f.measures))
	}
	return b.String()
}

func words[T any](all []T) (list []string) {
	for _, x := range all {
		list = append(list, fmt.Sprint(x))
	}
	return list
}
