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

func (a *app) listCmd() *cobra.Command {
	status := flags.NewChoice("all", active, string(flox.StatusPending), string(flox.StatusRunning),
		string(flox.StatusPaused), string(flox.StatusUndoing), string(flox.StatusCompleted), string(flox.StatusFailed), string(flox.StatusCancelled))
	var req flox.ListRequest
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List runs by status, newest first",
		Long: `List runs: first those that have not ended, then the completed, the failed and the
cancelled ones, each of these newest first.`,
		Example: `  orchestrator list --status failed --workflow order
  orchestrator list --limit 100 -o json`,
		Args: wantArgs(0, 0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.list(cmd.Context(), req, status.Value)
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.Var(status, "status", "only these; active are all that have not ended")
	fs.StringVar(&req.Workflow, "workflow", "", "only runs of this workflow")
	fs.IntVar(&req.Limit, "limit", 20, "runs a page")
	fs.StringVar(&req.Cursor, "cursor", "", "where the last page ended")
	return cmd
}

func (a *app) list(ctx context.Context, req flox.ListRequest, status string) error {
	if req.Limit < 1 || req.Limit > maxPage {
		return flags.Usagef("--limit=%d: want 1 to %d", req.Limit, maxPage)
	}
	if req.Workflow != "" {
		if err := flox.CheckName("--workflow", req.Workflow); err != nil {
			return flags.Usagef("%v", err)
		}
	}
	return a.with(ctx, func(ctx context.Context, s *session) error {
		page, err := s.list(ctx, req, status)
		if err != nil {
			return err
		}
		if req.Workflow != "" && req.Cursor == "" && len(page.Runs) == 0 {
			if _, err := s.workflow(ctx, req.Workflow); err != nil {
				return err
			}
		}
		if a.json() {
			page.Runs = list(page.Runs)
			return a.printJSON(page)
		}
		a.printRuns(page)
		return nil
	})
}

func (s *session) list(ctx context.Context, req flox.ListRequest, status string) (flox.RunPage, error) {
	switch status {
	case "all":
	case active:
		req.Statuses = flox.ActiveStatuses()
	default:
		req.Statuses = []flox.Status{flox.Status(status)}
	}
	return s.ctl.List(ctx, req)
}

func (a *app) printRuns(page flox.RunPage) {
	t := a.table("RUN", "WORKFLOW", "STATUS", "STARTED", "TOOK", "DONE", "LIVE", "CAUSE")
	for _, r := range page.Runs {
		end := r.Ended
		if end.IsZero() {
			end = time.Now()
		}
		t.row(r.ID, r.Workflow, r.Status, stamp(r.Created), short(max(0, end.Sub(r.Created))),
			r.Counts.Committed, r.Counts.Live, brief(r.Cause))
	}
	t.print(a.stdout)
	if page.Next != "" {
		a.notef("more: add --cursor %s\n", page.Next)
	}
}
