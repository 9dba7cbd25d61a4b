package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/floxrun/flox/internal/buildinfo"
	"github.com/floxrun/flox/internal/demo"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
	"github.com/floxrun/flox/pkg/worker"
)

func TestStart(t *testing.T) {
	w := newWorld(t)
	if got := w.ok("start", "greet", "--id", "a", "--input", `{"name":"Ada"}`); got != "a\n" {
		t.Errorf("start printed %q, want the id", got)
	}
	everything := `{"name":"Ada","age":255,"miles":-9223372036854775808,"stamps":18446744073709551615,
		"born":"2006-01-02T15:04:05+07:00","photo":"aGk=","tags":null,"stays":[]}`
	if r := w.run("start", "greet", "--wait", "--input", everything); r.code != ExitOK {
		t.Errorf("start with the widest input = %+v, want 0: what the schema lets pass the node can read", r)
	}
	if r := w.run("start", "greet", "--id", "a", "--if-exists", "return", "--input", `{"name":"Ada"}`); r.out != "a\n" || r.code != ExitOK {
		t.Errorf("start of what exists = %+v, want its id", r)
	}
	file := filepath.Join(t.TempDir(), "guest.json")
	if err := os.WriteFile(file, []byte(`{"name":"Bob","stays":[{"nights":2}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	wantParts(t, "input of a file", w.run("start", "greet", "--wait", "--input", "@"+file).out, `{"text":"Hello, Bob!"}`)
	for _, args := range [][]string{{}, {"--input", "-"}} {
		args = append([]string{"start", "greet", "--wait"}, args...)
		r := w.runIn(strings.NewReader(`{"name":"Eve"}`), args...)
		wantParts(t, "input of stdin", r.out, "completed", `{"text":"Hello, Eve!"}`)
	}
	var started struct{ Run string }
	w.json(&started, "start", "greet", "--input", `{"name":"Ada"}`)
	if len(started.Run) != 26 {
		t.Errorf("start -o json gave run %q, want a fresh id of 26 characters", started.Run)
	}
	var delayed runView
	w.ok("start", "greet", "--id", "later", "--delay", "1h", "--input", `{"name":"Ada"}`)
	w.json(&delayed, "show", "later")
	if len(delayed.Standing) != 1 || delayed.Standing[0].Place != flox.PlaceDelayed {
		t.Errorf("tokens of a delayed run stand %+v, want one that is delayed", delayed.Standing)
	}
}

// TestWaitExitCodes checks what scripts rely on.
func TestWaitExitCodes(t *testing.T) {
	w := newWorld(t)
	if r := w.start("good", "greet"); r.code != ExitOK || r.errOut != "run good started\n" {
		t.Errorf("completed: exit code %d, stderr %q, want 0 and the id", r.code, r.errOut)
	}
	r := w.start("bad", "fail")
	want := "run bad started\nerror: run bad: failed: node first: attempt 1: out of; flowers  [31m; " +
		"see: orchestrator errors bad; go on with: orchestrator retry bad\n"
	if r.code != ExitFailed || r.errOut != want {
		t.Errorf("failed: exit code %d, stderr %q, want 3 and %q", r.code, r.errOut, want)
	}
	wantParts(t, "failed", r.out, "status    failed", "0 in progress, 1 parked", "at        first: 1 parked")

	r = w.run("--timeout", "300ms", "start", "gate", "--id", "slow", "--wait", "--input", `{"name":"Ada"}`)
	want = "run slow started\nerror: run slow: has not ended within 300ms; it goes on, see: orchestrator watch slow\n"
	if r.code != ExitTimeout || r.errOut != want {
		t.Errorf("timed out: exit code %d, stderr %q, want 5 and %q", r.code, r.errOut, want)
	}
	<-w.entered
	w.ok("cancel", "slow")
	if r := w.run("watch", "slow"); r.code != ExitCancelled || r.errOut != "run slow: cancelled, 0 steps done, 0 in progress\nerror: run slow: was cancelled\n" {
		t.Errorf("cancelled: exit code %d, stderr %q, want 4", r.code, r.errOut)
	}
}

// shaky is a store that cannot be asked about runs the first few times.
type shaky struct {
	flox.Store
	failures int
}

func (s *shaky) Info(ctx context.Context, id string) (flox.RunInfo, error) {
	if s.failures > 0 {
		s.failures--
		return flox.RunInfo{}, errors.New("LOADING Redis is loading the dataset in memory")
	}
	return s.Store.Info(ctx, id)
}

// TestWaitSurvivesAnOutage checks that a wait outlives a Redis that is gone for
// a moment.
func TestWaitSurvivesAnOutage(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	a := newApp(strings.NewReader(""), io.Discard, io.Discard)
	a.redis, a.namespace, a.embedded = "redis://"+w.redis.Addr(), "default", true
	err := a.connected(t.Context(), func(s *session) error {
		st := &shaky{s.st, 1}
		info, err := (&session{st, flox.NewControl(st)}).follow(t.Context(), "a", func(flox.RunInfo) error { return nil })
		if st.failures != 0 || info.Status != flox.StatusCompleted {
			t.Errorf("follow = %+v, with %d failures left, want the completed run after all of them", info, st.failures)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestControl(t *testing.T) {
	w := newWorld(t)
	w.ok("start", "gate", "--id", "a", "--input", `{"name":"Ada"}`)
	<-w.entered
	if got := w.ok("pause", "a"); got != "a paused\n" {
		t.Errorf("pause printed %q", got)
	}
	w.open <- struct{}{}
	var v runView
	w.until("the step in hand was committed and its token parked", func() bool {
		w.json(&v, "show", "a")
		return v.Counts.Parked == 1
	})
	if v.Status != flox.StatusPaused || v.Counts.Committed != 1 || v.Standing[0].Node != "last" {
		t.Errorf("paused run is %+v, want paused at last after one step", v)
	}
	if got := w.ok("resume", "a"); got != "a resumed\n" {
		t.Errorf("resume printed %q", got)
	}
	if r := w.run("watch", "a"); r.code != ExitOK {
		t.Errorf("watch of the resumed run: %+v, want 0", r)
	}
	w.start("b", "fail")
	if got := w.ok("retry", "b"); got != "b retried\n" {
		t.Errorf("retry printed %q", got)
	}
	if r := w.run("watch", "b"); r.code != ExitFailed {
		t.Errorf("watch of the retried run: exit code %d, want 3: it fails again", r.code)
	}
}

// TestControlOfSeveral checks that one run's refusal keeps none from the others.
func TestControlOfSeveral(t *testing.T) {
	w := newWorld(t)
	w.ok("start", "gate", "--id", "a", "--input", `{"name":"Ada"}`)
	w.start("done", "greet")
	r := w.run("cancel", "nope", "done", "a", "-o", "json")
	var got struct{ Runs []controlResult }
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatalf("%v in %q", err, r.out)
	}
	if r.code != ExitRefused || len(got.Runs) != 3 || got.Runs[0].Done || got.Runs[1].Done || !got.Runs[2].Done {
		t.Errorf("cancel = %d %+v, want 7 and only the last one done", r.code, got.Runs)
	}
	if n := strings.Count(r.errOut, "error: "); n != 2 {
		t.Errorf("cancel reported %d errors in %q, want 2", n, r.errOut)
	}
}

func TestShow(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	wantParts(t, "show", w.ok("show", "a"), "run       a\n", "workflow  greet\n", "status    completed\n",
		"steps     2 made, 2 done, 0 fallbacks, 0 dropped, 0 in progress, 0 parked\n", `output    {"text":"Hello, Ada!"}`)
	var v runView
	w.json(&v, "show", "a")
	if v.ID != "a" || v.Status != flox.StatusCompleted || len(v.Outputs) != 1 || len(v.Standing) != 0 || len(v.Errors) != 0 {
		t.Errorf("show -o json = %+v, want a completed run with one output", v)
	}
	if v.Timings.QueuedMs == nil || v.Timings.RanMs == nil || len(v.Timings.Nodes) != 2 || v.Timings.Nodes[0].Steps != 1 {
		t.Errorf("timings are %+v, want those of two nodes", v.Timings)
	}
	if v.State.Version != 1 || len(v.State.Deltas) != 1 {
		t.Errorf("state is %+v, want one delta", v.State)
	}
	w.ok("start", "greet", "--id", "later", "--delay", "1h", "--label", "customer=7", "--label", "at=night", "--input", `{"name":"Ada"}`)
	wantParts(t, "show of a delayed run", w.ok("show", "later"), "labels    at=night,customer=7\n", "token     0.0 at first: delayed until ")
	w.start("b", "fail")
	out := w.ok("show", "b")
	wantParts(t, "show of a failed run", out, "cause     node first: attempt 1: out of flowers  [31m\n", "(permanent): out of flowers  [31m\n")
	if strings.Contains(out, "\x1b") {
		t.Errorf("show lets an escape sequence of an error through: %q", out)
	}
}

// TestShowTrace shows a run that belongs into a trace, and one that does not.
func TestShowTrace(t *testing.T) {
	w := newWorld(t)
	st, err := redisstore.Open(t.Context(), redisstore.Config{URL: "redis://" + w.redis.Addr(), Embedded: true})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	place := "00-" + trace + "-00f067aa0ba902b7-01"
	_, err = flox.NewControl(st).Start(t.Context(), "gate", []byte(`{"name":"Ada"}`), flox.WithID("traced"), flox.WithTrace(place))
	if err != nil {
		t.Fatal(err)
	}
	wantParts(t, "show of a run with a trace", w.ok("show", "traced"), "trace     "+trace+"\n")
	var v runView
	w.json(&v, "show", "traced")
	if v.Trace != place {
		t.Errorf("show -o json has trace %q, want %q", v.Trace, place)
	}
	w.ok("start", "gate", "--id", "plain", "--input", `{"name":"Ada"}`)
	if out := w.ok("show", "plain"); strings.Contains(out, "trace") {
		t.Errorf("show of a run without a trace = %q, want no trace in it", out)
	}
}

func TestBrief(t *testing.T) {
	if got := brief("short"); got != "short" {
		t.Errorf("brief of a short text = %q", got)
	}
	if got, want := brief(strings.Repeat("é", 1000)), strings.Repeat("é", widest-1)+"…"; got != want {
		t.Errorf("brief of a long text = %q, want %q", got, want)
	}
}

// TestExamples checks that each command has an example, and that the inputs
// which the help and the README show fit.
func TestExamples(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(readme)
	for _, c := range newApp(nil, io.Discard, io.Discard).root().Commands() {
		switch c.Name() {
		case "help", "completion", "version":
		default:
			if !strings.HasPrefix(c.Example, "  "+program+" "+c.Name()) {
				t.Errorf("%s: example %q, want one that starts with the command, two spaces in", c.Name(), c.Example)
			}
		}
		text += c.Example
	}
	defs, err := demo.Workflows(demo.Config{})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, d := range defs {
		schema, err := worker.InputSchema(d)
		if err != nil {
			t.Fatal(err)
		}
		pattern := regexp.MustCompile(`start ` + d.Name() + ` .*--input '([^']*)'`)
		for _, m := range pattern.FindAllStringSubmatch(text, -1) {
			found++
			if err := checkSchema(schema, []byte(m[1])); err != nil {
				t.Errorf("%s: %v", m[0], err)
			}
		}
	}
	if found < 2 {
		t.Errorf("found %d inputs in the help and the README, want 2 or more", found)
	}
}

func TestVersionHelpCompletion(t *testing.T) {
	w := newWorld(t)
	wantParts(t, "version", w.ok("version"), "flox ", "go1")
	var info buildinfo.Info
	w.json(&info, "version")
	if info.Go == "" || info.Version == "" {
		t.Errorf("version -o json = %+v, want version and go", info)
	}
	wantParts(t, "help", w.ok(), "Exit codes:", "start ", "demo ")
	wantParts(t, "completion", w.ok("completion", "bash"), "orchestrator")
}
