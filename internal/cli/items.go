package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

var itemColumns = []column[itemView]{
	{"ITEM", false, func(v itemView) any { return v.Item }},
	{"NODE", false, func(v itemView) any { return v.Node }},
	{"STATUS", false, func(v itemView) any { return v.Status }},
	{"ATTEMPT", false, func(v itemView) any { return v.Attempt }},
	{"TOOK", false, func(v itemView) any { return shortMsOr(v.TookMs) }},
	{"AT", false, func(v itemView) any { return stamp(v.Time) }},
	{"OUTCOME", true, func(v itemView) any { return v.Outcome }},
	{"QUEUE", true, func(v itemView) any { return v.Queue }},
	{"CRASHES", true, func(v itemView) any { return v.Crashes }},
	{"WORKER", false, func(v itemView) any { return v.Worker }},
	{"WAITS FOR", false, itemView.waits},
}

// waits says what a token waits for, or how far the one in progress is.
func (v itemView) waits() any {
	var parts []string
	if v.Signal != "" {
		parts = append(parts, "signal "+v.Signal)
	}
	if !v.Due.IsZero() {
		parts = append(parts, "until "+stamp(v.Due))
	}
	if v.Share > 0 {
		parts = append(parts, fmt.Sprintf("%.0f%%", 100*v.Share))
	}
	return strings.Join(append(parts, v.Note), " ")
}

// itemsFlags are the flags of items.
type itemsFlags struct {
	status, node []string
	limit        int
}

func (a *app) itemsCmd() *cobra.Command {
	var f itemsFlags
	cmd := &cobra.Command{
		Use:   "items RUN",
		Short: "List a run's items: finished steps, and where its tokens stand",
		Long: `List a run's items: the finished steps in the order of their commits (the newest
10,000 are kept), then the tokens where they stand now. A run that goes on may
show an item twice, before and after a step.

Statuses: ` + strings.Join(itemStatuses, ", ") + ".",
		Example: `  orchestrator items order-1001
  orchestrator items order-1001 --status "in progress,waiting retry" -o wide
  orchestrator items order-1001 --node charge --limit 0 -o jsonl`,
		Args: wantRuns(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return a.open(cmd.Context(), func(s *session) error { return explain(args[0], a.items(cmd.Context(), s, args[0], f)) })
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringSliceVar(&f.status, "status", nil, "only items with these `statuses`, comma-separated")
	fs.StringSliceVar(&f.node, "node", nil, "only items at these `nodes`")
	fs.IntVar(&f.limit, "limit", 1000, "most items to list; 0 is no limit")
	completeFlag(cmd, "status", cobra.FixedCompletions(itemStatuses, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (f *itemsFlags) check() error {
	if f.limit < 0 {
		return flags.Usagef("--limit=%d: want zero or more", f.limit)
	}
	for _, s := range f.status {
		if !slices.Contains(itemStatuses, s) {
			return flags.Usagef("--status=%q: %s", s, meant(s, itemStatuses))
		}
	}
	return nil
}

// meant suggests the word that was probably meant, or lists all.
func meant(word string, words []string) string {
	if near := nearest(word, words); near != "" {
		return "unknown; did you mean " + near + "?"
	}
	return "want some of " + strings.Join(words, ", ")
}

func (f *itemsFlags) takes(v itemView) bool {
	return (len(f.status) == 0 || slices.Contains(f.status, v.Status)) &&
		(len(f.node) == 0 || slices.Contains(f.node, v.Node))
}

// errEnough ends a list that has reached its limit.
var errEnough = errors.New("enough")

func (a *app) items(ctx context.Context, s *session, id string, f itemsFlags) error {
	list, listed := newRows(a, "items", itemColumns), 0
	err := a.eachItem(ctx, s, id, f, func(v itemView) error {
		if !f.takes(v) {
			return nil
		}
		if listed++; f.limit > 0 && listed > f.limit {
			return errEnough
		}
		return list.add(v)
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	if err := list.end(extra{"more", err != nil}); err != nil {
		return err
	}
	if err != nil && a.output.Value != "json" {
		a.notef("more: add --limit %d, or 0 for all\n", 10*f.limit)
	}
	return nil
}

// eachItem calls f with the items of a run: the finished, then the tokens.
func (a *app) eachItem(ctx context.Context, s *session, id string, f itemsFlags, do func(itemView) error) error {
	var run flox.RunInfo
	var doing map[itemKey]flox.ActiveItem
	err := a.ask(ctx, func(ctx context.Context) (err error) {
		if run, err = s.ctl.Show(ctx, id); err != nil {
			return err
		}
		if err := s.checkNodes(ctx, run, f.node); err != nil {
			return err
		}
		doing, err = s.doing(ctx)
		return err
	})
	if err != nil {
		return err
	}
	h := historyReader{s: s, run: id}
	for {
		var steps []flox.StepRecord
		err := a.ask(ctx, func(ctx context.Context) (err error) {
			steps, err = h.next(ctx)
			return err
		})
		if err != nil {
			return err
		}
		if len(steps) == 0 {
			break
		}
		for _, step := range steps {
			if err := do(stepItem(step)); err != nil {
				return err
			}
		}
	}
	return a.eachToken(ctx, s, run, doing, do)
}

func (a *app) eachToken(ctx context.Context, s *session, run flox.RunInfo, doing map[itemKey]flox.ActiveItem, do func(itemView) error) error {
	failed := run.Failure == nil || run.Failure.Node == ""
	for token, err := range s.tokens(ctx, run.ID, a.ask) {
		if err != nil {
			return err
		}
		v := tokenItem(token, run.ID, doing)
		failed = failed || v.Item == run.Failure.Item
		if err := do(v); err != nil {
			return err
		}
	}
	if failed {
		return nil
	}
	return do(failureItem(*run.Failure))
}

// checkNodes refuses names that are no node of the run's workflow. One that only
// another version of it has is let pass if the graph cannot be read.
func (s *session) checkNodes(ctx context.Context, run flox.RunInfo, nodes []string) error {
	if len(nodes) == 0 {
		return nil
	}
	g, err := s.graph(ctx, run.Workflow)
	if err != nil || g.Fingerprint != run.Fingerprint {
		return nil
	}
	names := nodeNames(g)
	for _, node := range nodes {
		if !slices.Contains(names, node) {
			return flags.Usagef("--node=%q: workflow %s has no such node; %s", node, run.Workflow, strings.TrimPrefix(meant(node, names), "unknown; "))
		}
	}
	return nil
}

// nodeNames are the names and aliases of a graph's nodes.
func nodeNames(g *flox.Graph) []string {
	var names []string
	for _, n := range g.Nodes {
		names = append(append(names, n.Name), n.Aliases...)
	}
	return names
}
