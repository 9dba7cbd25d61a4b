package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// yard is a Redis in which workflows are registered that no worker serves: runs
// stay where they are put.
type yard struct {
	t    *testing.T
	args []string // that name the Redis
	st   flox.Store
	ctl  *flox.Control
}

func newYard(t *testing.T, url string, embedded bool) *yard {
	t.Helper()
	st, err := redisstore.Open(t.Context(), redisstore.Config{
		URL: url, Namespace: "default", Embedded: embedded, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	graph := []byte(`{"name":"order","start":"pack","nodes":[{"name":"pack","signals":["approved","paid"]},{"name":"ship"}]}`)
	schema := []byte(`{"type":"object","properties":{"id":{},"n":{"type":"integer"}},"required":["n"]}`)
	for _, wf := range []flox.WorkflowInfo{
		{Name: "order", StartNode: "pack", StartQueue: "order", Queues: []string{"order"}, Graph: graph, Schema: schema},
		{Name: "mail", StartNode: "send", StartQueue: "mail", Queues: []string{"mail"}},
	} {
		if err := st.Register(t.Context(), wf); err != nil {
			t.Fatal(err)
		}
	}
	y := &yard{t: t, args: []string{"--redis", url}, st: st, ctl: flox.NewControl(st)}
	if embedded {
		y.args = append(y.args, "--embedded")
	}
	return y
}

// small is a yard on miniredis.
func small(t *testing.T) *yard { return newYard(t, "redis://"+miniredis.RunT(t).Addr(), true) }

func (y *yard) run(args ...string) result {
	return y.runIn(y.t.Context(), strings.NewReader(""), args...)
}

func (y *yard) runIn(ctx context.Context, stdin io.Reader, args ...string) result {
	var out, errOut bytes.Buffer
	code := Run(ctx, append(y.args, args...), stdin, &out, &errOut)
	return result{code, out.String(), errOut.String()}
}

// want runs a command and checks all that comes of it.
func (y *yard) want(code int, out, errOut string, args ...string) {
	y.t.Helper()
	y.wantIn("", code, out, errOut, args...)
}

func (y *yard) wantIn(stdin string, code int, out, errOut string, args ...string) {
	y.t.Helper()
	r := y.runIn(y.t.Context(), strings.NewReader(stdin), args...)
	if r != (result{code, out, errOut}) {
		y.t.Errorf("%v:\n got %d %q %q\nwant %d %q %q", args, r.code, r.out, r.errOut, code, out, errOut)
	}
}

// runs are the ids of the runs that f selects.
func (y *yard) runs(f flox.RunFilter) []string {
	y.t.Helper()
	var ids []string
	for run, err := range y.ctl.Runs(context.WithoutCancel(y.t.Context()), f) {
		if err != nil {
			y.t.Fatal(err)
		}
		ids = append(ids, run.ID)
	}
	return ids
}

// orders are n lines that fit workflow order, each unlike the others.
func orders(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"n\":%d}\n", i)
	}
	return b.String()
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orders.jsonl")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestManyRuns starts 2,000 runs and drives them through every verb, selected by
// filters.
func TestManyRuns(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) *yard{
		"miniredis":    small,
		"redis-server": func(t *testing.T) *yard { return newYard(t, testredis.Start(t).URL(), false) },
	} {
		t.Run(name, func(t *testing.T) { manyRuns(open(t)) })
	}
}

func manyRuns(y *yard) {
	y.wantIn(orders(1800), 0, "started 1,800 runs\n", "", "start", "order", "--from", "-", "--label", "shop=berlin")
	y.wantIn(orders(200), 0, "started 200 runs\n", "", "start", "mail", "--from", writeFile(y.t, orders(200)), "--delay", "1d")
	y.want(0, "paused 1,800, skipped 0 (changed meanwhile), failed 0\n", "", "pause", "--label", "shop=berlin", "--yes")
	y.want(0, "resumed 600, skipped 0 (changed meanwhile), failed 0\n", "", "resume", "--workflow", "order", "--limit", "600", "--yes")
	counts := "WORKFLOW  STATUS   RUNS\nmail      pending  200\norder     paused   1,200\norder     pending  600\nall       -        2,000\n"
	y.want(0, counts, "", "cancel", "--all", "--dry-run")
	y.want(2, "", "error: cancel: would cancel 2,000 runs (mail 200 pending, order 1,200 paused, 600 pending); pass --yes to do it\n",
		"cancel", "--status", "active")
	y.want(0, counts, "", "cancel", "--status", "active", "--dry-run")

	var got bulkResult
	r := y.run("cancel", "--workflow", "order", "--status", "paused,failed", "--yes", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		y.t.Fatalf("%v in %+v", err, r)
	}
	want := bulkResult{Op: "cancel", Matched: 1200, Done: 1200, Counts: []bulkCount{{"order", flox.StatusPaused, 1200}}}
	if fmt.Sprint(got) != fmt.Sprint(want) || r.code != ExitOK {
		y.t.Errorf("cancel -o json = %+v, want %+v", got, want)
	}
	y.want(0, "deleted 1,200, skipped 0 (changed meanwhile), failed 0\n", "", "delete", "--all", "--yes")
	y.want(0, "", "no run matches\n", "delete", "--all", "--yes")
	y.want(0, "", "no run matches\n", "retry", "--workflow", "mail", "--yes")
	y.want(0, "", "no run matches\n", "cancel", "--older-than", "1h", "--yes")
	if n := len(y.runs(flox.RunFilter{})); n != 800 {
		y.t.Errorf("%d runs are left, want 800", n)
	}
}

