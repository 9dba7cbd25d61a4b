package cli

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

// signalFlags are what a signal is given.
type signalFlags struct {
	run, name string
	payload   string
	id        string
	force     bool
	given     func(name string) bool
}

// sent is the result of a signal.
type sent struct {
	Run       string `json:"run"`
	Signal    string `json:"signal"`
	Delivered bool   `json:"delivered"` // false: it is kept for the first step that awaits it
}

func (a *app) signalCmd() *cobra.Command {
	var f signalFlags
	cmd := &cobra.Command{
		Use:   "signal RUN NAME",
		Short: "Send a signal to a run",
		Long: `Send a signal to a run. The step that has waited for it longest goes on with the
payload; if none waits, one signal of each name is kept for the first that will.`,
		Example: `  orchestrator signal order-1001 approved --payload '{"by":"ada"}'
  orchestrator signal order-1001 approved --id mail-4711 --payload @answer.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if err := wantArgs(2, 2, "RUN or NAME")(cmd, args); err != nil {
				return err
			}
			return wantRuns(1, -1)(cmd, args[:1])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f.run, f.name, f.given = args[0], args[1], cmd.Flags().Changed
			return a.signal(cmd.Context(), f)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.payload, "payload", "", "`JSON`, @FILE, or - for standard input")
	fs.StringVar(&f.id, "id", "", "`id` of the signal, so that sending it twice in a row gives one")
	fs.BoolVar(&f.force, "force", false, "send it also if no step of the run's workflow awaits a signal of that name")
	fs.AddFlagSet(a.durabilityFlags)
	return cmd
}

func (a *app) signal(ctx context.Context, f signalFlags) error {
	if err := flox.CheckName("signal", f.name); err != nil {
		return flags.Usagef("%v", err)
	}
	var opts []flox.SignalOption
	if f.given("id") {
		if err := flox.CheckName("--id", f.id); err != nil {
			return flags.Usagef("%v", err)
		}
		opts = append(opts, flox.WithSignalID(f.id))
	}
	payload, err := a.readInput(ctx, "--payload", f.payload, f.given("payload"))
	if err != nil {
		return err
	}
	return a.with(ctx, func(ctx context.Context, s *session) error {
		if !f.force {
			if err := s.awaited(ctx, f.run, f.name); err != nil {
				return err
			}
		}
		delivered, err := s.ctl.Signal(ctx, f.run, f.name, payload, opts...)
		if err != nil {
			return noSignal(f.run, err)
		}
		return a.printSent(sent{f.run, f.name, delivered})
	})
}

func (a *app) printSent(r sent) error {
	switch {
	case a.structured():
		return a.printOne(r)
	case r.Delivered:
		a.printf("%s got %s\n", r.Run, r.Signal)
	default:
		a.printf("%s keeps %s for the first step that awaits it; none does yet\n", r.Run, r.Signal)
	}
	return nil
}

// awaited refuses a signal that no node of the run's workflow awaits, if its
// graph is registered.
func (s *session) awaited(ctx context.Context, id, name string) error {
	run, err := s.ctl.Show(ctx, id)
	if err != nil {
		return explain(id, err)
	}
	g, err := s.graph(ctx, run.Workflow)
	if err != nil {
		return nil
	}
	var names []string
	for _, n := range g.Nodes {
		names = append(names, n.Signals...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if slices.Contains(names, name) {
		return nil
	}
	const force = "; --force sends it all the same"
	if near := nearest(name, names); near != "" {
		return flags.Usagef("signal %q: no step of workflow %s awaits it; did you mean %s?%s", name, run.Workflow, near, force)
	}
	if len(names) == 0 {
		return flags.Usagef("signal %q: no step of workflow %s awaits any signal%s", name, run.Workflow, force)
	}
	return flags.Usagef("signal %q: no step of workflow %s awaits it, only %s%s", name, run.Workflow, strings.Join(names, ", "), force)
}

// noSignal words why a signal was not taken.
func noSignal(id string, err error) error {
	r, ok := errors.AsType[*flox.SignalError](err)
	switch {
	case !ok:
		return explain(id, err)
	case r.Full:
		return because(err, "run %q: keeps an earlier %s that no step has awaited yet; see: %s show %s", id, r.Signal, program, id)
	}
	return because(err, "run %q: is %s; signal takes a running or paused run", id, r.Status)
}
