package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// completeFlag sets what the shell offers for a flag.
func completeFlag(cmd *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // there is no such flag
	}
}

// completeWorkflow offers the names of the registered workflows for a first
// argument.
func (a *app) completeWorkflow(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	if len(args) > 0 || a.prepare(cmd, nil) != nil { // cobra does not prepare for a completion
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	err := a.with(cmd.Context(), func(ctx context.Context, s *session) error {
		all, err := s.st.Workflows(ctx)
		for _, w := range all {
			if strings.HasPrefix(w.Name, begun) {
				names = append(names, w.Name)
			}
		}
		return err
	})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	slices.Sort(names)
	return names, cobra.ShellCompDirectiveNoFileComp
}
