package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// TestFormats runs every reading command in every format: JSON parses and has only
// fields that docs/cli.md promises, tables are no JSON, and wide ones no narrower.
func TestFormats(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	w.start("bad", "fail")
	w.start("p", "panic")
	w.ok("start", "gate", "--id", "live", "--label", "customer=7", "--deadline", "1h", "--input", `{"name":"Ada"}`)
	<-w.entered
	for _, tt := range []struct{ args, doc, list string }{
		{"list", "list", "runs"}, {"list --all --limit 2", "list", "runs"}, {"list --status failed --limit 1", "list", "runs"},
		{"show a", "show", ""}, {"show bad", "show", ""}, {"show live", "show", ""},
		{"items a", "items", "items"}, {"items live", "items", "items"}, {"items bad --status failed", "items", "items"},
		{"history a", "history", "steps"}, {"errors bad", "errors", "errors"}, {"errors p --stack", "errors", "errors"},
		{"state a", "state", ""}, {"graph greet", "graph", ""}, {"graph --run bad", "graph", ""},
		{"workers", "workers", "workers"}, {"queues --interval 1ms", "queues", "queues"},
		{"workflows", "workflows", "workflows"}, {"workflows greet", "workflows", ""},
	} {
		paths := documented(t, tt.doc)
		table, wide := w.format(tt.args, "table"), w.format(tt.args, "wide")
		if json.Valid([]byte(table)) || json.Valid([]byte(wide)) || len(firstLine(wide)) < len(firstLine(table)) {
			t.Errorf("%s: want tables, the wide one no narrower:\n%s\n%s", tt.args, table, wide)
		}
		var whole map[string]any
		if err := json.Unmarshal([]byte(w.format(tt.args, "json")), &whole); err != nil {
			t.Errorf("%s -o json: %v", tt.args, err)
		}
		lines := decodeLines(t, tt.args, w.format(tt.args, "jsonl"))
		if tt.list == "" {
			wantDocumented(t, tt.args, paths, whole)
		} else if rows, _ := whole[tt.list].([]any); len(rows) == 0 || len(rows) != len(lines) {
			t.Errorf("%s: %d rows under %s, %d lines of jsonl, want the same number, not none", tt.args, len(rows), tt.list, len(lines))
		}
		for _, line := range lines {
			wantDocumented(t, tt.args, paths, line)
		}
	}
}

// format runs a command that must succeed.
func (w *world) format(args, format string) string {
	w.t.Helper()
	r := w.run(append(strings.Fields(args), "-o", format)...)
	if r.code != ExitOK || r.out == "" {
		w.t.Errorf("%s -o %s = %+v, want 0 and something", args, format, r)
	}
	return r.out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// decodeLines decodes one object a line.
func decodeLines(t *testing.T, what, text string) []any {
	t.Helper()
	var values []any
	for line := range strings.Lines(text) {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Errorf("%s: %v in line %q", what, err, line)
		}
		values = append(values, v)
	}
	return values
}

// wantDocumented checks the fields of one object, and that those which nothing may
// leave out are there.
func wantDocumented(t *testing.T, what string, paths []string, v any) {
	t.Helper()
	if lacking := undocumented(v, "", paths); len(lacking) > 0 {
		t.Errorf("%s: fields %v are not in docs/cli.md; see TestReference -update", what, lacking)
	}
	if object, ok := v.(map[string]any); !ok || !slices.ContainsFunc(paths, func(p string) bool { return object[p] != nil }) {
		t.Errorf("%s prints %v, want an object with fields of docs/cli.md", what, v)
	}
}

func TestUndocumented(t *testing.T) {
	var v any
	if err := json.Unmarshal([]byte(`{"a":1,"b":[{"c":1,"d":2}],"e":{"x":{"y":1}},"f":{"any":{"thing":1}}}`), &v); err != nil {
		t.Fatal(err)
	}
	got := undocumented(v, "", []string{"a", "b", "b[].c", "e", "e.*.y", "f"})
	if len(got) != 1 || got[0] != "b[].d" {
		t.Errorf("undocumented = %q, want b[].d alone", got)
	}
}

