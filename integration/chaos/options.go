package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

var errUsage = errors.New("wrong command line")

// options are the command line.
type options struct {
	seed       uint64
	seeds      int
	scenario   string
	servers    []string
	topologies []string
	short      bool
	list       bool
	json       string
	after      string
	page       string
	bug        string
	jobs       int
	keep       bool
}

func parse(args []string, out io.Writer) (*options, error) {
	o := &options{}
	fs := pflag.NewFlagSet("chaos", pflag.ContinueOnError)
	fs.SortFlags = false
	fs.SetOutput(out)
	fs.Uint64Var(&o.seed, "seed", 0, "first seed, as a row prints it (default: from the clock)")
	fs.IntVar(&o.seeds, "seeds", 1, "how many seeds each scenario runs with")
	fs.StringVar(&o.scenario, "scenario", "", "`regexp` of the scenarios' names (default: all)")
	fs.StringSliceVar(&o.servers, "server", []string{"redis"}, "servers to run on: "+strings.Join(slices.Sorted(maps.Keys(servers)), ", "))
	fs.StringSliceVar(&o.topologies, "topology", nil, "topologies to run on: "+strings.Join(slices.Sorted(maps.Keys(topologies)), ", ")+" (default: all that a scenario has)")
	fs.BoolVar(&o.short, "short", false, "only the scenarios that are quick, with less work")
	fs.BoolVar(&o.list, "list", false, "print what would be run, and exit")
	fs.StringVar(&o.json, "json", "", "write the rows to this `file` too")
	fs.StringVar(&o.after, "after", "", "add to the rows in this `file`, which --json wrote: those that run again take their place")
	fs.StringVar(&o.page, "page", "", "write a table of the faults into this `file`, between its marks")
	fs.StringVar(&o.bug, "bug", "", "build the workers with this known `bug`: scenarios that find it must fail")
	fs.IntVar(&o.jobs, "jobs", 1, "how many scenarios run at the same time")
	fs.BoolVar(&o.keep, "keep", false, "keep the logs of the workers and of the executions")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("%w: %q: want flags only", errUsage, fs.Arg(0))
	}
	if o.seeds < 1 || o.jobs < 1 {
		return nil, fmt.Errorf("%w: --seeds and --jobs: want 1 or more", errUsage)
	}
	o.seed = cmp.Or(o.seed, uint64(time.Now().UnixNano()%1e9)+1)
	return o, nil
}

// job is one row to be.
type job struct {
	scenario         scenario
	server, topology string
	seed             uint64
}

// plan picks what is to be run.
func (o *options) plan() ([]job, error) {
	name, err := regexp.Compile("^(?:" + o.scenario + ")$")
	if err != nil {
		return nil, fmt.Errorf("%w: --scenario: %w", errUsage, err)
	}
	for _, s := range o.servers {
		if servers[s] == nil {
			return nil, fmt.Errorf("%w: --server: %q is unknown", errUsage, s)
		}
	}
	for _, t := range o.topologies {
		if topologies[t] == nil {
			return nil, fmt.Errorf("%w: --topology: %q is unknown", errUsage, t)
		}
	}
	var plan []job
	for _, s := range scenarios {
		switch {
		case o.scenario != "" && !name.MatchString(s.name), o.short && !s.short, o.bug != "" && !slices.Contains(s.bugs, o.bug):
			continue
		}
		for _, server := range o.servers {
			for i, topology := range s.on() {
				if o.short && len(o.topologies) == 0 && i > 0 {
					continue
				}
				if len(o.topologies) > 0 && !slices.Contains(o.topologies, topology) {
					continue
				}
				for i := range o.seeds {
					plan = append(plan, job{s, server, topology, o.seed + uint64(i)})
				}
			}
		}
	}
	if len(plan) == 0 {
		return nil, fmt.Errorf("%w: no scenario fits", errUsage)
	}
	return plan, nil
}

// repeat is the command that runs a job again.
func (o *options) repeat(j job) string {
	cmd := fmt.Sprintf("go run ./integration/chaos --scenario %s --server %s --topology %s --seed %d", j.scenario.name, j.server, j.topology, j.seed)
	if o.short {
		cmd += " --short"
	}
	if o.bug != "" {
		cmd += " --bug " + o.bug
	}
	return cmd
}

func list(out io.Writer, plan []job) {
	for _, j := range plan {
		fmt.Fprintf(out, "%-28s %-9s %-9s seed %d  %s\n", j.scenario.name, j.server, j.topology, j.seed, j.scenario.row)
	}
}
