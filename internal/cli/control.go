package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/pkg/flox"
)

// controlResult is what became of one run.
type controlResult struct {
	Run   string `json:"run"`
	Op    string `json:"op"`
	Done  bool   `json:"done"`
	Error string `json:"error,omitempty"`
}

func (a *app) pauseCmd() *cobra.Command {
	return a.controlCmd(flox.ControlPause, "paused", "Let no further step of runs start", (*flox.Control).Pause)
}

func (a *app) resumeCmd() *cobra.Command {
	return a.controlCmd(flox.ControlResume, "resumed", "Let paused runs go on", (*flox.Control).Resume)
}

func (a *app) cancelCmd() *cobra.Command {
	return a.controlCmd(flox.ControlCancel, "cancelled", "End runs for good", (*flox.Control).Cancel)
}

func (a *app) retryCmd() *cobra.Command {
	return a.controlCmd(flox.ControlRetry, "retried", "Let failed runs go on from their failed steps", (*flox.Control).Retry)
}

func (a *app) controlCmd(op flox.ControlOp, done, short string, do func(*flox.Control, context.Context, string) error) *cobra.Command {
	return &cobra.Command{
		Use:     string(op) + " RUN...",
		Short:   short,
		Example: fmt.Sprintf("  %[1]s %[2]s order-1001\n  %[1]s %[2]s order-1001 order-1002 -o json", program, op),
		Args:    wantRuns(1, -1),
		RunE: func(cmd *cobra.Command, ids []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, s *session) error {
				return a.control(op, done, ids, func(id string) error { return do(s.ctl, ctx, id) })
			})
		},
	}
}

// control does its work for each run, whatever became of the others.
func (a *app) control(op flox.ControlOp, done string, ids []string, do func(id string) error) error {
	var failed error
	results := []controlResult{}
	for _, id := range ids {
		r := controlResult{Run: id, Op: string(op)}
		if err := do(id); err != nil {
			err = refused(id, err)
			a.report(err)
			r.Error, failed = oneLine(err.Error()), errReported
		} else if r.Done = true; !a.json() {
			a.printf("%s %s\n", id, done)
		}
		results = append(results, r)
	}
	if a.json() {
		if err := a.printJSON(map[string]any{"runs": results}); err != nil {
			return err
		}
	}
	return failed
}

// allowed says which runs an operation is for.
var allowed = map[flox.ControlOp]string{
	flox.ControlPause:  "a running run",
	flox.ControlResume: "a paused run",
	flox.ControlCancel: "a running or paused run",
	flox.ControlRetry:  "a failed run",
}

func refused(id string, err error) error {
	if r, ok := errors.AsType[*flox.RefusedError](err); ok {
		return fmt.Errorf("run %q: is %s; %s takes %s", id, r.Status, r.Op, allowed[r.Op])
	}
	return explain(id, err)
}
