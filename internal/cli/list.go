package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
)

// active is the status, for list, of all runs that have not ended.
const active = "active"

// maxPage is the most runs list asks for at once.
const maxPage = 1000

// listView is a run in a list.
type listView struct {
	flox.RunInfo
	TookMs millis `json:"tookMs"` // from its start to its end, or until now
}

func newListView(r flox.RunInfo) listView {
	end := r.Ended
	if end.IsZero() {
		end = time.Now()
	}
	if r.Failure != nil && r.Failure.Stack != "" {
		failure := *r.Failure
		failure.Stack = "" // see errors --stack
		r.Failure = &failure
	}
	return listView{r, asMillis(max(0, end.Sub(r.Created)))}
}

var listColumns = []column[listView]{
	{"RUN", false, func(r listView) any { return r.ID }},
	{"WORKFLOW", false, func(r listView) any { return r.Workflow }},
	{"STATUS", false, func(r listView) any { return r.Status }},
	{"STARTED", false, func(r listView) any { return stamp(r.Created) }},
	{"TOOK", false, func(r listView) any { return shortMs(r.TookMs) }},
	{"DONE", false, func(r listView) any { return r.Counts.Committed }},
	{"LIVE", false, func(r listView) any { return r.Counts.Live }},
	{"ENDED", true, func(r listView) any { return stamp(r.Ended) }},
	{"DEADLINE", true, func(r listView) any { return stamp(r.Deadline) }},
	{"HELD", true, func(r listView) any { return r.Held }},
	{"LABELS", true, func(r listView) any { return labelText(r.Labels) }},
	{"FINGERPRINT", true, func(r listView) any { return r.Fingerprint }},
	{"CAUSE", false, func(r listView) any { return brief(r.Cause) }},
}

// listFlags are the flags of list.
type listFlags struct {
	filter     filterFlags
	sort       *flags.Choice
	limit      int
	cursor     string
	all, watch bool
}

func (a *app) listCmd() *cobra.Command {
	f := listFlags{sort: flags.NewChoice("newest", "oldest")}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List runs by status, workflow, label and age",
		Long: `List runs: first those that have not ended, then the completed, the failed and the
cancelled ones, each of these newest first: by their start, or by their end.

A page has --limit runs; how to get the next one is on standard error, or under
"next" in JSON. --all lists every page as it comes. --watch shows the page on a
terminal and again when runs change.`,
		Example: `  orchestrator list --status failed --workflow order
  orchestrator list --status running,paused --older-than 2h --sort oldest -o wide
  orchestrator list --label customer=7 --all -o jsonl
  orchestrator list --status active --watch`,
		Args: wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.all && !cmd.Flags().Changed("limit") {
				f.limit = maxPage // more than people read
			}
			req, err := a.listRequest(f)
			if err != nil {
				return err
			}
			return a.open(cmd.Context(), func(s *session) error { return a.list(cmd.Context(), s, f, req) })
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	f.filter.add(fs)
	fs.Var(f.sort, "sort", "which come first")
	fs.IntVar(&f.limit, "limit", 20, "runs a page")
	fs.StringVar(&f.cursor, "cursor", "", "where the last page ended")
	fs.BoolVar(&f.all, "all", false, "all pages")
	fs.BoolVar(&f.watch, "watch", false, "show the page again when runs change, until interrupted")
	return cmd
}

// listRequest checks what can be checked without the store.
func (a *app) listRequest(f listFlags) (flox.ListRequest, error) {
	filter, err := f.filter.filter()
	req := flox.ListRequest{RunFilter: filter, OldestFirst: f.sort.Value == "oldest", Cursor: f.cursor, Limit: f.limit}
	switch {
	case err != nil:
		return req, err
	case f.limit < 1 || f.limit > maxPage:
		return req, flags.Usagef("--limit=%d: want 1 to %d", f.limit, maxPage)
	case f.watch && f.all:
		return req, flags.Usagef("--watch and --all: want one of them")
	case f.watch:
		return req, a.wantTerminal("list --watch", "watch -o jsonl")
	}
	return req, nil
}

func (a *app) list(ctx context.Context, s *session, f listFlags, req flox.ListRequest) error {
	if f.watch {
		return a.live(ctx, s, func() error { return a.listPage(ctx, s, req, true) })
	}
	if !f.all {
		return a.listPage(ctx, s, req, false)
	}
	list := newRows(a, "runs", listColumns)
	for found := false; ; {
		page, err := a.page(ctx, s, req)
		if err != nil {
			return err
		}
		found = found || len(page.Runs) > 0
		for _, r := range page.Runs {
			if err := list.add(newListView(r)); err != nil {
				return err
			}
		}
		if req.Cursor = page.Next; req.Cursor == "" {
			if err := a.knownWorkflow(ctx, s, req.Workflow, found); err != nil {
				return err
			}
			return list.end()
		}
	}
}

// listPage prints one page, and unless it is watched how to get the next.
func (a *app) listPage(ctx context.Context, s *session, req flox.ListRequest, watched bool) error {
	page, err := a.page(ctx, s, req)
	if err != nil {
		return err
	}
	if err := a.knownWorkflow(ctx, s, req.Workflow, len(page.Runs) > 0 || req.Cursor != ""); err != nil {
		return err
	}
	list := newRows(a, "runs", listColumns)
	for _, r := range page.Runs {
		if err := list.add(newListView(r)); err != nil {
			return err
		}
	}
	var extras []extra
	if page.Next != "" {
		extras = append(extras, extra{"next", page.Next})
	}
	if err := list.end(extras...); err != nil {
		return err
	}
	if page.Next != "" && !watched && a.output.Value != "json" {
		a.notef("more: add --cursor %s\n", page.Next)
	}
	return nil
}

// page returns one full page, if there are as many runs: the store looks at a
// bounded number of them at a time.
func (a *app) page(ctx context.Context, s *session, req flox.ListRequest) (flox.RunPage, error) {
	var page flox.RunPage
	for limit := req.Limit; ; {
		err := a.ask(ctx, func(ctx context.Context) error {
			part, err := s.ctl.List(ctx, req)
			page.Runs, page.Next = append(page.Runs, part.Runs...), part.Next
			return err
		})
		req.Cursor, req.Limit = page.Next, limit-len(page.Runs)
		if err != nil || page.Next == "" || req.Limit < 1 {
			return page, err
		}
	}
}

// knownWorkflow tells a workflow that has no runs from one that there is not.
func (a *app) knownWorkflow(ctx context.Context, s *session, name string, found bool) error {
	if name == "" || found {
		return nil
	}
	return a.ask(ctx, func(ctx context.Context) error {
		_, err := s.workflow(ctx, name)
		return err
	})
}
