package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// printing are the commands that print results, with the type of what they print:
// of a row of it, if list says under which name JSON has the rows.
var printing = []struct{ name, list, typ string }{
	{"list", "runs", "listView"}, {"show", "", "runView"}, {"watch", "", "statusEvent"},
	{"items", "items", "itemView"}, {"history", "steps", "historyView"}, {"errors", "errors", "flox.ErrorRecord"},
	{"state", "", "stateView"}, {"graph", "", "graphView"},
	{"workers", "workers", "workerView"}, {"workers --items", "items", "doingRow"},
	{"queues", "queues", "queueView"}, {"workflows", "workflows", "workflowView"},
	{"start", "", "started"}, {"start --from", "", "startedLines"}, {"signal", "", "sent"},
	{"pause, resume, cancel, retry, delete of runs by their ids", "runs", "controlResult"},
	{"pause, resume, cancel, retry, delete of runs by a filter", "", "bulkResult"},
	{"doctor", "findings", "redisstore.Finding"}, {"du", "", "usageView"}, {"namespace list", "namespaces", "redisstore.NamespaceInfo"},
}

// TestReference checks docs/cli.md, which is made of the program; -update writes it.
func TestReference(t *testing.T) {
	const file = "../../docs/cli.md"
	got := reference(t)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("docs/cli.md is not what the program is now; see -update, and read the diff: field names are a promise")
	}
}

func reference(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(`# The orchestrator command line

Made by ` + "`go test ./internal/cli -run TestReference -update`" + ` from the program; a test keeps it so.
Every command has ` + "`--help`" + ` with examples.

## Exit codes

| code | meaning |
| --- | --- |
`)
	for code, meaning := range exitCodes {
		fmt.Fprintf(&b, "| %d | %s |\n", code, meaning)
	}
	b.WriteString(`
## Formats

` + "`-o table`" + ` is for people, ` + "`-o wide`" + ` the same with more columns. Programs read:

- ` + "`-o json`" + `: one object. A list has its rows under a name, and beside it what belongs to it, as ` + "`next`" + `, the
  cursor of the next page. What goes on while it is watched is one object a line.
- ` + "`-o jsonl`" + `: one object a line, a row of a list each, as soon as it is known. The cursor is on standard error.

Field names are stable: new ones may come, none changes its meaning. Times are RFC 3339; milliseconds are a number
with up to three decimals, in a field whose name ends in ` + "`Ms`" + `. A field that does not apply is left out, or null.

## Commands

| command | what it does |
| --- | --- |
`)
	for _, c := range newApp(nil, io.Discard, io.Discard).root().Commands() {
		writeCommand(&b, c)
	}
	b.WriteString("\n## Fields\n")
	src := parseSource(t)
	for _, r := range printing {
		fmt.Fprintf(&b, "\n### %s\n\n", r.name)
		if r.list != "" {
			fmt.Fprintf(&b, "Rows are under `%s`.\n\n", r.list)
		}
		b.WriteString("| field | type | meaning |\n| --- | --- | --- |\n")
		for _, f := range src.fields(r.typ, "") {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.path, f.kind, f.meaning)
		}
	}
	return b.String()
}

func writeCommand(b *strings.Builder, c *cobra.Command) {
	if c.Name() == "help" || c.Name() == "completion" {
		return
	}
	if !c.HasSubCommands() {
		fmt.Fprintf(b, "| `%s` | %s |\n", strings.TrimPrefix(c.UseLine(), program+" "), c.Short)
	}
	for _, sub := range c.Commands() {
		writeCommand(b, sub)
	}
}

// documented are the paths of the fields that docs/cli.md has for a command.
func documented(t *testing.T, command string) []string {
	t.Helper()
	text, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(text), "\n### "+command+"\n")
	if !ok {
		t.Fatalf("docs/cli.md has no fields of %s", command)
	}
	section, _, _ = strings.Cut(section, "\n### ")
	var paths []string
	for line := range strings.Lines(section) {
		if path, ok := strings.CutPrefix(line, "| `"); ok {
			path, _, _ = strings.Cut(path, "`")
			paths = append(paths, path)
		}
	}
	return paths
}

// undocumented returns the fields of a JSON value that are not among paths.
// Beneath a field whose value is the user's own, anything goes.
func undocumented(v any, at string, paths []string) []string {
	var lacking []string
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			lacking = append(lacking, undocumented(element, at+"[]", paths)...)
		}
	case map[string]any:
		for key, value := range v {
			path := strings.TrimPrefix(at+"."+key, ".")
			if !slices.Contains(paths, path) {
				path = strings.TrimPrefix(at+".*", ".")
			}
			within := slices.ContainsFunc(paths, func(p string) bool { return strings.HasPrefix(p, path) })
			switch {
			case slices.Contains(paths, strings.TrimSuffix(at, "[]")) &&
				!slices.ContainsFunc(paths, func(p string) bool { return strings.HasPrefix(p, at+".") }):
			case !within:
				lacking = append(lacking, at+"."+key)
			default:
				lacking = append(lacking, undocumented(value, path, paths)...)
			}
		}
	}
	return lacking
}
