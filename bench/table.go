package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// number prints a value with three digits that count, or all before the point, in
// groups of three.
func number(v float64) string {
	s := strconv.FormatFloat(v, 'f', min(digits(v), 3), 64)
	whole, rest, _ := strings.Cut(s, ".")
	for at := len(whole) - 3; at > 0 && whole[at-1] != '-'; at -= 3 {
		whole = whole[:at] + "," + whole[at:]
	}
	if rest != "" {
		return whole + "." + rest
	}
	return whole
}

func (s spread) String() string {
	if s.N < 2 {
		return number(s.Median)
	}
	return fmt.Sprintf("%s (%s to %s)", number(s.Median), number(s.Min), number(s.Max))
}

// table prints everything for people.
func (r *report) table(out io.Writer) error {
	fmt.Fprintln(out, r.About)
	fmt.Fprintln(out, r.Noise)
	for _, w := range r.workloads {
		fmt.Fprintf(out, "\n%s: %s\n", w.name, w.about)
		if err := r.grid(out, w); err != nil {
			return err
		}
	}
	if len(r.Targets) > 0 {
		fmt.Fprintln(out, "\nTargets")
		t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "\tmeasured\twanted\tstretch\t")
		for _, x := range r.Targets {
			than := "≥ "
			if x.Most {
				than = "≤ "
			}
			fmt.Fprintf(t, "%s\t%v\t%s\t%s\t%s\n", x.About, x.spread, than+number(x.Least), than+number(x.Stretch), x.Verdict)
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	for _, f := range r.Failures {
		fmt.Fprintln(out, "not measured:", f)
	}
	return nil
}

// grid prints one workload: a line for each metric, a column for each system, and
// what flox's is of the others', in the same repetitions.
func (r *report) grid(out io.Writer, w workload) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\tunit")
	names := w.names()
	for _, name := range names {
		fmt.Fprintf(t, "\t%s", name)
	}
	fmt.Fprintln(t, "\tflox ÷")
	var metrics []row
	seen := map[string]bool{}
	for _, x := range r.Rows {
		if x.Workload == w.name && !seen[x.Metric] {
			seen[x.Metric] = true
			metrics = append(metrics, x)
		}
	}
	for _, m := range metrics {
		fmt.Fprintf(t, "%s\t%s", m.Metric, m.Unit)
		var of []string
		for _, name := range names {
			values := r.Samples.values(w.name, name, m.Metric)
			cell := "-"
			if len(values) > 0 {
				cell = spreadOf(list(values)).String()
			}
			fmt.Fprintf(t, "\t%s", cell)
			if by := ratios(r.Samples.values(w.name, "flox", m.Metric), values); name != "flox" && len(by) > 0 {
				of = append(of, name+" "+spreadOf(by).String())
			}
		}
		fmt.Fprintf(t, "\t%s\n", strings.Join(of, "; "))
	}
	return t.Flush()
}

// String says what was seen of the machine.
func (n noise) String() string {
	if len(n.Words) == 0 {
		return fmt.Sprintf("the machine was quiet: a fixed loop took %v ms, others used %v cores", n.CPU, n.Others)
	}
	return "the machine was noisy: " + strings.Join(n.Words, "; ")
}
