package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/internal/telemetry"
	"github.com/floxrun/flox/pkg/flox"
)

// startFlags are the flags of start.
type startFlags struct {
	input    string
	id       string
	ifExists *flags.Choice
	delay    time.Duration
	at       string
	deadline time.Duration
	label    []string
	wait     bool
	lines    linesFlags
	trace    traceFlags
	given    func(name string) bool // says that a flag was
}

// started is the result of a start.
type started struct {
	Run     string `json:"run"`
	Created bool   `json:"created"` // false: it was there already, see --if-exists
}

func (a *app) startCmd() *cobra.Command {
	f := startFlags{ifExists: flags.NewChoice("fail", "return")}
	cmd := &cobra.Command{
		Use:   "start WORKFLOW",
		Short: "Start a run and print its id, or many from a file",
		Long: `Start a run of a registered workflow and print its id.

The input is checked against the workflow's schema before anything is written;
see the schema with: orchestrator workflows WORKFLOW

` + linesHelp,
		Example: `  orchestrator start linkcheck --wait --input '{"start":"http://127.0.0.1:8080/"}'
  orchestrator start order --id order-1001 --if-exists return --input @order.json
  orchestrator start order --at "2026-12-24 18:00" --deadline 3d --label shop=berlin < order.json
  orchestrator start order --from orders.jsonl --id-field id
  orchestrator start order --from - --batch 2026-11-23 < orders.jsonl`,
		Args: wantArgs(1, 1, "WORKFLOW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.given = cmd.Flags().Changed
			return a.start(cmd.Context(), args[0], f)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.input, "input", "", "`JSON`, @FILE, or - for standard input")
	fs.StringVar(&f.id, "id", "", "run `id` of your own, so that starting twice gives one run")
	fs.Var(f.ifExists, "if-exists", "what to do if the id is taken")
	flags.DurationVar(fs, &f.delay, "delay", "wait this long before the first step")
	fs.StringVar(&f.at, "at", "", "wait until this `time` before the first step: 2006-01-02T15:04:05Z, or \"2006-01-02 15:04\" of this machine's zone")
	flags.DurationVar(fs, &f.deadline, "deadline", "fail if it takes longer than this from its first step, instead of what the workflow says")
	fs.StringArrayVar(&f.label, "label", nil, "a label to find it by, as `KEY=VALUE`; may be repeated")
	f.lines.add(fs)
	fs.BoolVar(&f.wait, "wait", false, "wait for the run to end and show it")
	fs.AddFlagSet(a.durabilityFlags)
	f.trace = newTraceFlags(fs)
	return cmd
}

// options checks what can be checked without the store.
func (f startFlags) options() ([]flox.StartOption, error) {
	var opts []flox.StartOption
	switch {
	case f.delay < 0:
		return nil, flags.Usagef("--delay=%v: want zero or more", f.delay)
	case f.delay > 0 && f.at != "":
		return nil, flags.Usagef("--delay=%v --at=%q: want one of them", f.delay, f.at)
	case f.delay > 0:
		opts = append(opts, flox.After(f.delay))
	case f.given("at"):
		at, err := parseTime(f.at)
		if err != nil {
			return nil, flags.Usagef("--at=%q: %v", f.at, err)
		}
		opts = append(opts, flox.At(at))
	}
	if f.given("deadline") {
		if f.deadline <= 0 {
			return nil, flags.Usagef("--deadline=%v: want more than zero", f.deadline)
		}
		opts = append(opts, flox.WithDeadline(f.deadline))
	}
	labels, err := parseLabels(f.label)
	for key, value := range labels {
		opts = append(opts, flox.WithLabel(key, value))
	}
	return opts, err
}

// runID checks the flags about the id and returns it, or a fresh one.
func (f startFlags) runID() (string, error) {
	if !f.given("id") {
		if f.ifExists.Value == "return" {
			return "", flags.Usagef("--if-exists=return: want --id too; a fresh id never exists")
		}
		return flox.NewRunID(), nil
	}
	if err := flox.CheckName("--id", f.id); err != nil {
		return "", flags.Usagef("%v", err)
	}
	return f.id, nil
}

// parseTime reads a time in RFC 3339, or one of this machine's zone.
func parseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02 15:04", time.DateTime} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, errors.New(`want a time such as 2006-01-02T15:04:05Z or "2006-01-02 15:04"`)
}

