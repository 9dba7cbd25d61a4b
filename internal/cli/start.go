package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

// startFlags are the flags of start.
type startFlags struct {
	input    string
	given    bool // --input was
	id       string
	named    bool // --id was given
	ifExists *flags.Choice
	delay    time.Duration
	wait     bool
}

func (a *app) startCmd() *cobra.Command {
	f := startFlags{ifExists: flags.NewChoice("fail", "return")}
	cmd := &cobra.Command{
		Use:   "start WORKFLOW",
		Short: "Start a run and print its id",
		Long: `Start a run of a registered workflow and print its id.

The input is checked against the workflow's schema before anything is written;
see the schema with: orchestrator workflows WORKFLOW`,
		Example: `  orchestrator start linkcheck --wait --input '{"start":"http://127.0.0.1:8080/"}'
  orchestrator start order --id order-1001 --if-exists return --input @order.json
  orchestrator start order --wait --timeout 1m < order.json`,
		Args: wantArgs(1, 1, "WORKFLOW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.given, f.named = cmd.Flags().Changed("input"), cmd.Flags().Changed("id")
			return a.start(cmd.Context(), args[0], f)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.input, "input", "", "`JSON`, @FILE, or - for standard input")
	fs.StringVar(&f.id, "id", "", "run `id` of your own, so that starting twice gives one run")
	fs.Var(f.ifExists, "if-exists", "what to do if the id is taken")
	fs.DurationVar(&f.delay, "delay", 0, "wait this long before the first step")
	fs.BoolVar(&f.wait, "wait", false, "wait for the run to end and show it")
	return cmd
}

// options checks what can be checked without the store.
func (f startFlags) options() ([]flox.StartOption, error) {
	var opts []flox.StartOption
	if f.named {
		if err := flox.CheckName("--id", f.id); err != nil {
			return nil, flags.Usagef("%v", err)
		}
		opts = append(opts, flox.WithID(f.id))
	}
	if f.ifExists.Value == "return" {
		if !f.named {
			return nil, flags.Usagef("--if-exists=return: want --id too; a fresh id never exists")
		}
		opts = append(opts, flox.IfExists())
	}
	if f.delay < 0 {
		return nil, flags.Usagef("--delay=%v: want zero or more", f.delay)
	}
	if f.delay > 0 {
		opts = append(opts, flox.After(f.delay))
	}
	return opts, nil
}

func (a *app) start(ctx context.Context, workflow string, f startFlags) error {
	opts, err := f.options()
	if err != nil {
		return err
	}
	input, err := a.readInput(ctx, f.input, f.given)
	if err != nil {
		return err
	}
	if f.wait {
		return a.startAndWait(ctx, workflow, input, opts)
	}
	return a.with(ctx, func(ctx context.Context, s *session) error {
		id, err := s.start(ctx, workflow, input, opts)
		if err != nil {
			return err
		}
		if a.json() {
			return a.printJSON(map[string]string{"run": id})
		}
		a.printf("%s\n", id)
		return nil
	})
}

func (a *app) startAndWait(ctx context.Context, workflow string, input []byte, opts []flox.StartOption) error {
	opening, cancel := a.request(ctx)
	defer cancel()
	return a.connected(opening, func(s *session) error {
		id, err := s.start(opening, workflow, input, opts)
		if err != nil {
			return timedOut(opening, err)
		}
		if !a.json() {
			a.notef("run %s started\n", id)
		}
		return a.await(ctx, s, id, false)
	})
}

// start starts a run of a registered workflow after its schema has let the
// input pass.
func (s *session) start(ctx context.Context, workflow string, input []byte, opts []flox.StartOption) (string, error) {
	info, err := s.workflow(ctx, workflow)
	if err != nil {
		return "", err
	}
	if err := checkSchema(info.Schema, input); err != nil {
		return "", fmt.Errorf("input %w; see the schema with: %s workflows %s", err, program, workflow)
	}
	id, err := s.ctl.Start(ctx, workflow, input, opts...)
	if taken, ok := errors.AsType[*flox.RunExistsError](err); ok {
		return "", fmt.Errorf("run %q: exists already (%s); choose another --id, or pass --if-exists return", taken.Run, taken.Status)
	}
	return id, err
}
