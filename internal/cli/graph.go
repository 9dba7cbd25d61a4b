package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/internal/graphsvg"
	"github.com/floxrun/flox/pkg/flox"
)

// graphFlags are the flags of graph.
type graphFlags struct {
	run    string
	given  bool // --run was
	format *flags.Choice
	chosen bool // --format was given
	file   string
}

// graphSuffixes are the formats that the name of --file stands for.
var graphSuffixes = map[string]string{
	".svg": "svg", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".mermaid": "mermaid", ".json": "json",
}

func (a *app) graphCmd() *cobra.Command {
	f := graphFlags{format: flags.NewChoice("mermaid", "svg", "dot", "json")}
	cmd := &cobra.Command{
		Use:   "graph [WORKFLOW]",
		Short: "Draw a workflow, or how a run stands on it",
		Long: `Draw a registered workflow, or with --run how a run stands on it: each node has
the colour and the counts of its items. WORKFLOW may be left out then.

Formats: mermaid, the default, is text that can be read as it is and that GitHub
and many editors draw when it is pasted into Markdown; svg is a picture for any
browser; dot is for Graphviz; json is the graph as data, as -o json gives it.
The name of --file stands for its format: .svg, .dot, .gv, .mmd, .json.

A run is drawn from what is kept of it: the newest 10,000 steps and 100 errors.`,
		Example: `  orchestrator graph order
  orchestrator graph order --file order.svg
  orchestrator graph --run order-1001 --format svg > order-1001.svg
  orchestrator graph order --format dot | dot -Tpng -o order.png`,
		Args: wantArgs(0, 1, "WORKFLOW"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.given, f.chosen = cmd.Flags().Changed("run"), cmd.Flags().Changed("format")
			if err := a.checkGraph(&f, args); err != nil {
				return err
			}
			return a.with(cmd.Context(), func(ctx context.Context, s *session) error { return a.graph(ctx, s, f, args) })
		},
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&f.run, "run", "", "draw how this run stands, by its `id`")
	fs.Var(f.format, "format", "how to draw")
	fs.StringVar(&f.file, "file", "", "write to this `file` instead of standard output")
	completeFlag(cmd, "format", cobra.FixedCompletions(f.format.Words, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// checkGraph checks what can be checked without the store, and chooses the
// format.
func (a *app) checkGraph(f *graphFlags, args []string) error {
	if len(args) == 0 && !f.given {
		return flags.Usagef("graph: WORKFLOW is missing; want a workflow, or --run for the workflow of a run")
	}
	if f.given {
		if err := flox.CheckName("--run", f.run); err != nil {
			return flags.Usagef("%v", err)
		}
	}
	if f.chosen {
		return nil
	}
	if format, ok := graphSuffixes[strings.ToLower(filepath.Ext(f.file))]; ok {
		f.format.Value = format
	} else if a.structured() {
		f.format.Value = "json"
	}
	return nil
}

func (a *app) graph(ctx context.Context, s *session, f graphFlags, args []string) error {
	var p *flox.Progress
	if f.given {
		var err error
		if p, err = s.ctl.Progress(ctx, f.run); err != nil {
			return explain(f.run, err)
		}
		if len(args) > 0 && args[0] != p.Run.Workflow {
			return fmt.Errorf("run %q: is one of workflow %s, not of %s; leave WORKFLOW out", f.run, p.Run.Workflow, args[0])
		}
		args = []string{p.Run.Workflow}
	}
	g, err := s.graph(ctx, args[0])
	if err != nil {
		return err
	}
	a.noteVersion(g, p)
	return a.writeGraph(f, g, p)
}

// graph returns the graph of a registered workflow.
func (s *session) graph(ctx context.Context, workflow string) (*flox.Graph, error) {
	info, err := s.workflow(ctx, workflow)
	if err != nil {
		return nil, err
	}
	g, err := flox.ParseGraph(info.Graph)
	if err != nil {
		return nil, fmt.Errorf("workflow %q: what is registered cannot be drawn: %w; start a worker that has it, to register it again", workflow, err)
	}
	return g, nil
}

// noteVersion says that the drawing is of another version of the workflow than
// the one that the run was started with.
func (a *app) noteVersion(g *flox.Graph, p *flox.Progress) {
	if p == nil {
		return
	}
	if p.Run.Fingerprint != g.Fingerprint {
		a.notef("note: run %s was started with another version of %s (fingerprint %s) than the one drawn (%s)\n",
			p.Run.ID, g.Name, clean(p.Run.Fingerprint), clean(g.Fingerprint))
	}
	if nodes := p.Elsewhere(g); len(nodes) > 0 {
		a.notef("note: not drawn, because this version has no such node: %s\n", clean(strings.Join(nodes, ", ")))
	}
}

func (a *app) writeGraph(f graphFlags, g *flox.Graph, p *flox.Progress) error {
	var drawn []byte
	switch f.format.Value {
	case "svg":
		drawn = graphsvg.Render(g, p)
	case "dot":
		drawn = []byte(g.DOT(p))
	case "mermaid":
		drawn = []byte(g.Mermaid(p))
	default:
		var err error
		if drawn, err = a.graphJSON(g, p); err != nil {
			return err
		}
	}
	if f.file == "" {
		_, err := a.stdout.Write(drawn)
		return err
	}
	if err := os.WriteFile(f.file, drawn, 0o644); err != nil {
		return fmt.Errorf("--file=%s: %w; want a file that can be written", f.file, bare(err))
	}
	return nil
}

// graphView is the graph as data, with how the run stands, if one is named.
type graphView struct {
	*flox.Graph
	Progress *flox.Progress `json:"progress,omitempty"`
}

func (a *app) graphJSON(g *flox.Graph, p *flox.Progress) ([]byte, error) {
	indent := "  "
	if a.jsonl() {
		indent = ""
	}
	b, err := marshal(graphView{g, p}, "", indent)
	return append(b, '\n'), err
}
