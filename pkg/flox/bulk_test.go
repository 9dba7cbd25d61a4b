package flox_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// failing is a workflow each of whose runs fails at once.
func failing(t *testing.T, name string) flox.Definition {
	t.Helper()
	b := flox.New[flox.NoState](name).Retry(flox.RetryPolicy{MaxAttempts: 1})
	n := flox.Func(b, "step", func(context.Context, int) (int, error) { return 0, errors.New("no") })
	return build(t, b, n, n)
}

// crowd registers workflows and starts n runs of each, named wf-0000 and so on.
func crowd(t *testing.T, st flox.Store, n int, workflows ...string) *flox.Control {
	t.Helper()
	c := flox.NewControl(st)
	for _, wf := range workflows {
		if err := st.Register(t.Context(), flox.WorkflowInfo{Name: wf, StartNode: "step", StartQueue: wf, Queues: []string{wf}}); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			if _, err := c.Start(t.Context(), wf, []byte("1"), flox.WithID(fmt.Sprintf("%s-%04d", wf, i))); err != nil {
				t.Fatal(err)
			}
		}
	}
	return c
}

// statusOf is the number of runs of each status.
func statusOf(t *testing.T, c *flox.Control) map[flox.Status]int {
	t.Helper()
	got := map[flox.Status]int{}
	for run, err := range c.Runs(t.Context(), flox.RunFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		got[run.Status]++
	}
	return got
}

func wantBulk(t *testing.T, what string, got flox.BulkResult, err error, want flox.BulkResult) {
	t.Helper()
	got.Matched = nil
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s = %+v, %v, want %+v", what, got, err, want)
	}
}

// TestBulk drives runs through every operation; what an operation does not take
// is not touched.
func TestBulk(t *testing.T) {
	st := flox.NewMemory()
	c := crowd(t, st, 600, "a", "b")
	bulk := func(op flox.ControlOp, f flox.RunFilter, cfg *flox.BulkConfig, done int64) {
		t.Helper()
		got, err := c.Bulk(t.Context(), op, f, cfg)
		wantBulk(t, string(op), got, err, flox.BulkResult{Total: done, Done: done})
	}
	bulk(flox.ControlPause, flox.RunFilter{Workflow: "a"}, nil, 600)
	bulk(flox.ControlPause, flox.RunFilter{Workflow: "a"}, nil, 0)
	bulk(flox.ControlResume, flox.RunFilter{}, &flox.BulkConfig{Limit: 501}, 501)
	bulk(flox.ControlCancel, flox.RunFilter{Statuses: []flox.Status{flox.StatusPaused, flox.StatusCompleted}}, nil, 99)
	bulk(flox.ControlDelete, flox.RunFilter{Statuses: []flox.Status{flox.StatusFailed}}, nil, 0)
	bulk(flox.ControlRetry, flox.RunFilter{Statuses: []flox.Status{flox.StatusCancelled}}, nil, 0)
	bulk(flox.ControlDelete, flox.RunFilter{}, &flox.BulkConfig{Concurrency: 1}, 99)
	if got, want := statusOf(t, c), map[flox.Status]int{flox.StatusPending: 1101}; !maps.Equal(got, want) {
		t.Errorf("runs left = %v, want %v", got, want)
	}
	for i, run := range []string{"b-0599", "b-0000", "a-0599", "a-0000"} {
		if _, err := c.Show(t.Context(), run); (err == nil) != (i < 3) {
			t.Errorf("Show(%s) = %v: the 99 oldest of a were left paused, then deleted", run, err)
		}
	}
}

