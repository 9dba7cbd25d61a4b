package main

import (
	"cmp"
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

// readJSON reads what writeJSON wrote; no file is no rows.
func readJSON(file string) ([]row, error) {
	if file == "" {
		return nil, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var rows []row
	if err := json.Unmarshal(b, &rows); err != nil {
		return nil, fmt.Errorf("%s: want rows as --json writes them: %w", file, err)
	}
	return rows, nil
}

// merged puts rows in the place of earlier ones of the same scenario, site and seed,
// and all in the order of the scenarios.
func merged(earlier, rows []row) []row {
	all := slices.Clone(earlier)
	for _, r := range rows {
		i := slices.IndexFunc(all, func(e row) bool {
			return e.Scenario == r.Scenario && e.Server == r.Server && e.Topology == r.Topology && e.Seed == r.Seed
		})
		if i < 0 {
			all = append(all, r)
		} else {
			all[i] = r
		}
	}
	place := func(r row) int {
		return slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == r.Scenario })
	}
	slices.SortStableFunc(all, func(a, b row) int { return cmp.Compare(place(a), place(b)) })
	return all
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
