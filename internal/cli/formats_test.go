package cli

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestFormats runs every reading command in every format: JSON parses and has only
// fields that docs/cli.md promises, tables are no JSON, and wide ones no narrower.
func TestFormats(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	w.start("bad", "fail")
	w.start("p", "panic")
	w.ok("start", "gate", "--id", "live", "--label", "customer=7", "--deadline", "1h", "--input", `{"name":"Ada"}`)
	<-w.entered
	w.until("the worker says what it does", func() bool { return strings.Contains(w.ok("workers", "--items"), "live") })
	for _, tt := range []struct{ args, doc, list string }{
		{"list", "list", "runs"}, {"list --all --limit 2", "list", "runs"}, {"list --status failed --limit 1", "list", "runs"},
		{"show a", "show", ""}, {"show bad", "show", ""}, {"show live", "show", ""},
		{"items a", "items", "items"}, {"items live", "items", "items"}, {"items bad --status failed", "items", "items"},
		{"history a", "history", "steps"}, {"errors bad", "errors", "errors"}, {"errors p --stack", "errors", "errors"},
		{"state a", "state", ""}, {"graph greet", "graph", ""}, {"graph --run bad", "graph", ""},
		{"workers", "workers", "workers"}, {"workers --items", "workers --items", "items"}, {"queues --interval 1ms", "queues", "queues"},
		{"workflows", "workflows", "workflows"}, {"workflows greet", "workflows", ""},
	} {
		paths := documented(t, tt.doc)
		table, wide := w.format(tt.args, "table"), w.format(tt.args, "wide")
		if json.Valid([]byte(table)) || json.Valid([]byte(wide)) || len(firstLine(wide)) < len(firstLine(table)) {
			t.Errorf("%s: want tables, the wide one no narrower:\n%s\n%s", tt.args, table, wide)
		}
		var whole map[string]any
		if err := json.Unmarshal([]byte(w.format(tt.args, "json")), &whole); err != nil {
			t.Errorf("%s -o json: %v", tt.args, err)
		}
		lines := decodeLines(t, tt.args, w.format(tt.args, "jsonl"))
		if tt.list == "" {
			wantDocumented(t, tt.args, paths, whole)
		} else if rows, _ := whole[tt.list].([]any); len(rows) == 0 || len(rows) != len(lines) {
			t.Errorf("%s: %d rows under %s, %d lines of jsonl, want the same number, not none", tt.args, len(rows), tt.list, len(lines))
		}
		for _, line := range lines {
			wantDocumented(t, tt.args, paths, line)
		}
	}
}

// format runs a command that must succeed.
func (w *world) format(args, format string) string {
	w.t.Helper()
	r := w.run(append(strings.Fields(args), "-o", format)...)
	if r.code != ExitOK || r.out == "" {
		w.t.Errorf("%s -o %s = %+v, want 0 and something", args, format, r)
	}
	return r.out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// decodeLines decodes one object a line.
func decodeLines(t *testing.T, what, text string) []any {
	t.Helper()
	var values []any
	for line := range strings.Lines(text) {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Errorf("%s: %v in line %q", what, err, line)
		}
		values = append(values, v)
	}
	return values
}

// wantDocumented checks the fields of one object, and that those which nothing may
// leave out are there.
func wantDocumented(t *testing.T, what string, paths []string, v any) {
	t.Helper()
	if lacking := undocumented(v, "", paths); len(lacking) > 0 {
		t.Errorf("%s: fields %v are not in docs/cli.md; see TestReference -update", what, lacking)
	}
	if object, ok := v.(map[string]any); !ok || !slices.ContainsFunc(paths, func(p string) bool { return object[p] != nil }) {
		t.Errorf("%s prints %v, want an object with fields of docs/cli.md", what, v)
	}
}

func TestUndocumented(t *testing.T) {
	var v any
	if err := json.Unmarshal([]byte(`{"a":1,"b":[{"c":1,"d":2}],"e":{"x":{"y":1}},"f":{"any":{"thing":1}}}`), &v); err != nil {
		t.Fatal(err)
	}
	got := undocumented(v, "", []string{"a", "b", "b[].c", "e", "e.*.y", "f"})
	if len(got) != 1 || got[0] != "b[].d" {
		t.Errorf("undocumented = %q, want b[].d alone", got)
	}
}
