package cli

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

var update = flag.Bool("update", false, "rewrite the golden files in testdata")

// golden compares got with a file, or rewrites that.
func golden(t *testing.T, file, got string) {
	t.Helper()
	file = filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant that of %s; see -update", got, file)
	}
}

func TestGraph(t *testing.T) {
	w := newWorld(t)
	golden(t, "greet.mmd", w.ok("graph", "greet"))
	golden(t, "greet.json", w.ok("graph", "greet", "-o", "json"))
	for _, format := range []string{"svg", "dot", "json"} {
		drawn := w.ok("graph", "greet", "--format", format)
		golden(t, "greet."+format, drawn)
		file := filepath.Join(t.TempDir(), "greet."+strings.ToUpper(format))
		if out := w.ok("graph", "greet", "--file", file); out != "" {
			t.Errorf("graph --file prints %q, want nothing", out)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != drawn {
			t.Errorf("%s has %d bytes, %v, want the %d of --format %s", file, len(got), err, len(drawn), format)
		}
	}
	file := filepath.Join(t.TempDir(), "greet.svg")
	w.ok("graph", "greet", "--format", "dot", "--file", file)
	if got, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(got), "digraph") {
		t.Errorf("--format dot --file greet.svg writes %q, %v, want what --format says", got, err)
	}
}

func TestGraphOfARun(t *testing.T) {
	w := newWorld(t)
	w.start("failed", "fail")
	golden(t, "failed.mmd", w.ok("graph", "--run", "failed"))
	golden(t, "failed.svg", w.ok("graph", "fail", "--run", "failed", "--format", "svg"))
	w.ok("start", "gate", "--id", "running", "--input", `{"name":"Ada"}`)
	<-w.entered
	golden(t, "running.dot", w.ok("graph", "--run", "running", "--format", "dot"))
	var doc struct {
		Name     string
		Nodes    []flox.GraphNode
		Progress flox.Progress
	}
	w.json(&doc, "graph", "--run", "running")
	if doc.Name != "gate" || len(doc.Nodes) != 2 || doc.Progress.Run.ID != "running" || doc.Progress.Nodes["first"].Running != 1 {
		t.Errorf("graph --run -o json = %+v, want the graph and one item running at first", doc)
	}
	w.ok("start", "greet", "--id", "later", "--input", `{"name":"Ada"}`, "--delay", "1h")
	wantParts(t, "delayed", w.ok("graph", "--run", "later"), "1 delayed", "class n0 waiting")
}

// register registers workflows without a worker.
func (w *world) register(infos ...flox.WorkflowInfo) {
	w.t.Helper()
	a := newApp(strings.NewReader(""), io.Discard, io.Discard)
	a.redis, a.namespace, a.embedded = "redis://"+w.redis.Addr(), "default", true
	err := a.with(w.t.Context(), func(ctx context.Context, s *session) error {
		for _, info := range infos {
			if err := s.st.Register(ctx, info); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// ghost is a workflow of one node that no worker has.
func ghost(t *testing.T, fingerprint, node string) flox.WorkflowInfo {
	t.Helper()
	graph, err := json.Marshal(flox.Graph{Name: "ghost", Fingerprint: fingerprint, Start: node, Nodes: []flox.GraphNode{{Name: node}}})
	if err != nil {
		t.Fatal(err)
	}
	return flox.WorkflowInfo{Name: "ghost", Fingerprint: fingerprint, StartNode: node, StartQueue: "ghost", Queues: []string{"ghost"}, Graph: graph}
}

// TestGraphOfAnotherVersion checks what is said of a run whose workflow changed
// since.
func TestGraphOfAnotherVersion(t *testing.T) {
	w := newWorld(t)
	w.register(ghost(t, "f1", "old"))
	w.ok("start", "ghost", "--id", "g", "--input", `1`)
	w.register(ghost(t, "f2", "new"))
	r := w.run("graph", "--run", "g")
	want := "note: run g was started with another version of ghost (fingerprint f1) than the one drawn (f2)\n" +
		"note: not drawn, because this version has no such node: old\n"
	if r.code != ExitOK || r.errOut != want {
		t.Errorf("graph = %d, stderr %q, want 0 and %q", r.code, r.errOut, want)
	}
	wantParts(t, "graph", r.out, `n0("new<br/>start")`)
}

func TestGraphBadInput(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	broken, none := ghost(t, "f", "n"), ghost(t, "f", "n")
	broken.Name, broken.Graph = "broken", []byte(`{"name":"broken","start":"a"}`)
	none.Name, none.Graph = "none", nil
	w.register(broken, none)
	const again = "; start a worker that has it, to register it again"
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{`graph`, 2, `graph: WORKFLOW is missing; want a workflow, or --run for the workflow of a run`},
		{`graph one two`, 2, `graph: "two" is one argument too many; usage: orchestrator graph [WORKFLOW] [flags]`},
		{`graph gret`, 6, `workflow "gret": not registered; did you mean greet?`},
		{`graph --run nope`, 6, `run "nope": not found; see: orchestrator list`},
		{`graph --run a/b`, 2, `--run "a/b": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`},
		{`graph --run=`, 2, `--run "": want 1 to 128 of the characters A-Z a-z 0-9 . _ -`},
		{`graph gate --run a`, 1, `run "a": is one of workflow greet, not of gate; leave WORKFLOW out`},
		{`graph greet --format png`, 2, `--format="png": want mermaid|svg|dot|json`},
		{`graph greet --file /nowhere/greet.svg`, 1, `--file=/nowhere/greet.svg: no such file or directory; want a file that can be written`},
		{`graph broken`, 1, `workflow "broken": what is registered cannot be drawn: graph: it starts at "a", which is no node of it` + again},
		{`graph none`, 1, `workflow "none": what is registered cannot be drawn: graph: empty; want the JSON of a workflow` + again},
	} {
		r := w.run(strings.Fields(tt.args)...)
		if want := "error: " + tt.want + "\n"; r.code != tt.code || r.errOut != want || r.out != "" {
			t.Errorf("%s: exit code %d, stderr %q, stdout %q, want %d, %q and nothing", tt.args, r.code, r.errOut, r.out, tt.code, want)
		}
	}
}

func TestGraphCompletion(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"graph", ""}, "fail\ngate\ngreet\npanic\n:4\n"},
		{[]string{"graph", "g"}, "gate\ngreet\n:4\n"},
		{[]string{"graph", "greet", ""}, ":4\n"},
		{[]string{"graph", "greet", "--format", ""}, "mermaid\nsvg\ndot\njson\n:4\n"},
		{[]string{"graph", "--format", "dot", ""}, "fail\ngate\ngreet\npanic\n:4\n"},
	} {
		if r := w.run(append([]string{"__complete"}, tt.args...)...); r.code != ExitOK || r.out != tt.want {
			t.Errorf("completion of %q = %d, %q, want %q", tt.args, r.code, r.out, tt.want)
		}
	}
	w.redis.SetError("LOADING")
	if r := w.run("--timeout", "100ms", "__complete", "graph", ""); r.out != ":4\n" {
		t.Errorf("completion without an answer = %q, want nothing, and no error on the command line", r.out)
	}
}
