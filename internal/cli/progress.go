package cli

import (
	"cmp"
	"fmt"
	"io"
	"time"
)

// progress is a line of text that changes: rewritten in place on a terminal.
// Elsewhere it is a line of its own now and then if lines is set, else nothing.
type progress struct {
	w        io.Writer
	terminal bool
	width    int // of the terminal
	lines    bool
	last     string
	printed  time.Time
}

// lineEvery is how often progress is worth a line of its own.
const lineEvery = time.Second

// progress returns a live line on standard error.
func (a *app) progress() *progress {
	return &progress{w: a.stderr, terminal: isTerminal(a.stderr), width: cmp.Or(terminalWidth(a.stderr), 80)}
}

func (p *progress) show(text string) {
	if text == p.last {
		return
	}
	switch {
	case p.terminal:
		// A longer line would wrap, and only its last part be rewritten.
		fmt.Fprintf(p.w, "\r\x1b[K%s", shortened(clean(text), max(p.width-1, leastCut)))
	case p.lines && time.Since(p.printed) >= lineEvery:
		p.printed = time.Now()
		fmt.Fprintln(p.w, clean(text))
	}
	p.last = text
}

// event prints a line that stays.
func (p *progress) event(text string) {
	p.clear()
	fmt.Fprintln(p.w, clean(text))
}

// clear makes room for a line of output; the next show writes the text again.
func (p *progress) clear() {
	if p.terminal && p.last != "" {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.last = ""
	}
}

// end leaves the last text standing.
func (p *progress) end() {
	if p.terminal && p.last != "" {
		fmt.Fprintln(p.w)
	}
}
