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
	Name        string          `json:"name"`
	Fingerprint string          `json:"fingerprint"`
	StartNode   string          `json:"startNode"`
	Queues      []string        `json:"queues"`
	Registered  time.Time       `json:"registered"`
	Graph       json.RawMessage `json:"graph,omitempty"`
	Schema      json.RawMessage `json:"schema,omitempty"`
}

func newWorkflowView(w flox.WorkflowInfo) workflowView {
	return workflowView{
		Name: w.Name, Fingerprint: w.Fingerprint, StartNode: w.StartNode, Queues: list(w.Queues),
		Registered: w.Registered, Graph: validJSON(w.Graph), Schema: validJSON(w.Schema),
	}
}

// validJSON drops what would make the whole output unreadable.
func validJSON(b []byte) json.RawMessage {
	if !json.Valid(b) {
		return nil
	}
	return b
}

func (a *app) workflowsCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "workflows [NAME]",
		Short: "List the registered workflows, or show one's graph and input schema",
		Example: `  orchestrator workflows
  orchestrator workflows order`,
		Args: wantArgs(0, 1, "NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(ctx context.Context, s *session) error {
				if len(args) == 0 {
					return a.listWorkflows(ctx, s)
				}
				return a.showWorkflow(ctx, s, args[0])
			})
		},
	}
}

func (a *app) listWorkflows(ctx context.Context, s *session) error {
	all, err := s.st.Workflows(ctx)
	if err != nil {
		return err
	}
	if a.json() {
		views := []workflowView{}
		for _, w := range all {
			views = append(views, newWorkflowView(w))
		}
		return a.printJSON(map[string]any{"workflows": views})
	}
	t := a.table("WORKFLOW", "START", "QUEUES", "REGISTERED", "FINGERPRINT")
	for _, w := range all {
		t.row(w.Name, w.StartNode, strings.Join(w.Queues, ","), stamp(w.Registered), w.Fingerprint)
	}
	t.print(a.stdout)
	return nil
}

func (a *app) showWorkflow(ctx context.Context, s *session, name string) error {
	info, err := s.workflow(ctx, name)
	if err != nil {
		return err
	}
	v := newWorkflowView(info)
	if a.json() {
		return a.printJSON(v)
	}
	t := &table{}
	t.row("workflow", v.Name)
	t.row("start", v.StartNode)
	t.row("queues", strings.Join(v.Queues, ","))
	t.row("registered", stamp(v.Registered))
	t.row("fingerprint", v.Fingerprint)
	t.print(a.stdout)
	a.printf("\ngraph:\n%s\n\ninput schema:\n%s\n", indented(v.Graph), indented(v.Schema))
	return nil
}

func indented(raw json.RawMessage) string {
	var buf bytes.Buffer
	if len(raw) == 0 || json.Indent(&buf, raw, "", "  ") != nil {
		return "none"
	}
	return buf.String()
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
	switch near := nearest(name, names); {
	case near != "":
		err = fmt.Errorf("workflow %q: not registered; did you mean %s?", name, near)
	case len(names) == 0:
		err = fmt.Errorf("workflow %q: not registered, and none is; start a worker first", name)
	default:
		err = fmt.Errorf("workflow %q: not registered; want one of %s", name, strings.Join(names, ", "))
	}
	return flox.WorkflowInfo{}, err
}
