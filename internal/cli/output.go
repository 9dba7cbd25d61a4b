package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// formats are the ways to print results, see root's help.
var formats = []string{"table", "wide", "json", "jsonl"}

// structured reports whether results are for programs.
func (a *app) structured() bool { return a.output.Value == "json" || a.jsonl() }

func (a *app) jsonl() bool { return a.output.Value == "jsonl" }

// perLine has a stream, which has no end that could close a list, print one object
// a line with json too.
func (a *app) perLine() {
	if a.structured() {
		a.output.Value = "jsonl"
	}
}

// wide reports whether tables have all their columns.
func (a *app) wide() bool { return a.output.Value == "wide" }

// extra is what the JSON of a list has besides its rows.
type extra struct {
	name  string
	value any
}

// printOne prints v as JSON: over many lines, or with jsonl on one.
func (a *app) printOne(v any) error {
	indent := "  "
	if a.jsonl() {
		indent = ""
	}
	b, err := marshal(v, "", indent)
	if err != nil {
		return err
	}
	_, err = a.stdout.Write(append(b, '\n'))
	return err
}

// printList prints rows as JSON: one object that has them under name, and the
// extras beside, or with jsonl each on a line, without the extras.
func printList[T any](a *app, name string, rows []T, extras ...extra) error {
	l := a.jsonList(name)
	for _, row := range rows {
		if err := l.add(row); err != nil {
			return err
		}
	}
	return l.end(extras...)
}

// jsonList prints a list as JSON row by row, so that it need not be in memory.
type jsonList struct {
	a    *app
	name string
	rows int
}

func (a *app) jsonList(name string) *jsonList { return &jsonList{a: a, name: name} }

// add prints one row.
func (l *jsonList) add(row any) error {
	l.rows++
	if l.a.jsonl() {
		return l.a.printOne(row)
	}
	b, err := marshal(row, "    ", "  ")
	if err != nil {
		return err
	}
	before := ",\n    "
	if l.rows == 1 {
		before = l.head() + "\n    "
	}
	_, err = fmt.Fprintf(l.a.stdout, "%s%s", before, b)
	return err
}

// end prints what comes after the last row.
func (l *jsonList) end(extras ...extra) error {
	if l.a.jsonl() {
		return l.a.stdout.err
	}
	text := "\n  ]"
	if l.rows == 0 {
		text = l.head() + "]"
	}
	for _, e := range extras {
		b, err := marshal(e.value, "  ", "  ")
		if err != nil {
			return err
		}
		text += fmt.Sprintf(",\n  %q: %s", e.name, b)
	}
	_, err := fmt.Fprintf(l.a.stdout, "%s\n}\n", text)
	return err
}

func (l *jsonList) head() string { return fmt.Sprintf("{\n  %q: [", l.name) }

// marshal is v as JSON that shows <, > and & as they are, with no newline at
// the end. An empty indent keeps it on one line.
func marshal(v any, prefix, indent string) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if indent != "" {
		enc.SetIndent(prefix, indent)
	}
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("print: %w", err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// millis is a duration in JSON: milliseconds, with up to three decimals. Its
// field is named so, as tookMs.
type millis float64

func asMillis(d time.Duration) millis { return millis(d.Microseconds()) / 1000 }

// exitCodeHelp lists the exit codes, one a line.
func exitCodeHelp() string {
	var lines []string
	for code, meaning := range exitCodes {
		lines = append(lines, fmt.Sprintf("  %d  %s", code, meaning))
	}
	return strings.Join(lines, "\n")
}