func (a *app) start(ctx context.Context, workflow string, f startFlags) error {
	if f.given("from") {
		return a.startLines(ctx, workflow, f)
	}
	if err := f.lines.unused(f.given); err != nil {
		return err
	}
	id, err := f.runID()
	if err != nil {
		return err
	}
	opts, err := f.options()
	if err != nil {
		return err
	}
	input, err := a.readInput(ctx, "--input", f.input, f.given("input"))
	if err != nil {
		return err
	}
	one := startOne{workflow: workflow, id: id, input: input, opts: opts, ifExists: f.ifExists.Value == "return"}
	if one.tracing, err = f.trace.open(ctx, a); err != nil {
		return err
	}
	defer one.tracing.Close()
	if f.wait {
		return a.startAndWait(ctx, one)
	}
	return a.with(ctx, func(ctx context.Context, s *session) error {
		run, err := s.start(ctx, one)
		if err != nil {
			return err
		}
		if a.structured() {
			return a.printOne(run)
		}
		a.printf("%s\n", run.Run)
		if !run.Created {
			a.notef("run %s exists already; nothing was started\n", run.Run)
		}
		return nil
	})
}

func (a *app) startAndWait(ctx context.Context, one startOne) error {
	opening, cancel := a.request(ctx)
	defer cancel()
	return a.connected(opening, func(s *session) error {
		run, err := s.start(opening, one)
		if err != nil {
			return timedOut(opening, err)
		}
		switch {
		case a.structured():
		case run.Created:
			a.notef("run %s started\n", run.Run)
		default:
			a.notef("run %s exists already\n", run.Run)
		}
		return a.await(ctx, s, run.Run, false)
	})
}

// startOne is a run to start.
type startOne struct {
	workflow string
	id       string
	input    []byte
	opts     []flox.StartOption
	ifExists bool // return what has the id already
	tracing  *telemetry.Tracing
}

// start starts a run of a registered workflow after its schema has let the
// input pass.
func (s *session) start(ctx context.Context, one startOne) (started, error) {
	info, err := s.workflow(ctx, one.workflow)
	if err != nil {
		return started{}, err
	}
	if err := checkSchema(info.Schema, one.input); err != nil {
		return started{}, fmt.Errorf("input %w; see the schema with: %s workflows %s", err, program, one.workflow)
	}
	in, done := one.tracing.Start(ctx, s.st.Namespace(), one.workflow, one.id)
	_, err = s.ctl.Start(ctx, one.workflow, one.input, append(one.opts, flox.WithID(one.id), in)...)
	taken, ok := errors.AsType[*flox.RunExistsError](err)
	if ok && one.ifExists {
		done(false, nil)
	} else {
		done(err == nil, err)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return started{}, fmt.Errorf("run %q: %v; it may have been started, see: %s show %s", one.id, timedOut(ctx, err), program, one.id)
	case !ok:
		return started{one.id, true}, err
	}
	if !one.ifExists {
		return started{}, because(err, "run %q: exists already (%s); choose another --id, or pass --if-exists return", taken.Run, taken.Status)
	}
	return started{taken.Run, false}, s.ofWorkflow(ctx, taken, one.workflow)
}

// ofWorkflow refuses an id that is taken by a run of another workflow.
func (s *session) ofWorkflow(ctx context.Context, taken *flox.RunExistsError, workflow string) error {
	run, err := s.ctl.Show(ctx, taken.Run)
	if err != nil {
		return explain(taken.Run, err)
	}
	if run.Workflow != workflow {
		return because(taken, "run %q: exists already (%s), of workflow %s; choose another --id", taken.Run, taken.Status, run.Workflow)
	}
	return nil
}
