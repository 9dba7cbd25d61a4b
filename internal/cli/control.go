package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

// verb is an operation on runs as a command.
type verb struct {
	op    flox.ControlOp
	done  string // what became of a run
	takes string // which runs it is for
	short string
	long  string
}

var verbs = map[flox.ControlOp]verb{
	flox.ControlPause: {flox.ControlPause, "paused", "a running run",
		"Let no further step of runs start", "Let no further step of runs start. Steps in hand finish and are kept."},
	flox.ControlResume: {flox.ControlResume, "resumed", "a paused run",
		"Let paused runs go on", "Let paused runs go on where they stopped."},
	flox.ControlCancel: {flox.ControlCancel, "cancelled", "a running or paused run",
		"End runs for good", "End runs for good. Steps in hand have their context cancelled; nothing is undone."},
	flox.ControlRetry: {flox.ControlRetry, "retried", "a failed run",
		"Let failed runs go on", "Let failed runs go on from their failed steps, with fresh attempts; what was done is kept.\nWith --from they are done again from a node that they came to."},
	flox.ControlDelete: {flox.ControlDelete, "deleted", "a run that has ended",
		"Remove runs that have ended", "Remove runs that have ended, and all that is kept of them."},
}

func (a *app) pauseCmd() *cobra.Command  { return a.controlCmd(verbs[flox.ControlPause]) }
func (a *app) resumeCmd() *cobra.Command { return a.controlCmd(verbs[flox.ControlResume]) }
func (a *app) cancelCmd() *cobra.Command { return a.controlCmd(verbs[flox.ControlCancel]) }
func (a *app) deleteCmd() *cobra.Command { return a.controlCmd(verbs[flox.ControlDelete]) }

func (a *app) retryCmd() *cobra.Command { return a.controlCmd(verbs[flox.ControlRetry]) }

func (a *app) controlCmd(v verb) *cobra.Command {
	f := &controlFlags{verb: v}
	cmd := &cobra.Command{
		Use:   string(v.op) + " RUN...",
		Short: v.short,
		Long: v.long + `

Name the runs, or select them with filters. With filters it counts first, and asks
before it does anything; where it cannot ask, it wants --yes.`,
		Example: fmt.Sprintf(`  %[1]s %[2]s order-1001 order-1002
  %[1]s %[2]s --workflow order --label shop=berlin --dry-run
  %[1]s %[2]s --workflow order --older-than 2d --limit 1000 --yes -o json`, program, v.op),
		RunE: func(cmd *cobra.Command, ids []string) error {
			f.given = cmd.Flags().Changed
			return a.controls(cmd, f, ids)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	if v.op == flox.ControlRetry {
		fs.StringVar(&f.from, "from", "", "the `node` to do them again from, with the input and state they had there")
	}
	f.filter.add(fs)
	fs.BoolVar(&f.all, "all", false, "all runs that it takes, instead of a filter")
	fs.IntVar(&f.limit, "limit", 0, fmt.Sprintf("take so many of the runs selected, the newest; without it more than %s are refused", number(mostAtOnce)))
	fs.BoolVar(&f.dryRun, "dry-run", false, "count the runs selected, and change nothing")
	fs.BoolVar(&f.yes, "yes", false, "do not ask")
	fs.AddFlagSet(a.durabilityFlags)
	return cmd
}

// controlFlags are the flags of a verb.
type controlFlags struct {
	verb
	filter           filterFlags
	from             string
	all, dryRun, yes bool
	limit            int
	given            func(name string) bool
}

func (a *app) controls(cmd *cobra.Command, f *controlFlags, ids []string) error {
	if f.given("from") && f.from == "" {
		return flags.Usagef("--from: empty; want the name of a node")
	}
	if len(ids) == 0 {
		return a.bulk(cmd, f)
	}
	if err := wantRuns(1, -1)(cmd, ids); err != nil {
		return err
	}
	for _, name := range []string{"workflow", "status", "label", "older-than", "newer-than", "all", "limit", "dry-run"} {
		if f.given(name) {
			return flags.Usagef("%s: %q and --%s: want runs by their ids, or by filters", f.op, ids[0], name)
		}
	}
	return a.with(cmd.Context(), func(ctx context.Context, s *session) error {
		return a.control(ctx, s, f, ids)
	})
}

// controlResult is what became of one run.
type controlResult struct {
	Run   string `json:"run"`
	Op    string `json:"op"`
	Done  bool   `json:"done"`
	Error string `json:"error,omitempty"`
}

// control does its work for each run, whatever became of the others.
func (a *app) control(ctx context.Context, s *session, f *controlFlags, ids []string) error {
	code := ExitOK
	results := []controlResult{}
	for _, id := range ids {
		r := controlResult{Run: id, Op: string(f.op)}
		if err := s.control(ctx, f, id); err != nil {
			err = timedOut(ctx, refused(id, err))
			a.report(err)
			r.Error, code = oneLine(err.Error()), worse(code, exitCode(err))
		} else if r.Done = true; !a.structured() {
			a.printf("%s %s\n", id, f.done)
		}
		results = append(results, r)
	}
	if a.structured() {
		if err := printList(a, "runs", results); err != nil {
			return err
		}
	}
	if code != ExitOK {
		return reported(code)
	}
	return nil
}

// badness orders exit codes by how much trouble they tell of.
var badness = []int{ExitOK, ExitNotFound, ExitRefused, ExitUsage, ExitError}

// worse is the exit code that tells of more trouble.
func worse(a, b int) int {
	if slices.Index(badness, b) > slices.Index(badness, a) {
		return b
	}
	return a
}

func (s *session) control(ctx context.Context, f *controlFlags, id string) error {
	switch {
	case f.op == flox.ControlPause:
		return s.ctl.Pause(ctx, id)
	case f.op == flox.ControlResume:
		return s.ctl.Resume(ctx, id)
	case f.op == flox.ControlCancel:
		return s.ctl.Cancel(ctx, id)
	case f.op == flox.ControlDelete:
		return s.ctl.Delete(ctx, id)
	case f.from != "":
		if err := s.nodeOf(ctx, id, f.from); err != nil {
			return err
		}
		return s.ctl.RetryFrom(ctx, id, f.from)
	}
	return s.ctl.Retry(ctx, id)
}

// nodeOf refuses a node that the run's workflow lacks.
func (s *session) nodeOf(ctx context.Context, id, node string) error {
	run, err := s.ctl.Show(ctx, id)
	if err != nil {
		return err
	}
	return s.node(ctx, run.Workflow, node)
}

// node refuses a node that a workflow lacks, if its graph is registered.
func (s *session) node(ctx context.Context, workflow, node string) error {
	g, err := s.graph(ctx, workflow)
	if err != nil {
		return nil
	}
	var names []string
	for _, n := range g.Nodes {
		if n.Name == node || slices.Contains(n.Aliases, node) {
			return nil
		}
		names = append(names, n.Name)
	}
	if near := nearest(node, names); near != "" {
		return flags.Usagef("--from=%q: workflow %s has no such node; did you mean %s?", node, workflow, near)
	}
	return flags.Usagef("--from=%q: workflow %s has no such node; see: %s workflows %s", node, workflow, program, workflow)
}

// refused words why an operation on a run was not done.
func refused(id string, err error) error {
	r, ok := errors.AsType[*flox.RefusedError](err)
	switch {
	case !ok:
		return explain(id, err)
	case r.Reason != "":
		return because(err, "run %q: %s", id, r.Reason)
	}
	return because(err, "run %q: is %s; %s takes %s", id, r.Status, r.Op, verbs[r.Op].takes)
}
