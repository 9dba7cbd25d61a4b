// Bench measures flox on this machine, side by side with asynq and with a bare driver
// that sends flox's own scripts and does nothing else. See docs/performance.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		exit(work(os.Args[2:]))
	}
	ctx, end := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer end()
	exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// options say what is measured and where it goes.
type options struct {
	quick            bool
	repeat           int
	workload, system *regexp.Regexp
	json, svg, page  string
	profile          string
}

func parse(args []string, stderr io.Writer) (options, error) {
	var o options
	var workload, system string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.BoolVar(&o.quick, "quick", false, "smaller sizes and, unless --repeat says otherwise, one repetition")
	f.IntVar(&o.repeat, "repeat", 0, "repetitions of everything; default 3")
	f.StringVar(&workload, "workload", "", "a pattern of the workloads to measure; default all")
	f.StringVar(&system, "system", "", "a pattern of the systems to measure; default all")
	f.StringVar(&o.json, "json", "", "a file for all numbers, as JSON")
	f.StringVar(&o.svg, "svg", "", "a file for a chart, as SVG")
	f.StringVar(&o.page, "page", "", "a Markdown file to write the numbers into, between the lines for them")
	f.StringVar(&o.profile, "profile", "", "a directory for CPU profiles of the worker processes")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("%q: want no arguments, see --help", f.Args())
	}
	if o.repeat < 0 {
		return o, fmt.Errorf("repeat %d: want 1 or more", o.repeat)
	}
	if o.repeat == 0 {
		o.repeat = 3
		if o.quick {
			o.repeat = 1
		}
	}
	var err error
	if o.workload, err = regexp.Compile(workload); err != nil {
		return o, fmt.Errorf("workload: %w", err)
	}
	if o.system, err = regexp.Compile(system); err != nil {
		return o, fmt.Errorf("system: %w", err)
	}
	return o, nil
}

// run measures and reports.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.Setenv(profileEnv, o.profile); err != nil {
		return err
	}
	rep, err := measure(ctx, o, stderr)
	if err != nil {
		return err
	}
	return rep.write(o, stdout)
}
