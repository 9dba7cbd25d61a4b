package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	rows := []row{
		{Fault: "kill", Server: "redis", Topology: "single", Seed: 2, Runs: 3, Executions: 9, Repeated: 1, Judged: 10, Faults: map[string]int{"SIGKILL": 4}, Measures: map[string]float64{"drain": 1.5}},
		{Fault: "flush", Server: "redis", Topology: "single", Seed: 1, Judged: 5, Violations: 1},
		{Fault: "kill", Server: "valkey", Topology: "cluster", Seed: 1, Runs: 1, Executions: 2, Judged: 20, Faults: map[string]int{"SIGKILL": 1}, Measures: map[string]float64{"drain": 0.5}},
	}
	file := filepath.Join(t.TempDir(), "page.md")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("before\n" + pageBegin + "old\n" + pageEnd + "after\n")
	for range 2 {
		if err := writePage(file, rows); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := "before\n" + pageBegin + `3 rows with the seeds 1, 2: 35 things judged, 1 violations.

| fault | on | rows | fired | runs | executions, of them repeated | violations | measured, at most |
| --- | --- | --- | --- | --- | --- | --- | --- |
| kill | redis/single valkey/cluster | 2 | SIGKILL 5 | 4 | 11, 1 | 0 | drain 1.5 |
| flush | redis/single | 1, **1 failed** |  | 0 | 0, 0 | 1 |  |
` + pageEnd + "after\n"
	if string(raw) != want {
		t.Errorf("the page is\n%s\nwant\n%s", raw, want)
	}
	write("no marks")
	if err := writePage(file, rows); err == nil || !strings.Contains(err.Error(), "make guarantees") {
		t.Errorf("writePage without marks = %v, want what is missing", err)
	}
}

func TestMerged(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rows.json")
	if err := writeJSON(file, []row{{Scenario: "full", Seed: 1, Violations: 1}, {Scenario: "full", Seed: 2}}); err != nil {
		t.Fatal(err)
	}
	earlier, err := readJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	for _, r := range merged(earlier, []row{{Scenario: "full", Seed: 1}, {Scenario: "kill", Seed: 1}, {Scenario: "full", Server: "valkey", Seed: 2}}) {
		told = append(told, fmt.Sprint(r.Scenario, r.Server, r.Seed, r.Violations))
	}
	if want := "kill1 0, full1 0, full2 0, fullvalkey2 0"; strings.Join(told, ", ") != want {
		t.Errorf("the rows are %q, want %q", strings.Join(told, ", "), want)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readJSON(file); err == nil || !strings.Contains(err.Error(), "want rows as --json writes them") {
		t.Errorf("readJSON = %v", err)
	}
}
