package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
)

// print writes what is known of a row as soon as it is there.
func (r row) print(out io.Writer) {
	verdict := "ok  "
	if !r.ok() {
		verdict = "FAIL"
	}
	fmt.Fprintf(out, "%s %s on %s/%s seed %d: %.1fs, %d runs, %d executions, %d repeated; faults: %s; %s; %s\n", verdict, r.Scenario,
		r.Server, r.Topology, r.Seed, r.Seconds, r.Runs, r.Executions, r.Repeated, counted(r.Faults), r.Rules, measured(r.Measures))
	if !r.ok() {
		if r.Error != "" {
			fmt.Fprintf(out, "  error: %s\n", r.Error)
		}
		for line := range strings.Lines(r.Details) {
			fmt.Fprintf(out, "  %s\n", strings.TrimRight(line, "\n"))
		}
		fmt.Fprintf(out, "  again: %s\n", r.Repeat)
	}
}

func counted(faults map[string]int) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(faults)) {
		list = append(list, fmt.Sprintf("%s %d", name, faults[name]))
	}
	return strings.Join(list, ", ")
}

func measured(measures map[string]float64) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(measures)) {
		list = append(list, fmt.Sprintf("%s %.3g", name, measures[name]))
	}
	return strings.Join(list, ", ")
}

// table prints all rows.
func table(out io.Writer, rows []row) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nscenario\tserver\tseed\truns\texecutions\trepeated\tfaults fired\tjudged\tviolations\tdrain s\ttime s\t")
	for _, r := range rows {
		note := ""
		if r.Error != "" {
			note = "ERROR"
		}
		fmt.Fprintf(w, "%s\t%s/%s\t%d\t%d\t%d\t%d\t%s\t%d\t%d\t%.1f\t%.1f\t%s\n", r.Scenario, r.Server, r.Topology, r.Seed, r.Runs, r.Executions,
			r.Repeated, counted(r.Faults), r.Judged, r.Violations, r.Measures["drain"], r.Seconds, note)
	}
	_ = w.Flush()
}

// writeJSON writes the rows to a file.
func writeJSON(file string, rows []row) error {
	b, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

// verdict is nil if every row is as it should be: each ok, or, with a known bug
// in the workers, each with a violation.
func (o *options) verdict(rows []row) error {
	var bad []string
	for _, r := range rows {
		if o.bug == "" && !r.ok() || o.bug != "" && r.Violations == 0 {
			bad = append(bad, fmt.Sprintf("%s (seed %d)", r.Scenario, r.Seed))
		}
	}
	switch {
	case len(bad) == 0:
		return nil
	case o.bug != "":
		return fmt.Errorf("the workers have the bug %s, and these did not find it: %s", o.bug, strings.Join(bad, ", "))
	default:
		return fmt.Errorf("%d of %d rows failed: %s", len(bad), len(rows), strings.Join(bad, ", "))
	}
}