// TestBulkDryRun counts, also beyond a page, and changes nothing.
func TestBulkDryRun(t *testing.T) {
	st := flox.NewMemory()
	c := crowd(t, st, 700, "a", "b")
	if err := c.Pause(t.Context(), "b-0003"); err != nil {
		t.Fatal(err)
	}
	before := fmt.Sprint(st.Dump())
	var seen []int64
	got, err := c.Bulk(t.Context(), flox.ControlCancel, flox.RunFilter{}, &flox.BulkConfig{
		DryRun: true, Progress: func(r flox.BulkResult) { seen = append(seen, r.Total) },
	})
	if err != nil || got.Total != 1400 || got.Done != 0 || fmt.Sprint(got.Matched) != "map[a:map[pending:700] b:map[paused:1 pending:699]]" {
		t.Errorf("dry run = %+v, %v, want 1,400 runs by workflow and status", got, err)
	}
	if fmt.Sprint(seen) != "[500 1000 1400]" {
		t.Errorf("progress of the dry run = %v, want a call for each page", seen)
	}
	if fmt.Sprint(st.Dump()) != before {
		t.Error("a dry run changed the store")
	}
}

// TestBulkRetryEnds retries runs that fail again at once, in no time by the
// clock: each is taken once.
func TestBulkRetryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := flox.NewMemory()
		defer stage{t, st}.worker(flox.WorkerConfig{Concurrency: 8}, failing(t, "a"))()
		synctest.Wait()
		c := flox.NewControl(st)
		for range 1300 {
			if _, err := c.Start(t.Context(), "a", []byte("1")); err != nil {
				t.Fatal(err)
			}
		}
		failed := func() int { return statusOf(t, c)[flox.StatusFailed] }
		for failed() < 1300 {
			time.Sleep(time.Millisecond)
		}
		for range 3 {
			got, err := c.Bulk(t.Context(), flox.ControlRetry, flox.RunFilter{}, nil)
			wantBulk(t, "retry", got, err, flox.BulkResult{Total: 1300, Done: 1300})
			for failed() < 1300 {
				time.Sleep(time.Millisecond)
			}
		}
		errs, err := c.Errors(t.Context(), firstRun(t, c))
		if err != nil || len(errs) != 4 {
			t.Errorf("a run has %d errors, %v, want 4: of its start and of three retries", len(errs), err)
		}
	})
}

func firstRun(t *testing.T, c *flox.Control) string {
	t.Helper()
	for run, err := range c.Runs(t.Context(), flox.RunFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		return run.ID
	}
	t.Fatal("no run")
	return ""
}

// moody is a store whose controls say what answer does, if that is an error.
type moody struct {
	flox.Store
	answer func(flox.ControlRequest) error
}

func (m moody) Control(ctx context.Context, req flox.ControlRequest) (flox.Status, error) {
	if err := m.answer(req); err != nil {
		return "", err
	}
	return m.Store.Control(ctx, req)
}

// TestBulkGoesOn counts what changed meanwhile, and goes on behind what fails.
func TestBulkGoesOn(t *testing.T) {
	mem := flox.NewMemory()
	crowd(t, mem, 100, "a")
	c := flox.NewControl(moody{mem, func(req flox.ControlRequest) error {
		refused := &flox.RefusedError{Run: req.Run, Op: req.Op, Status: flox.StatusCompleted}
		switch {
		case strings.HasSuffix(req.Run, "1"):
			return refused
		case strings.HasSuffix(req.Run, "2"):
			return flox.ErrNotFound
		case strings.HasSuffix(req.Run, "3"):
			return errors.New("out of order")
		case strings.HasSuffix(req.Run, "4"):
			refused.Status = flox.StatusRunning // as before: there is another reason
			return refused
		}
		return nil
	}})
	got, err := c.Bulk(t.Context(), flox.ControlCancel, flox.RunFilter{}, nil)
	got.Matched = nil
	if want := (flox.BulkResult{Total: 100, Done: 60, Skipped: 20, Failed: 20}); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Bulk = %+v, want %+v", got, want)
	}
	lines := strings.Split(fmt.Sprint(err), "\n")
	if len(lines) != 9 || lines[8] != "and 12 more" || !strings.Contains(lines[0], "run a-0") {
		t.Errorf("error of Bulk = %q, want that of 8 runs and how many more there are", lines)
	}
}

