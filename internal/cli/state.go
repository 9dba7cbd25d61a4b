package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/pkg/flox"
)

// stateView is what state prints: what each step contributed, in commit order.
// The types that merge the contributions are the workers' alone.
type stateView struct {
	Version  int64             `json:"version"`            // after the last delta
	Snapshot json.RawMessage   `json:"snapshot,omitempty"` // stands for the deltas before
	Deltas   []json.RawMessage `json:"deltas"`
}

func newStateView(log flox.StateLog) stateView {
	v := stateView{Version: log.Version, Deltas: []json.RawMessage{}}
	if log.Snapshot != nil {
		v.Snapshot = orUnreadable(flox.StateJSON(log.Snapshot))
	}
	for _, d := range log.Deltas {
		v.Deltas = append(v.Deltas, orUnreadable(flox.StateJSON(d)))
	}
	return v
}

func (a *app) stateCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "state RUN",
		Short: "Print what a run's steps contributed to its state, in commit order",
		Long: `Print what a run's steps contributed to its state, in commit order. The first of many
are folded into a snapshot. How contributions merge is known to the worker's types
alone, so the rest is shown one by one.`,
		Example: `  orchestrator state order-1001
  orchestrator state order-1001 -o json`,
		Args: wantRuns(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, s *session) error {
				log, err := s.st.State(ctx, args[0], 0)
				if err != nil {
					return explain(args[0], err)
				}
				return a.printState(newStateView(log))
			})
		},
	}
}

func (a *app) printState(v stateView) error {
	if a.structured() {
		return a.printOne(v)
	}
	t := a.table("VERSION", "DELTA")
	first := v.Version - int64(len(v.Deltas))
	if v.Snapshot != nil {
		t.row(fmt.Sprintf("to %d", first), string(v.Snapshot))
	}
	for i, d := range v.Deltas {
		t.row(first+int64(i)+1, string(d))
	}
	t.print(a.stdout)
	return a.stdout.err
}

// rendered is a stored payload as JSON; one that is broken is shown as the
// string that says so.
func rendered(payload []byte) json.RawMessage { return orUnreadable(flox.PayloadJSON(payload)) }

func orUnreadable(b []byte, err error) json.RawMessage {
	if err != nil {
		b, _ = json.Marshal("unreadable: " + err.Error()) // a string always has a JSON form
	}
	return b
}
