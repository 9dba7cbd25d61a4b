package cli

import (
	"bytes"
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
	width  int // of the terminal: lines are cut to it; 0 is no limit
	rows   [][]string
	widths []int // of the columns so far
}

func (a *app) table(header ...string) *table {
	t := a.plainTable()
	t.rows = [][]string{header}
	return t
}

// plainTable is a table without a header.
func (a *app) plainTable() *table {
	return &table{colour: colours(a.stdout), width: terminalWidth(a.stdout)}
}

// colours reports whether w shows colours and nobody minds.
func colours(w io.Writer) bool { return isTerminal(w) && os.Getenv("NO_COLOR") == "" }

func isTerminal(v any) bool {
	f, ok := file(v)
	return ok && term.IsTerminal(int(f.Fd()))
}

// terminalWidth is 0 if v is no terminal.
func terminalWidth(v any) int {
	f, ok := file(v)
	if !ok {
		return 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return width
}

func file(v any) (*os.File, bool) {
	if s, ok := v.(*sink); ok {
		v = s.w
	}
	f, ok := v.(*os.File)
	return f, ok
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

// print writes the rows at once and forgets them, but not how wide they were.
func (t *table) print(w io.Writer) {
	for _, row := range t.rows {
		for i, cell := range row {
			if i == len(t.widths) {
				t.widths = append(t.widths, 0)
			}
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cell))
		}
	}
	var text bytes.Buffer
	for _, row := range t.rows {
		t.line(&text, row)
	}
	t.rows = nil
	_, _ = w.Write(text.Bytes()) // standard output keeps its error, see sink
}

func (t *table) line(text *bytes.Buffer, row []string) {
	used := 0
	for i, cell := range row {
		if i == len(row)-1 {
			cell = t.cut(cell, used)
		}
		text.WriteString(t.paint(cell))
		if i < len(row)-1 {
			text.WriteString(strings.Repeat(" ", t.widths[i]-utf8.RuneCountInString(cell)+2))
			used += t.widths[i] + 2
		}
	}
	text.WriteByte('\n')
}

// leastCut is how much of a last cell a narrow terminal shows at least.
const leastCut = 20

// cut shortens the last cell of a line to what the terminal has room for.
func (t *table) cut(cell string, used int) string {
	if t.width == 0 {
		return cell
	}
	return shortened(cell, max(t.width-used, leastCut))
}

// mostEchoed is the most letters of what was typed that an error repeats.
const mostEchoed = 256

// shortened is the beginning of a text that is longer than that.
func shortened(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

var statusColours = map[string]string{
	string(flox.StatusPending): "36", string(flox.StatusRunning): "36", string(flox.StatusPaused): "33",
	string(flox.StatusCompleted): "32", string(flox.StatusFailed): "31", string(flox.StatusCancelled): "35",
	string(flox.StatusUndoing): "31", itemRunning: "36", "alive": "32", "stale": "33", "dead": "31",
}

func (t *table) paint(cell string) string {
	if code := statusColours[cell]; t.colour && code != "" {
		return "\x1b[" + code + "m" + cell + "\x1b[0m"
	}
	return cell
}

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
func brief(s string) string { return shortened(s, widest) }

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

// shortMs is a duration of the JSON for people.
func shortMs(ms millis) string { return short(time.Duration(float64(ms) * float64(time.Millisecond))) }

// shortMsOr is "" for none.
func shortMsOr(ms *millis) string {
	if ms == nil {
		return ""
	}
	return shortMs(*ms)
}
