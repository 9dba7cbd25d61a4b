package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

func TestExitCode(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
	}{
		{nil, ExitOK},
		{errors.New("boom"), ExitError},
		{flags.Usagef("wrong"), ExitUsage},
		{explain("a", fmt.Errorf("run a: %w", flox.ErrNotFound)), ExitNotFound},
		{because(&flox.RefusedError{}, "refused"), ExitRefused},
		{because(&flox.RunExistsError{}, "taken"), ExitRefused},
		{because(&flox.SignalError{}, "not taken"), ExitRefused},
		{ended(flox.RunInfo{Status: flox.StatusFailed}), ExitFailed},
		{ended(flox.RunInfo{Status: flox.StatusCancelled}), ExitCancelled},
		{reported(ExitUnhealthy), ExitUnhealthy},
	} {
		if got := exitCode(tt.err); got != tt.want {
			t.Errorf("exit code of %v = %d, want %d", tt.err, got, tt.want)
		}
	}
	if got, want := because(flox.ErrNotFound, "run %q", "a").Error(), `run "a"`; got != want {
		t.Errorf("because = %q, want %q alone", got, want)
	}
}

// TestHelpHasExitCodes checks that root's help documents every code.
func TestHelpHasExitCodes(t *testing.T) {
	help := newApp(nil, io.Discard, io.Discard).root().Long
	for code, meaning := range exitCodes {
		wantParts(t, "help", help, fmt.Sprintf("  %d  %s", code, meaning))
	}
}

// TestTableCut checks that a narrow terminal shortens the last column, down to a
// limit, and that long tables keep their columns.
func TestTableCut(t *testing.T) {
	var out bytes.Buffer
	tb := &table{width: 40}
	tb.row("RUN", "CAUSE")
	tb.row("a", strings.Repeat("x", 100))
	tb.print(&out)
	if want := "RUN  CAUSE\na    " + strings.Repeat("x", 34) + "…\n"; out.String() != want {
		t.Errorf("table for 40 columns is %q, want %q", out.String(), want)
	}
	out.Reset()
	tb.width = 10
	tb.row("b", strings.Repeat("x", 100))
	tb.print(&out)
	if want := "b    " + strings.Repeat("x", leastCut-1) + "…\n"; out.String() != want {
		t.Errorf("table for 10 columns is %q, want %q", out.String(), want)
	}
}

// TestHarmless checks that text of a run does not steer the terminal.
func TestHarmless(t *testing.T) {
	if got, want := cleanLines("a\tb\x1b[31m\r\nc\u009b\n"), "a    b [31m \nc \n"; got != want {
		t.Errorf("cleanLines = %q, want %q", got, want)
	}
	var out bytes.Buffer
	a := newApp(nil, &out, io.Discard)
	for _, format := range []string{"table", "wide"} {
		a.output.Value = format
		view := newListView(flox.RunInfo{ID: "a", Cause: "\x1b[2J", Held: "\u009b", Labels: map[string]string{"k": "\a"}})
		if err := printRows(a, "runs", listColumns, []listView{view}); err != nil {
			t.Fatal(err)
		}
		errs := []flox.ErrorRecord{{Node: "\x1b[2J", Message: "\x07", Stack: "\x1b]0;x\a"}}
		if err := a.printErrors(errs, true); err != nil {
			t.Fatal(err)
		}
	}
	if strings.ContainsAny(out.String(), "\x1b\a\u009b") {
		t.Errorf("control characters got through: %q", out.String())
	}
}

// TestJSONList checks the two forms of a list, with none, one and many rows.
func TestJSONList(t *testing.T) {
	for _, tt := range []struct {
		format string
		rows   []string
		want   string
	}{
		{"json", nil, "{\n  \"rows\": [],\n  \"next\": \"<c>\"\n}\n"},
		{"json", []string{"a", "b"}, "{\n  \"rows\": [\n    \"a\",\n    \"b\"\n  ],\n  \"next\": \"<c>\"\n}\n"},
		{"jsonl", nil, ""},
		{"jsonl", []string{"a", "<b>"}, "\"a\"\n\"<b>\"\n"},
	} {
		var out bytes.Buffer
		a := newApp(nil, &out, io.Discard)
		a.output.Value = tt.format
		if err := printList(a, "rows", tt.rows, extra{"next", "<c>"}); err != nil || out.String() != tt.want {
			t.Errorf("list of %q in %s = %q, %v, want %q", tt.rows, tt.format, out.String(), err, tt.want)
		}
	}
}

func TestSuggestedRun(t *testing.T) {
	w := newWorld(t)
	w.ok("start", "greet", "--id", "order-1001", "--delay", "1h", "--input", `{"name":"Ada"}`)
	for id, want := range map[string]string{
		"order-1002": `run "order-1002": not found; did you mean order-1001?`,
		"oder-1001":  `run "oder-1001": not found; did you mean order-1001?`,
		"order-9999": `run "order-9999": not found; see: orchestrator list`,
		"invoice-1":  `run "invoice-1": not found; see: orchestrator list`,
		"o":          `run "o": not found; see: orchestrator list`,
	} {
		if r := w.run("show", id); r.code != ExitNotFound || r.errOut != "error: "+want+"\n" {
			t.Errorf("show %s = %+v, want 6 and %s", id, r, want)
		}
	}
}