func TestItems(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	wantParts(t, "items", w.ok("items", "a"), "ITEM", "0.0   first  completed  1", "0.1   last   completed  1")
	var items struct {
		Items []itemView
		More  bool
	}
	w.json(&items, "items", "a")
	if len(items.Items) != 2 || items.Items[0].Worker == "" || items.Items[0].TookMs == nil || items.More {
		t.Errorf("items -o json = %+v, want two steps with worker and time", items)
	}
	r := w.run("items", "a", "--limit", "1", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &items); err != nil || len(items.Items) != 1 || !items.More || r.errOut == "" {
		t.Errorf("items --limit 1 = %+v, %v, want one, that there is more, and how to get it", r, err)
	}
	w.json(&items, "items", "a", "--node", "last", "--limit", "1")
	if len(items.Items) != 1 || items.Items[0].Node != "last" || items.More {
		t.Errorf("items --node last = %+v, want the one step there", items)
	}
	w.start("p", "panic")
	wantParts(t, "items of a failed run", w.ok("items", "p"), "first  failed")
	w.ok("start", "gate", "--id", "live", "--input", `{"name":"Ada"}`)
	<-w.entered
	w.json(&items, "items", "live", "--status", "in progress,waiting retry")
	if len(items.Items) != 1 || items.Items[0].Status != itemRunning || !strings.HasPrefix(items.Items[0].Worker, "tester-") {
		t.Errorf("items of a run at work = %+v, want one in progress with its worker", items)
	}
	w.ok("start", "greet", "--id", "later", "--delay", "1h", "--input", `{"name":"Ada"}`)
	wantParts(t, "items of a delayed run", w.ok("items", "later"), "first  delayed", "until ")
}

func TestItemStatuses(t *testing.T) {
	for _, tt := range []struct {
		token flox.TokenInfo
		want  string
	}{
		{flox.TokenInfo{Place: flox.PlaceQueued}, itemPending},
		{flox.TokenInfo{Place: flox.PlaceLeased}, itemRunning},
		{flox.TokenInfo{Place: flox.PlaceDelayed, Attempt: 1}, itemRetry},
		{flox.TokenInfo{Place: flox.PlaceDelayed}, itemDelayed},
		{flox.TokenInfo{Place: flox.PlaceWaiting}, itemSignal},
		{flox.TokenInfo{Place: flox.PlaceParked}, itemParked},
		{flox.TokenInfo{Place: flox.PlaceParked, Failed: true}, itemFailed},
	} {
		if got := tokenStatus(tt.token); got != tt.want {
			t.Errorf("status of %+v = %q, want %q", tt.token, got, tt.want)
		}
	}
	for outcome, want := range map[string]string{
		"next": itemCompleted, "end": itemCompleted, "answered": itemCompleted,
		"hold": itemHeld, "fallback": itemFallback, "undone": itemUndone,
	} {
		if got := stepItem(flox.StepRecord{Outcome: outcome}).Status; got != want {
			t.Errorf("status of outcome %s = %q, want %q", outcome, got, want)
		}
	}
}

func TestHistory(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	wantParts(t, "history", w.ok("history", "a"), "OFFSET", "first  next     1", "last   end      1")
	w.ok("start", "gate", "--id", "live", "--input", `{"name":"Ada"}`)
	<-w.entered
	followed := make(chan result)
	go func() { followed <- w.run("history", "live", "--follow", "-o", "json") }()
	w.open <- struct{}{}
	r := <-followed
	lines := decodeLines(t, "history --follow", r.out)
	if r.code != ExitOK || len(lines) != 2 || lines[1].(map[string]any)["node"] != "last" {
		t.Errorf("history --follow = %+v, want the two steps of the run to its end", r)
	}
	w.start("bad", "fail")
	if r := w.run("history", "bad", "--follow"); r.code != ExitFailed {
		t.Errorf("history --follow of a failed run = %+v, want 3", r)
	}
}

