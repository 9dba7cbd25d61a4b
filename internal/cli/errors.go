package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/pkg/flox"
)

var errorColumns = []column[flox.ErrorRecord]{
	{"TIME", false, func(e flox.ErrorRecord) any { return stamp(e.Time) }},
	{"ITEM", false, func(e flox.ErrorRecord) any { return e.Item }},
	{"NODE", false, func(e flox.ErrorRecord) any { return e.Node }},
	{"ATTEMPT", false, func(e flox.ErrorRecord) any { return e.Attempt }},
	{"CLASS", false, func(e flox.ErrorRecord) any { return e.Class }},
	{"FINAL", false, func(e flox.ErrorRecord) any { return e.Final }},
	{"WORKER", true, func(e flox.ErrorRecord) any { return e.Worker }},
	{"MESSAGE", false, func(e flox.ErrorRecord) any { return e.Message }},
}

func (a *app) errorsCmd() *cobra.Command {
	var stack bool
	cmd := &cobra.Command{
		Use:   "errors RUN",
		Short: "List a run's newest errors, oldest first",
		Example: `  orchestrator errors order-1001
  orchestrator errors order-1001 --stack
  orchestrator errors order-1001 -o jsonl`,
		Args: wantRuns(1, 1),
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
	if err := printRows(a, "errors", errorColumns, records); err != nil || a.structured() {
		return err
	}
	for _, e := range records {
		if e.Stack != "" {
			a.printf("\n%s attempt %d:\n%s\n", e.Item, e.Attempt, cleanLines(e.Stack))
		}
	}
	return a.stdout.err
}
