package cli

import (
	"context"
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/pkg/flox"
)

func (a *app) outputCmd() *cobra.Command {
	var wait bool
	cmd := &cobra.Command{
		Use:   "output RUN",
		Short: "Print a completed run's output as JSON, and nothing else",
		Long: `Print a completed run's output as JSON, and nothing else: a list if its workflow has
any number of outputs, which jsonl prints one a line; null if it has none.

The exit code tells of another end: 3 failed, 4 cancelled, 5 not ended yet. With
--wait its end is waited for, as long as --timeout allows.`,
		Example: `  orchestrator output order-1001
  orchestrator output order-1001 --wait --timeout 5m -o jsonl`,
		Args: wantRuns(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.open(cmd.Context(), func(s *session) error { return a.runOutput(cmd.Context(), s, args[0], wait) })
		},
	}
	cmd.Flags().BoolVar(&wait, "wait", false, "wait for the run to end")
	return cmd
}

func (a *app) runOutput(ctx context.Context, s *session, id string, wait bool) error {
	var run flox.RunInfo
	err := a.ask(ctx, func(ctx context.Context) (err error) {
		run, err = s.ctl.Show(ctx, id)
		return err
	})
	if err != nil {
		return explain(id, err)
	}
	if !run.Status.Terminal() && wait {
		limited, cancel := a.limited(ctx)
		defer cancel()
		run, err = s.follow(limited, id, func(flox.RunInfo) error { return nil })
		if err != nil {
			return a.notAwaited(limited, id, err)
		}
	}
	if !run.Status.Terminal() {
		return &exitError{ExitTimeout, "run " + id + ": is " + string(run.Status) + " and has no output yet; add --wait to wait for it"}
	}
	if err := ended(run); err != nil {
		return err
	}
	return a.ask(ctx, func(ctx context.Context) error {
		outs, err := s.st.Outputs(ctx, id)
		if err != nil {
			return explain(id, err)
		}
		return a.printOutputs(outs, s.listsOutput(ctx, run, len(outs)))
	})
}

// listsOutput reports whether a run's output is a list. A workflow that is no more
// registered cannot say; the number of outputs then does.
func (s *session) listsOutput(ctx context.Context, run flox.RunInfo, outputs int) bool {
	info, err := s.ctl.Workflow(ctx, run.Workflow)
	if err != nil {
		return outputs > 1
	}
	return info.ListOutput || outputs > 1
}

func (a *app) printOutputs(outs [][]byte, asList bool) error {
	values := []json.RawMessage{}
	for _, out := range outs {
		values = append(values, rendered(out))
	}
	switch {
	case asList && a.jsonl():
		for _, v := range values {
			if err := a.printOne(v); err != nil {
				return err
			}
		}
		return nil
	case asList:
		return a.printOne(values)
	case len(values) == 0:
		return a.printOne(nil)
	}
	return a.printOne(values[0])
}