// forgetful keeps so many steps of a history.
type forgetful struct {
	flox.Store
	steps []flox.StepRecord
}

func (f *forgetful) add(n, keep int) {
	for range n {
		number := 0
		if len(f.steps) > 0 {
			fmt.Sscan(f.steps[len(f.steps)-1].Item, &number)
		}
		f.steps = append(f.steps, flox.StepRecord{Item: fmt.Sprint(number + 1)})
	}
	f.steps = f.steps[max(0, len(f.steps)-keep):]
}

func (f *forgetful) History(_ context.Context, _ string, from, limit int) ([]flox.StepRecord, error) {
	from = min(from, len(f.steps))
	return f.steps[from:min(from+limit, len(f.steps))], nil
}

// TestHistoryReader checks that steps are read once and in order while the first
// ones are forgotten, and that it is known when some were before they were read.
func TestHistoryReader(t *testing.T) {
	const keep = 3*historyPage + 10
	st := &forgetful{}
	h := historyReader{s: &session{st: st}}
	want := 1
	for _, added := range []int{0, 1, historyPage, historyPage + 1, 0, 2 * historyPage, keep - 1, 3, 1} {
		st.add(added, keep)
		for {
			steps, err := h.next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(steps) == 0 {
				break
			}
			for _, s := range steps {
				if s.Item != fmt.Sprint(want) {
					t.Fatalf("after %d more: read step %s, want %d", added, s.Item, want)
				}
				want++
			}
		}
		if last := st.steps; len(last) > 0 && last[len(last)-1].Item != fmt.Sprint(want-1) {
			t.Fatalf("after %d more: read up to %d, want %s", added, want-1, last[len(last)-1].Item)
		}
	}
	if h.missed {
		t.Error("missed is set, but none was")
	}
	st.add(2*keep, keep)
	if steps, err := h.next(t.Context()); err != nil || len(steps) == 0 || steps[0].Item != st.steps[0].Item || !h.missed {
		t.Errorf("next after all that was known is forgotten = %d steps, %v, missed %v; want what is kept, and missed", len(steps), err, h.missed)
	}
}

func TestErrorsAndState(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	wantParts(t, "state", w.ok("state", "a"), `1        {"greeted":1}`)
	var state stateView
	w.json(&state, "state", "a")
	if state.Version != 1 || len(state.Deltas) != 1 || string(state.Deltas[0]) == "" {
		t.Errorf("state -o json = %+v, want one delta", state)
	}
	w.start("p", "panic")
	wantParts(t, "errors", w.ok("errors", "p"), "panic", "what a guest")
	var errs struct{ Errors []flox.ErrorRecord }
	w.json(&errs, "errors", "p")
	if len(errs.Errors) != 1 || errs.Errors[0].Class != flox.ClassPanic || errs.Errors[0].Stack != "" {
		t.Errorf("errors -o json = %+v, want a panic without its stack", errs.Errors)
	}
	wantParts(t, "errors --stack", w.ok("errors", "p", "--stack"), "0.0 attempt 1:\n", "goroutine ")
	w.json(&errs, "errors", "p", "--stack")
	if len(errs.Errors) != 1 || errs.Errors[0].Stack == "" {
		t.Error("errors --stack -o json has no stack")
	}
}

