package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/pkg/flox"
)

// Completion asks the store while somebody waits for the Tab key, so it gives up
// soon, and says nothing of errors: they would be printed into the command line.
const (
	completeWithin = time.Second
	completeRuns   = 200 // the newest are offered
)

// completer returns the words that may stand where the Tab key was pressed, each
// with a description behind a tab if it has one.
type completer func(ctx context.Context, s *session, cmd *cobra.Command, args []string) ([]cobra.Completion, error)

// completeAll sets what the shell offers for the arguments and the flags of all
// commands, by what they are called.
func (a *app) completeAll(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		a.completeAll(c)
	}
	if cmd.ValidArgsFunction == nil {
		cmd.ValidArgsFunction = a.argCompleter(cmd)
	}
	for name, complete := range map[string]cobra.CompletionFunc{
		"workflow": a.completion(workflowNames), "run": a.completion(runIDs(nil)), "label": a.completion(labelKeys),
		"node": a.completion(nodesOfRun), "from": a.completion(nodesOfRun), "status": completeStatuses,
	} {
		// --from of start is a file; a command's own completion stays.
		_, set := cmd.GetFlagCompletionFunc(name)
		if cmd.Flags().Lookup(name) != nil && !set && !(name == "from" && cmd.Name() == "start") {
			completeFlag(cmd, name, complete)
		}
	}
}

// completeFlag sets what the shell offers for a flag.
func completeFlag(cmd *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // there is no such flag
	}
}

// argCompleter chooses by what a command's usage calls its arguments.
func (a *app) argCompleter(cmd *cobra.Command) cobra.CompletionFunc {
	_, usage, _ := strings.Cut(cmd.Use, " ")
	usage = strings.Trim(usage, "[]")
	switch {
	case strings.HasPrefix(usage, "RUN NAME"):
		return a.completion(func(ctx context.Context, s *session, cmd *cobra.Command, args []string) ([]cobra.Completion, error) {
			switch len(args) {
			case 0:
				return runIDs(flox.ActiveStatuses())(ctx, s, cmd, args)
			case 1:
				return signalsOfRun(ctx, s, cmd, args)
			}
			return nil, nil
		})
	case strings.HasPrefix(usage, "RUN"):
		complete, several := runIDs(flox.ControlOp(cmd.Name()).Takes()), strings.Contains(usage, "...")
		return a.completion(func(ctx context.Context, s *session, cmd *cobra.Command, args []string) ([]cobra.Completion, error) {
			if len(args) > 0 && !several {
				return nil, nil
			}
			return complete(ctx, s, cmd, args)
		})
	case strings.HasPrefix(usage, "WORKFLOW"), cmd.Name() == "workflows":
		return a.completion(func(ctx context.Context, s *session, cmd *cobra.Command, args []string) ([]cobra.Completion, error) {
			if len(args) > 0 {
				return nil, nil
			}
			return workflowNames(ctx, s, cmd, args)
		})
	}
	return cobra.NoFileCompletions
}

// completion makes a completer one of cobra's: those words that begin as the one
// that is typed.
func (a *app) completion(words completer) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if a.prepare(cmd, nil) != nil { // cobra does not prepare for a completion
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completeWithin)
		defer cancel()
		var offered []cobra.Completion
		_ = a.connected(ctx, func(s *session) error {
			all, err := words(ctx, s, cmd, args)
			for _, word := range all {
				if strings.HasPrefix(word, begun) {
					offered = append(offered, word)
				}
			}
			return err
		})
		return offered, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeStatuses completes the last of a comma-separated list.
func completeStatuses(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	before := begun[:strings.LastIndexByte(begun, ',')+1]
	var words []cobra.Completion
	for _, word := range statusWords() {
		if strings.HasPrefix(before+word, begun) {
			words = append(words, before+word)
		}
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

func workflowNames(ctx context.Context, s *session, _ *cobra.Command, _ []string) ([]cobra.Completion, error) {
	all, err := s.st.Workflows(ctx)
	var names []cobra.Completion
	for _, w := range all {
		names = append(names, w.Name)
	}
	slices.Sort(names)
	return names, err
}

// newestRuns are those of some statuses, or of all.
func newestRuns(ctx context.Context, s *session, cmd *cobra.Command, of []flox.Status) ([]flox.RunInfo, error) {
	filter := flox.RunFilter{Statuses: of}
	if f := cmd.Flags().Lookup("workflow"); f != nil {
		filter.Workflow = f.Value.String()
	}
	page, err := s.ctl.List(ctx, flox.ListRequest{RunFilter: filter, Limit: completeRuns})
	return page.Runs, err
}

// runIDs offers the newest runs of some statuses, but for those that are named.
func runIDs(of []flox.Status) completer {
	return func(ctx context.Context, s *session, cmd *cobra.Command, args []string) ([]cobra.Completion, error) {
		runs, err := newestRuns(ctx, s, cmd, of)
		var ids []cobra.Completion
		for _, r := range runs {
			if !slices.Contains(args, r.ID) {
				ids = append(ids, cobra.CompletionWithDesc(r.ID, fmt.Sprintf("%s %s", r.Workflow, r.Status)))
			}
		}
		return ids, err
	}
}

// labelKeys offers the keys that the newest runs have.
func labelKeys(ctx context.Context, s *session, cmd *cobra.Command, _ []string) ([]cobra.Completion, error) {
	runs, err := newestRuns(ctx, s, cmd, nil)
	keys := map[string]bool{}
	for _, r := range runs {
		for key := range r.Labels {
			keys[key+"="] = true
		}
	}
	return slices.Sorted(maps.Keys(keys)), err
}

// graphOfRun is the graph of the first run that the command line names, or of its
// --workflow.
func graphOfRun(ctx context.Context, s *session, cmd *cobra.Command, args []string) (*flox.Graph, error) {
	name := ""
	if f := cmd.Flags().Lookup("workflow"); f != nil {
		name = f.Value.String()
	}
	if len(args) > 0 {
		run, err := s.ctl.Show(ctx, args[0])
		if err != nil {
			return nil, err
		}
		name = run.Workflow
	}
	return s.graph(ctx, name)
}

func nodesOfRun(ctx context.Context, s *session, cmd *cobra.Command, args []string) ([]cobra.Completion, error) {
	g, err := graphOfRun(ctx, s, cmd, args)
	if err != nil {
		return nil, err
	}
	var names []cobra.Completion
	for _, n := range g.Nodes {
		names = append(names, n.Name)
	}
	return names, nil
}

func signalsOfRun(ctx context.Context, s *session, cmd *cobra.Command, args []string) ([]cobra.Completion, error) {
	g, err := graphOfRun(ctx, s, cmd, args)
	if err != nil {
		return nil, err
	}
	var names []cobra.Completion
	for _, n := range g.Nodes {
		names = append(names, n.Signals...)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
