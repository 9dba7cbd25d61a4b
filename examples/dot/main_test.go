package main

import (
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	dot, mermaid, found := strings.Cut(out.String(), "\n}\n\n")
	if !found {
		t.Fatalf("run printed\n%s\nwant two drawings", out.String())
	}
	for _, want := range []string{
		`digraph "order" {`, `"split" -> "price";`, `"total" -> "charge" [label="Accepted"];`,
		`"charge" -> "apologise" [label="on failure"`, `"charge" -> "refund" [label="undo"`,
	} {
		if !strings.Contains(dot, want) {
			t.Errorf("the DOT has no %s:\n%s", want, dot)
		}
	}
	for _, want := range []string{"flowchart TD", "split<br/>start", `-->|"Accepted"|`, `-.->|"on failure"|`} {
		if !strings.Contains(mermaid, want) {
			t.Errorf("the Mermaid has no %s:\n%s", want, mermaid)
		}
	}
	var again strings.Builder
	if err := run(t.Context(), &again); err != nil || again.String() != out.String() {
		t.Errorf("drawn again it differs (%v):\n%s", err, again.String())
	}
}