func TestOutput(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	for format, want := range map[string]string{
		"table": "{\n  \"text\": \"Hello, Ada!\"\n}\n", "wide": "{\n  \"text\": \"Hello, Ada!\"\n}\n",
		"json": "{\n  \"text\": \"Hello, Ada!\"\n}\n", "jsonl": `{"text":"Hello, Ada!"}` + "\n",
	} {
		if got := w.ok("output", "a", "-o", format); got != want {
			t.Errorf("output -o %s = %q, want %q", format, got, want)
		}
	}
	w.start("bad", "fail")
	if r := w.run("output", "bad"); r.code != ExitFailed || r.out != "" {
		t.Errorf("output of a failed run = %+v, want 3 and nothing", r)
	}
	w.ok("start", "gate", "--id", "live", "--input", `{"name":"Ada"}`)
	<-w.entered
	r := w.run("output", "live")
	if want := "error: run live: is running and has no output yet; add --wait to wait for it\n"; r.code != ExitTimeout || r.errOut != want {
		t.Errorf("output of a run at work = %+v, want 5 and %q", r, want)
	}
	w.open <- struct{}{}
	if got, want := w.ok("output", "live", "--wait", "-o", "jsonl"), `{"text":"Hello, Ada!"}`+"\n"; got != want {
		t.Errorf("output --wait = %q, want %q", got, want)
	}
	w.ok("start", "gate", "--id", "gone", "--input", `{"name":"Ada"}`)
	w.ok("cancel", "gone")
	if r := w.run("output", "gone"); r.code != ExitCancelled || r.out != "" {
		t.Errorf("output of a cancelled run = %+v, want 4 and nothing", r)
	}
}

// TestPrintOutputs checks the outputs of workflows with none and with many.
func TestPrintOutputs(t *testing.T) {
	one, two := append([]byte{1}, `{"a":1}`...), append([]byte{1}, `2`...) // JSON
	for _, tt := range []struct {
		format string
		outs   [][]byte
		asList bool
		want   string
	}{
		{"json", nil, false, "null\n"}, {"jsonl", nil, false, "null\n"},
		{"json", nil, true, "[]\n"}, {"jsonl", nil, true, ""},
		{"jsonl", [][]byte{one, two}, true, "{\"a\":1}\n2\n"},
		{"json", [][]byte{two}, true, "[\n  2\n]\n"},
	} {
		var out bytes.Buffer
		a := newApp(nil, &out, io.Discard)
		a.output.Value = tt.format
		if err := a.printOutputs(tt.outs, tt.asList); err != nil || out.String() != tt.want {
			t.Errorf("printOutputs of %d in %s as a list %v = %q, %v, want %q", len(tt.outs), tt.format, tt.asList, out.String(), err, tt.want)
		}
	}
}

func TestWorkersQueuesWorkflows(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	w.ok("start", "gate", "--id", "live", "--input", `{"name":"Ada"}`)
	<-w.entered
	var workers struct{ Workers []workerView }
	w.until("the worker says what it does", func() bool {
		w.json(&workers, "workers")
		return len(workers.Workers) == 1 && len(workers.Workers[0].Active) == 1
	})
	if v := workers.Workers[0]; v.Name != "tester" || v.Status != "alive" || v.Busy != 1 || v.Active[0].Run != "live" || v.Active[0].Node != "first" {
		t.Errorf("worker is %+v, want tester, alive and busy with the run", v)
	}
	wantParts(t, "workers", w.ok("workers"), "WORKER", "tester-", "alive", "1/")
	wantParts(t, "workers --items", w.ok("workers", "--items"), "RUN", "live  0.0   first")
	var queues struct{ Queues []queueView }
	w.json(&queues, "queues", "--interval", "0")
	if len(queues.Queues) != 4 || queues.Queues[1].Name != "gate" || queues.Queues[1].Leased != 1 || queues.Queues[1].Rate != nil {
		t.Errorf("queues -o json = %+v, want one leased in gate, and no rate", queues)
	}
	wantParts(t, "queues", w.ok("queues", "--interval", "0"), "gate   0      1       0")
	wantParts(t, "workflows", w.ok("workflows"), "WORKFLOW", "greet     first  2      greet", "1 completed", "1 running")
	wantParts(t, "workflows -o wide", w.ok("workflows", "-o", "wide"), "RETENTION", "7d")
	wantParts(t, "workflow", w.ok("workflows", "greet"), "start        first", "kept         7d", "graph:\n{", "input schema:\n{", `"name"`)
	var one struct {
		Name   string
		Nodes  int
		Runs   map[flox.Status]int64
		Graph  map[string]any
		Schema struct{ Required []string }
	}
	w.json(&one, "workflows", "greet")
	if one.Name != "greet" || one.Nodes != 2 || len(one.Graph) == 0 || len(one.Schema.Required) != 1 || one.Runs[flox.StatusCompleted] != 1 {
		t.Errorf("workflows greet -o json = %+v, want its graph, schema and runs", one)
	}
}

