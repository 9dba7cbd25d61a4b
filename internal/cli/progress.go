package cli

import (
	"fmt"
	"io"
)

// progress is a line of text that changes: rewritten in place on a terminal.
// Elsewhere each change is a line of its own if lines is set, else nothing.
type progress struct {
	w        io.Writer
	terminal bool
	lines    bool
	last     string
}

// progress returns a live line on standard error.
func (a *app) progress() *progress {
	return &progress{w: a.stderr, terminal: isTerminal(a.stderr)}
}

func (p *progress) show(text string) {
	if text == p.last {
		return
	}
	p.last = text
	switch {
	case p.terminal:
		fmt.Fprintf(p.w, "\r\x1b[K%s", clean(text))
	case p.lines:
		fmt.Fprintln(p.w, clean(text))
	}
}

// end leaves the last text standing.
func (p *progress) end() {
	if p.terminal && p.last != "" {
		fmt.Fprintln(p.w)
	}
}

// clear makes room for a line of output; the next show writes the text again.
func (p *progress) clear() {
	if p.terminal && p.last != "" {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.last = ""
	}
}
