package flox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var setSail = flox.NewSignal[bool]("set-sail")

// voyageFlow has what describedFlow has not: an undo, a quorum, a signal, a
// deadline, a quiet end and nested workflows with a fallback around them.
func voyageFlow(t *testing.T, quorum int, signal flox.Signal[bool], undo bool) *flox.Workflow[described, int, int] {
	t.Helper()
	inner := flox.New[described]("packing")
	pick, pack := flox.Func(inner, "pick", same[int]), flox.Func(inner, "pack", same[int])
	pick.To(pack)
	packing, err := flox.Build(inner, pick, pack)
	if err != nil {
		t.Fatal(err)
	}
	b := flox.New[described]("voyage").Deadline(90 * time.Minute)
	ask := flox.AddFunc(b, "ask", func(_ *flox.Context[described], n int) (flox.Awaiting[int, bool], error) {
		return flox.Await(signal, n, 0), nil
	}).Awaits(signal)
	book := flox.Func(b, "book", conv[flox.Answer[int, bool], int])
	split, try := flox.Split(b, "split", each[int]), flox.Func(b, "try", same[int]).Retry(flox.RetryPolicy{MaxAttempts: -1})
	first := flox.Func(b, "first", conv[[]int, int]).Quorum(quorum)
	load := flox.Nest(b, "load", packing)
	stay := flox.Func(b, "stay", conv[flox.Failure[int], int])
	sail, note := flox.Func(b, "sail", same[int]), flox.Func(b, "note", conv[int, flox.None])
	ask.To(book)
	book.To(split)
	split.To(try)
	try.Join(first)
	first.To(load, note)
	load.OnFailure(stay)
	load.To(sail)
	if undo {
		book.UndoWith(flox.Func(b, "unbook", conv[flox.Done[flox.Answer[int, bool], int], flox.None]))
	}
	wf, err := flox.Build(b, ask, sail, stay)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}

func TestDrawings(t *testing.T) {
	wf := voyageFlow(t, 1, setSail, true)
	golden(t, "voyage.json", string(wf.JSON())+"\n")
	golden(t, "voyage.dot", wf.DOT())
	golden(t, "voyage.mmd", wf.Mermaid())
	g, err := flox.ParseGraph(wf.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if g.DOT(nil) != wf.DOT() || g.Mermaid(nil) != wf.Mermaid() {
		t.Error("a graph that was parsed is drawn otherwise than the workflow it is of")
	}
	p := &flox.Progress{
		Run: flox.RunInfo{ID: "v-1", Status: flox.StatusRunning},
		Nodes: map[string]flox.NodeProgress{
			"ask": {Done: 1}, "book": {Done: 1, Undone: 1}, "try": {Done: 1, Running: 2, Attempts: 1}, "load/pick": {Failed: 1, Attempts: 5},
			"split": {Done: 1}, "first": {Held: 2}, "load/pack": {Waiting: 1, Delayed: 1, Queued: 1, Parked: 1},
		},
	}
	golden(t, "voyage-run.dot", g.DOT(p))
	golden(t, "voyage-run.mmd", g.Mermaid(p))
}

// TestFingerprintOfEdges checks that the fingerprint knows undo edges, quorums
// and signals.
func TestFingerprintOfEdges(t *testing.T) {
	seen := map[string]string{}
	for name, wf := range map[string]*flox.Workflow[described, int, int]{
		"the first": voyageFlow(t, 1, setSail, true), "no undo": voyageFlow(t, 1, setSail, false),
		"another quorum": voyageFlow(t, 2, setSail, true), "another signal": voyageFlow(t, 1, flox.NewSignal[bool]("agree"), true),
	} {
		if other, taken := seen[wf.Fingerprint()]; taken {
			t.Errorf("%s and %s have the same fingerprint", name, other)
		}
		seen[wf.Fingerprint()] = name
	}
}

func TestParseGraphRefuses(t *testing.T) {
	for _, tt := range []struct{ doc, want string }{
		{``, `graph: empty; want the JSON of a workflow`},
		{`<svg>`, `graph: want the JSON of a workflow: invalid character '<' looking for beginning of value`},
		{`{"name":7}`, `graph: want the JSON of a workflow: json: cannot unmarshal number into Go struct field Graph.name of type string`},
		{`{}`, `graph: its name is ""; want the characters A-Z a-z 0-9 . _ - / $`},
		{`{"name":"w","nodes":[{"name":"a"},{"name":"b\n"}]}`, `graph: node 2 is named "b\n"; want the characters A-Z a-z 0-9 . _ - / $`},
		{`{"name":"w","nodes":[{"name":"a"},{"name":"a"}]}`, `graph: two nodes are named "a"`},
		{`{"name":"w","start":"b","nodes":[{"name":"a"}]}`, `graph: it starts at "b", which is no node of it`},
		{`{"name":"w","start":"a","nodes":[{"name":"a"}],"edges":[{"from":"a","to":"b"}]}`,
			`graph: it has an edge from "a" to "b", which are not both nodes of it`},
	} {
		if g, err := flox.ParseGraph([]byte(tt.doc)); err == nil || err.Error() != tt.want {
			t.Errorf("ParseGraph(%s) = %v, %v, want the error %s", tt.doc, g, err, tt.want)
		}
	}
}

// TestDrawingsOfTheUnknown checks that what a newer worker registered is drawn,
// and that no text of it is read as the drawing's language.
func TestDrawingsOfTheUnknown(t *testing.T) {
	g, err := flox.ParseGraph([]byte(`{"name":"w","start":"1.","colour":"red","deadline":"\u001b[31m","nodes":[{"name":"1.","timeout":"1m\"]"},{"name":"end"}],
		"edges":[{"from":"1.","to":"end","kind":"case","label":"struct { A \"b\\\"\"; C <-chan int }\n#quot; & a label that never ends"},
			{"from":"1.","to":"end","kind":"perhaps"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	dot, mermaid := g.DOT(nil), g.Mermaid(nil)
	for _, part := range []string{`label="struct { A \"b\\\"\"; C <-chan int } #quot;…"`, `"1." -> "end" [label="perhaps"]`, `timeout 1m\"]`} {
		if !strings.Contains(dot, part) {
			t.Errorf("%s is missing in\n%s", part, dot)
		}
	}
	for _, part := range []string{`n0("#49;.<br/>start<br/>timeout 1m#34;#93;")`, `n1("end")`, `A #34;b#92;#34;#34;#59; C #60;-chan int #125; #35;quot#59;#8230;`, `-->|"perhaps"|`} {
		if !strings.Contains(mermaid, part) {
			t.Errorf("%s is missing in\n%s", part, mermaid)
		}
	}
	if strings.ContainsRune(dot+mermaid, '\x1b') {
		t.Error("a control character gets into the drawing")
	}
}
