package cli

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/pkg/flox"
)

// historyPage is how many steps are asked for at a time.
const historyPage = 500

// itemsView is what items prints.
type itemsView struct {
	Steps  []flox.StepRecord `json:"steps"`
	Tokens []flox.TokenInfo  `json:"tokens"`
}

func (a *app) itemsCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "items RUN",
		Short:   "List a run's finished steps and where its tokens stand",
		Example: "  orchestrator items order-1001",
		Args:    wantRuns(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, s *session) error {
				v, err := s.items(ctx, args[0])
				if err != nil {
					return explain(args[0], err)
				}
				if a.json() {
					return a.printJSON(v)
				}
				a.printItems(v)
				return nil
			})
		},
	}
}

func (s *session) items(ctx context.Context, id string) (itemsView, error) {
	v := itemsView{Steps: []flox.StepRecord{}}
	for {
		page, err := s.st.History(ctx, id, len(v.Steps), historyPage)
		if err != nil {
			return v, err
		}
		v.Steps = append(v.Steps, page...)
		if len(page) < historyPage {
			break
		}
	}
	tokens, err := s.tokens(ctx, id)
	v.Tokens = list(tokens)
	return v, err
}

func (a *app) printItems(v itemsView) {
	t := a.table("ITEM", "NODE", "OUTCOME", "ATTEMPT", "TOOK", "AT", "WORKER")
	for _, s := range v.Steps {
		t.row(s.Item, s.Node, s.Outcome, s.Attempt, short(s.Duration), stamp(s.Time), s.Worker)
	}
	for _, k := range v.Tokens {
		state := string(k.Place)
		if k.Failed {
			state = "failed"
		}
		if !k.Due.IsZero() {
			state += " until " + stamp(k.Due)
		}
		t.row(flox.ItemID(k.Token, k.Step), k.Node, state, k.Attempt+1, "", "", k.Owner)
	}
	t.print(a.stdout)
}

func (a *app) errorsCmd() *cobra.Command {
	var stack bool
	cmd := &cobra.Command{
		Use:     "errors RUN",
		Short:   "List a run's newest errors",
		Example: "  orchestrator errors order-1001 --stack",
		Args:    wantRuns(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, s *session) error {
				records, err := s.st.Errors(ctx, args[0])
				if err != nil {
					return explain(args[0], err)
				}
				return a.printErrors(records, stack)
			})
		},
	}
	cmd.Flags().BoolVar(&stack, "stack", false, "print the stacks of panics too")
	return cmd
}

func (a *app) printErrors(records []flox.ErrorRecord, stack bool) error {
	if !stack {
		for i := range records {
			records[i].Stack = ""
		}
	}
	if a.json() {
		return a.printJSON(map[string]any{"errors": list(records)})
	}
	t := a.table("TIME", "ITEM", "NODE", "ATTEMPT", "CLASS", "FINAL", "WORKER", "MESSAGE")
	for _, e := range records {
		t.row(stamp(e.Time), e.Item, e.Node, e.Attempt, e.Class, e.Final, e.Worker, e.Message)
	}
	t.print(a.stdout)
	for _, e := range records {
		if e.Stack != "" {
			a.printf("\n%s attempt %d:\n%s\n", e.Item, e.Attempt, e.Stack)
		}
	}
	return nil
}

// stateView is what state prints: what each step contributed, in commit order.
// The types that merge the contributions are the workers' alone.
type stateView struct {
	Version  int64             `json:"version"`
	Snapshot json.RawMessage   `json:"snapshot,omitempty"` // stands for the deltas before
	Deltas   []json.RawMessage `json:"deltas"`
}

func (a *app) stateCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "state RUN",
		Short:   "Print what a run's steps contributed to its state, in commit order",
		Example: "  orchestrator state order-1001 -o json",
		Args:    wantRuns(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, s *session) error {
				log, err := s.st.State(ctx, args[0], 0)
				if err != nil {
					return explain(args[0], err)
				}
				return a.printState(log)
			})
		},
	}
}

func (a *app) printState(log flox.StateLog) error {
	v := stateView{Version: log.Version, Deltas: []json.RawMessage{}}
	if log.Snapshot != nil {
		v.Snapshot = orUnreadable(flox.StateJSON(log.Snapshot))
	}
	for _, d := range log.Deltas {
		v.Deltas = append(v.Deltas, orUnreadable(flox.StateJSON(d)))
	}
	if a.json() {
		return a.printJSON(v)
	}
	t := a.table("VERSION", "DELTA")
	first := log.Version - int64(len(log.Deltas))
	if v.Snapshot != nil {
		t.row(fmt.Sprintf("to %d", first), string(v.Snapshot))
	}
	for i, d := range v.Deltas {
		t.row(first+int64(i)+1, string(d))
	}
	t.print(a.stdout)
	return nil
}
