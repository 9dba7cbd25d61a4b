package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/floxrun/flox/pkg/flox"
)

// table prints rows in columns. Status words are coloured on a terminal.
type table struct {
	colour bool
	rows   [][]string
}

func (a *app) table(header ...string) *table {
	return &table{colour: colours(a.stdout), rows: [][]string{header}}
}

// colours reports whether w shows colours and nobody minds.
func colours(w io.Writer) bool { return isTerminal(w) && os.Getenv("NO_COLOR") == "" }

func isTerminal(v any) bool {
	if s, ok := v.(*sink); ok {
		v = s.w
	}
	f, ok := v.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (t *table) row(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = clean(fmt.Sprint(c))
		if row[i] == "" {
			row[i] = "-"
		}
	}
	t.rows = append(t.rows, row)
}

func (t *table) print(w io.Writer) {
	var widths []int
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range t.rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(t.paint(cell))
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
			}
		}
		fmt.Fprintln(w, line.String())
	}
}

var statusColours = map[string]string{
	string(flox.StatusPending): "36", string(flox.StatusRunning): "36", string(flox.StatusPaused): "33",
	string(flox.StatusCompleted): "32", string(flox.StatusFailed): "31", string(flox.StatusCancelled): "35",
	string(flox.StatusUndoing): "31",
}

func (t *table) paint(cell string) string {
	if code := statusColours[cell]; t.colour && code != "" {
		return "\x1b[" + code + "m" + cell + "\x1b[0m"
	}
	return cell
}

// printJSON prints v as indented JSON.
func (a *app) printJSON(v any) error {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	_, err := a.stdout.Write(buf.Bytes())
	return err
}

// printLine prints v as one line of JSON.
func (a *app) printLine(v any) error { return json.NewEncoder(a.stdout).Encode(v) }

func (a *app) json() bool { return a.output.Value == "json" }

// list makes an empty list of nil, which JSON would show as null.
func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// stamp is a time as people read it, "" for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// widest is how much of a text a table of many rows shows.
const widest = 100

// brief is the beginning of a long text.
func brief(s string) string {
	if r := []rune(s); len(r) > widest {
		return string(r[:widest-1]) + "…"
	}
	return s
}

// short rounds d to what a person wants to know.
func short(d time.Duration) string {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Microsecond).String()
}