// TestFarTooMany refuses what was probably not meant, until it is said how many.
func TestFarTooMany(t *testing.T) {
	y := newYard(t, testredis.Start(t).URL(), false)
	y.wantIn(orders(10_001), 0, "started 10,001 runs\n", "", "start", "order", "--from", "-")
	y.want(2, "", "error: pause: 10,001 runs match, more than 10,000; narrow the filter, or pass --limit N for the newest N of them\n",
		"pause", "--workflow", "order", "--yes")
	y.want(0, "paused 10,001, skipped 0 (changed meanwhile), failed 0\n", "", "pause", "--workflow", "order", "--yes", "--limit", "20000")
}

// TestBulkRetryOfHopeless retries runs that fail again at once.
func TestBulkRetryOfHopeless(t *testing.T) {
	w := newWorld(t)
	lines := strings.Repeat(`{"name":"Ada"}`+"\n", 300)
	if r := w.runIn(strings.NewReader(lines), "start", "fail", "--from", "-"); r.code != ExitOK || r.out != "started 300 runs\n" {
		t.Fatalf("start of 300 like lines = %+v", r)
	}
	failed := func() bool {
		var found bulkResult
		w.json(&found, "retry", "--status", "failed", "--dry-run")
		return found.Matched == 300
	}
	w.until("all runs have failed", failed)
	for range 3 {
		if got := w.ok("retry", "--status", "failed", "--yes"); got != "retried 300, skipped 0 (changed meanwhile), failed 0\n" {
			t.Errorf("retry printed %q", got)
		}
		w.until("all runs have failed again", failed)
	}
	got := w.run("retry", "--workflow", "fail", "--from", "last", "--yes")
	if got.code != ExitError || got.out != "retried 0, skipped 0 (changed meanwhile), failed 300\n" || strings.Count(got.errOut, "\n") != 9 ||
		!strings.Contains(got.errOut, `: it cannot go back to node last`) || !strings.Contains(got.errOut, "error: and 292 more\n") {
		t.Errorf("retry of 300 runs from where they never were = %+v, want the reasons of a few and that there are more", got)
	}
}

// growing is a store in which a run is started when its runs have been listed.
type growing struct {
	flox.Store
	grow func()
}

func (g *growing) List(ctx context.Context, req flox.ListRequest) (flox.RunPage, error) {
	page, err := g.Store.List(ctx, req)
	if g.grow != nil {
		g.grow()
		g.grow = nil
	}
	return page, err
}

// TestNewRunsAreLeftAlone does nothing to what was started after the count.
func TestNewRunsAreLeftAlone(t *testing.T) {
	y := small(t)
	y.wantIn(orders(3), 0, "started 3 runs\n", "", "start", "order", "--from", "-")
	st := &growing{y.st, func() {
		counted := time.Now()
		for !time.Now().Truncate(time.Millisecond).After(counted) {
			time.Sleep(time.Millisecond) // the store's clock counts whole ones
		}
		y.want(0, "late\n", "", "start", "order", "--id", "late", "--input", `{"n":1}`)
	}}
	var out bytes.Buffer
	a := newApp(strings.NewReader(""), &out, io.Discard)
	f := &controlFlags{verb: verbs[flox.ControlPause], yes: true}
	if err := a.countAndDo(t.Context(), &session{st: st, ctl: flox.NewControl(st)}, f, flox.RunFilter{}); err != nil {
		t.Error(err)
	}
	if want := "paused 3, skipped 0 (changed meanwhile), failed 0\n"; out.String() != want {
		t.Errorf("pause printed %q, want %q", out.String(), want)
	}
	if run, err := y.ctl.Show(t.Context(), "late"); err != nil || run.Status != flox.StatusPending {
		t.Errorf("the run that came later is %s, %v, want pending", run.Status, err)
	}
}

func TestYes(t *testing.T) {
	for answer, want := range map[string]bool{
		"y\n": true, "Y\n": true, " yes \n": true, "y": true,
		"": false, "\n": false, "n\n": false, "no\n": false, "yeah\n": false,
	} {
		if got := yes(strings.NewReader(answer)); got != want {
			t.Errorf("yes(%q) = %t, want %t", answer, got, want)
		}
	}
}