// TestBulkStops ends when ctx does, and says how far it came.
func TestBulkStops(t *testing.T) {
	mem := flox.NewMemory()
	crowd(t, mem, 1200, "a")
	why := errors.New("three o'clock")
	ctx, cancel := context.WithCancelCause(t.Context())
	var calls atomic.Int64
	c := flox.NewControl(moody{mem, func(flox.ControlRequest) error {
		if calls.Add(1) == 40 {
			cancel(why)
		}
		return nil
	}})
	got, err := c.Bulk(ctx, flox.ControlPause, flox.RunFilter{}, &flox.BulkConfig{Concurrency: 4})
	paused := int64(statusOf(t, flox.NewControl(mem))[flox.StatusPaused])
	if !errors.Is(err, why) || got.Done < 30 || got.Done > 45 || got.Failed != 0 || got.Done > paused || got.Total != 500 {
		t.Errorf("Bulk that is stopped = %+v, %v, with %d runs paused, want it to stop after some 40 of the first page", got, err, paused)
	}
}

func TestBulkRefuses(t *testing.T) {
	c := flox.NewControl(flox.NewMemory())
	for want, call := range map[string]struct {
		op  flox.ControlOp
		cfg flox.BulkConfig
	}{
		`bulk "signal": want pause, resume, cancel, retry or delete`: {op: "signal"},
		`bulk cancel: limit -1: want zero or more`:                   {flox.ControlCancel, flox.BulkConfig{Limit: -1}},
		`bulk cancel: concurrency -1: want zero or more`:             {flox.ControlCancel, flox.BulkConfig{Concurrency: -1}},
		`bulk cancel: from node "a": want that of a retry alone`:     {flox.ControlCancel, flox.BulkConfig{From: "a"}},
	} {
		if _, err := c.Bulk(t.Context(), call.op, flox.RunFilter{}, &call.cfg); err == nil || err.Error() != want {
			t.Errorf("Bulk(%s, %+v) = %v, want %s", call.op, call.cfg, err, want)
		}
	}
}

// TestRuns goes through all pages, and ends when it is told to.
func TestRuns(t *testing.T) {
	c := crowd(t, flox.NewMemory(), 1100, "a")
	seen := map[string]bool{}
	last := ""
	for run, err := range c.Runs(t.Context(), flox.RunFilter{Workflow: "a"}) {
		if err != nil {
			t.Fatal(err)
		}
		if last != "" && run.ID >= last {
			t.Fatalf("run %s comes after %s, want the newest first", run.ID, last)
		}
		last, seen[run.ID] = run.ID, true
	}
	if len(seen) != 1100 {
		t.Errorf("Runs yields %d runs, want 1,100", len(seen))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var err error
	for _, err = range c.Runs(ctx, flox.RunFilter{}) {
		if n++; n == 3 {
			cancel()
		}
	}
	if n != 501 || !errors.Is(err, context.Canceled) {
		t.Errorf("Runs yields %d times and ends with %v, want the rest of a page and then the end of the context", n, err)
	}
}

// A filter that is a mistake must not select all runs.
func TestBadFilter(t *testing.T) {
	c := crowd(t, flox.NewMemory(), 1, "a")
	for want, f := range map[string]flox.RunFilter{
		"older than -1s, newer than 0s: want zero or more": {OlderThan: -time.Second},
		"older than 0s, newer than -1s: want zero or more": {NewerThan: -time.Second},
		`status "bogus": unknown`:                          {Statuses: []flox.Status{flox.StatusPending, "bogus"}},
	} {
		if _, err := c.Bulk(t.Context(), flox.ControlCancel, f, nil); err == nil || err.Error() != "bulk cancel: "+want {
			t.Errorf("Bulk(%+v) = %v, want %s", f, err, want)
		}
		for _, err := range c.Runs(t.Context(), f) {
			if err == nil || err.Error() != "list: "+want {
				t.Errorf("Runs(%+v) = %v, want %s", f, err, want)
			}
		}
	}
	if got := statusOf(t, c); got[flox.StatusPending] != 1 {
		t.Errorf("runs are %v, want 1 pending", got)
	}
}