func TestWorkerStatus(t *testing.T) {
	for age, want := range map[time.Duration]string{
		0: "alive", staleAfter - 1: "alive", staleAfter: "stale", deadAfter - 1: "stale", deadAfter: "dead",
	} {
		if got := workerStatus(age); got != want {
			t.Errorf("status after %v = %s, want %s", age, got, want)
		}
	}
}

// TestQueueRate checks the rate between two readings, and that there is none where
// the store cannot tell.
func TestQueueRate(t *testing.T) {
	var out bytes.Buffer
	a := newApp(nil, &out, io.Discard)
	a.output.Value = "jsonl"
	at := time.Unix(1000, 0)
	before := queueReading{at, []flox.QueueStats{{Name: "a", Taken: 10}, {Name: "b", Taken: -1}}}
	now := queueReading{at.Add(2 * time.Second), []flox.QueueStats{{Name: "a", Taken: 15}, {Name: "b", Taken: -1}, {Name: "new", Taken: 3}}}
	if err := a.printQueues(now, before); err != nil {
		t.Fatal(err)
	}
	want := []any{2.5, nil, nil}
	for i, line := range decodeLines(t, "queues", out.String()) {
		if got := line.(map[string]any)["rate"]; got != want[i] {
			t.Errorf("rate %d = %v, want %v", i, got, want[i])
		}
	}
}

// TestRedraw checks that a picture follows events without a storm, and is drawn
// now and then without any.
func TestRedraw(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		events := make(chan flox.RunEvent)
		begun := time.Now()
		var drawn []time.Duration
		done := make(chan error)
		go func() {
			done <- redraw(ctx, events, func() error {
				drawn = append(drawn, time.Since(begun))
				return nil
			})
		}()
		for range 25 { // a storm of 2.5s
			events <- flox.RunEvent{}
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(25 * time.Second)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("redraw = %v, want no error when it is interrupted", err)
		}
		want := []time.Duration{0, 1 * time.Second, 2 * time.Second, 3 * time.Second, 13 * time.Second, 23 * time.Second}
		if !slices.Equal(drawn, want) {
			t.Errorf("drawn at %v, want %v", drawn, want)
		}
	})
}

// closed is a pipe that nobody reads any more, after so many bytes.
type closed struct{ left int }

func (c *closed) Write(b []byte) (int, error) {
	if c.left -= len(b); c.left < 0 {
		return 0, syscall.EPIPE
	}
	return len(b), nil
}

// TestOutputClosed checks that a long list ends when its reader does.
func TestOutputClosed(t *testing.T) {
	w := newWorld(t)
	for i := range 12 {
		w.ok("start", "greet", "--id", fmt.Sprint(i), "--delay", "1h", "--input", `{"name":"Ada"}`)
	}
	var errOut strings.Builder
	code := Run(t.Context(), []string{"--redis", "redis://" + w.redis.Addr(), "--embedded", "list", "--all", "--limit", "2", "-o", "jsonl"},
		strings.NewReader(""), &closed{600}, &errOut)
	want := "error: standard output: broken pipe; the result is not printed in full\n"
	if code != ExitError || errOut.String() != want {
		t.Errorf("list into a closed pipe = %d %q, want 1 %q", code, errOut.String(), want)
	}
}
