package main

import (
	"bytes"
	"fmt"
	"os"
)

// What is between these lines of a page is written anew.
const (
	pageBegins = "<!-- bench: written by make bench -->\n"
	pageEnds   = "<!-- /bench -->\n"
)

// page writes the report into a Markdown file.
func (r *report) page(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begins := bytes.Cut(text, []byte(pageBegins))
	_, after, ends := bytes.Cut(rest, []byte(pageEnds))
	if !begins || !ends {
		return fmt.Errorf("%s: want the lines %q and %q, to write between them", file, pageBegins, pageEnds)
	}
	part, err := r.markdown()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, text := range [][]byte{before, []byte(pageBegins), part, []byte(pageEnds), after} {
		b.Write(text)
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// markdown is the targets as a table, and the workloads as they are printed.
func (r *report) markdown() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "\n%v; %v.\n\n", r.About, r.Noise)
	if len(r.Targets) > 0 {
		fmt.Fprint(&b, "| | measured | wanted | stretch | |\n| --- | --- | --- | --- | --- |\n")
	}
	for _, x := range r.Targets {
		than := "≥ "
		if x.Most {
			than = "≤ "
		}
		fmt.Fprintf(&b, "| %s | %v | %s | %s | %s |\n", x.About, x.spread, than+number(x.Least), than+number(x.Stretch), x.Verdict)
	}
	for _, w := range r.workloads {
		fmt.Fprintf(&b, "\n**%s**: %s.\n\n```text\n", w.name, w.about)
		if err := r.grid(&b, w); err != nil {
			return nil, err
		}
		fmt.Fprint(&b, "```\n")
	}
	fmt.Fprint(&b, "\n")
	return b.Bytes(), nil
}
