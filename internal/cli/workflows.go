package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/pkg/flox"
)

// workflowView is a registered workflow with its JSON as JSON.
type workflowView struct {
	Name        string                `json:"name"`
	Fingerprint string                `json:"fingerprint"`
	StartNode   string                `json:"startNode"`
	Nodes       int                   `json:"nodes"` // how many
	Queues      []string              `json:"queues"`
	Registered  time.Time             `json:"registered"`
	DeadlineMs  *millis               `json:"deadlineMs"`       // of its runs; null is none
	RetentionMs retentionView         `json:"retentionMs"`      // how long runs are kept after their end
	Runs        map[flox.Status]int64 `json:"runs"`             // by status; pending ones are running here
	Graph       json.RawMessage       `json:"graph,omitempty"`  // of one workflow: as graph -o json
	Schema      json.RawMessage       `json:"schema,omitempty"` // of one workflow: JSON Schema of the input
}

// retentionView has null for runs that are kept for ever.
type retentionView struct {
	Completed *millis `json:"completed"` // null is for ever
	Failed    *millis `json:"failed"`
	Cancelled *millis `json:"cancelled"`
}

func newWorkflowView(w flox.WorkflowInfo, runs map[flox.Status]int64) workflowView {
	v := workflowView{
		Name: w.Name, Fingerprint: w.Fingerprint, StartNode: w.StartNode, Queues: list(w.Queues),
		Registered: w.Registered, Runs: runs, Graph: validJSON(w.Graph), Schema: validJSON(w.Schema),
		RetentionMs: retentionView{
			Completed: kept(w.Retains(flox.StatusCompleted)), Failed: kept(w.Retains(flox.StatusFailed)),
			Cancelled: kept(w.Retains(flox.StatusCancelled)),
		},
	}
	if v.Runs == nil {
		v.Runs = map[flox.Status]int64{}
	}
	if w.Deadline > 0 {
		v.DeadlineMs = kept(w.Deadline)
	}
	if g, err := flox.ParseGraph(w.Graph); err == nil {
		v.Nodes = len(g.Nodes)
	}
	return v
}

// kept is nil for ever.
func kept(d time.Duration) *millis {
	if d < 0 {
		return nil
	}
	ms := asMillis(d)
	return &ms
}

// text is the retention for people, in one word if it is the same for all.
func (r retentionView) text() string {
	completed, failed, cancelled := keptText(r.Completed), keptText(r.Failed), keptText(r.Cancelled)
	if completed == failed && failed == cancelled {
		return completed
	}
	return fmt.Sprintf("completed %s, failed %s, cancelled %s", completed, failed, cancelled)
}

func keptText(ms *millis) string {
	if ms == nil {
		return "for ever"
	}
	const day = 24 * time.Hour
	if d := time.Duration(float64(*ms) * float64(time.Millisecond)); d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return shortMs(*ms)
}

// validJSON drops what would make the whole output unreadable.
func validJSON(b []byte) json.RawMessage {
	if !json.Valid(b) {
		return nil
	}
	return b
}

var workflowColumns = []column[workflowView]{
	{"WORKFLOW", false, func(w workflowView) any { return w.Name }},
	{"START", false, func(w workflowView) any { return w.StartNode }},
	{"NODES", false, func(w workflowView) any { return w.Nodes }},
	{"QUEUES", false, func(w workflowView) any { return strings.Join(w.Queues, ",") }},
	{"DEADLINE", true, func(w workflowView) any { return shortMsOr(w.DeadlineMs) }},
	{"RETENTION", true, func(w workflowView) any { return w.RetentionMs.text() }},
	{"REGISTERED", false, func(w workflowView) any { return stamp(w.Registered) }},
	{"FINGERPRINT", true, func(w workflowView) any { return w.Fingerprint }},
	{"RUNS", false, func(w workflowView) any { return runsText(w.Runs) }},
}

// runsText counts runs by status, those that there are.
func runsText(runs map[flox.Status]int64) string {
	return strings.TrimPrefix(statsText(map[string]map[flox.Status]int64{"": runs}), "runs: ")
}

func (a *app) workflowsCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "workflows [NAME]",
		Short: "List the registered workflows, or show one's graph and input schema",
		Example: `  orchestrator workflows
  orchestrator workflows order
  orchestrator workflows -o wide`,
		Args: wantArgs(0, 1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, s *session) error {
				stats, err := s.st.Stats(ctx)
				if err != nil {
					return err
				}
				if len(args) == 0 {
					return a.listWorkflows(ctx, s, stats)
				}
				return a.showWorkflow(ctx, s, args[0], stats)
			})
		},
	}
}

func (a *app) listWorkflows(ctx context.Context, s *session, stats map[string]map[flox.Status]int64) error {
	all, err := s.st.Workflows(ctx)
	if err != nil {
		return err
	}
	var views []workflowView
	for _, w := range all {
		v := newWorkflowView(w, stats[w.Name])
		v.Graph, v.Schema = nil, nil // large; one alone shows them
		views = append(views, v)
	}
	return printRows(a, "workflows", workflowColumns, views)
}

func (a *app) showWorkflow(ctx context.Context, s *session, name string, stats map[string]map[flox.Status]int64) error {
	info, err := s.workflow(ctx, name)
	if err != nil {
		return err
	}
	v := newWorkflowView(info, stats[name])
	if a.structured() {
		return a.printOne(v)
	}
	t := a.plainTable()
	t.row("workflow", v.Name)
	t.row("start", v.StartNode)
	t.row("nodes", v.Nodes)
	t.row("queues", strings.Join(v.Queues, ","))
	t.rowIf("deadline", shortMsOr(v.DeadlineMs))
	t.row("kept", v.RetentionMs.text())
	t.row("runs", runsText(v.Runs))
	t.row("registered", stamp(v.Registered))
	t.row("fingerprint", v.Fingerprint)
	t.print(a.stdout)
	a.printf("\ngraph:\n%s\n\ninput schema:\n%s\n", indented(v.Graph), indented(v.Schema))
	return a.stdout.err
}

func indented(raw json.RawMessage) string {
	var buf bytes.Buffer
	if len(raw) == 0 || json.Indent(&buf, raw, "", "  ") != nil {
		return "none"
	}
	return cleanLines(buf.String())
}

// workflow returns a registered workflow; the error names the one that was
// probably meant.
func (s *session) workflow(ctx context.Context, name string) (flox.WorkflowInfo, error) {
	all, err := s.st.Workflows(ctx)
	if err != nil {
		return flox.WorkflowInfo{}, err
	}
	var names []string
	for _, w := range all {
		if w.Name == name {
			return w, nil
		}
		names = append(names, w.Name)
	}
	name = shortened(name, mostEchoed)
	switch near := nearest(name, names); {
	case near != "":
		err = because(flox.ErrNotFound, "workflow %q: not registered; did you mean %s?", name, near)
	case len(names) == 0:
		err = because(flox.ErrNotFound, "workflow %q: not registered, and none is; start a worker first", name)
	default:
		err = because(flox.ErrNotFound, "workflow %q: not registered; want one of %s", name, strings.Join(names, ", "))
	}
	return flox.WorkflowInfo{}, err
}
