package flox_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// badNames would end a key, a record or a hash tag early, or be another's.
var badNames = []string{
	"", " ", "a b", "a/b", "a:b", "a|b", "a,b", "a=b", "{a}", "a}", "a{", "a*", "a?", "[a]", "a\n", "a\r\n", "a\x00", "a\"", "a'b",
	"a\\b", "ä", "\xff", "a\u200b", "a%2Fb", "a\tb", "<a>", strings.Repeat("a", 129),
}

// TestNamesAreCheckedWhereTheyEnter: no name that is not one comes as far as a store.
func TestNamesAreCheckedWhereTheyEnter(t *testing.T) {
	ctx := t.Context()
	echo := func(_ context.Context, in int) (int, error) { return in, nil }
	build := func(workflow, node, queue, signal string) (flox.Definition, error) {
		b := flox.New[flox.NoState](workflow)
		ask := flox.AddFunc(b, node, func(_ *flox.Context[flox.NoState], in int) (flox.Awaiting[int, int], error) {
			return flox.Await(flox.NewSignal[int](signal), in, time.Minute), nil
		}).Awaits(flox.NewSignal[int](signal)).Queue(queue)
		end := flox.Func(b, "end", func(_ context.Context, a flox.Answer[int, int]) (int, error) { return a.Carry, nil })
		ask.To(end)
		return flox.Build(b, ask, end)
	}
	if _, err := build("w", "n", "q", "s"); err != nil {
		t.Fatalf("Build with good names = %v", err)
	}
	b := flox.New[flox.NoState]("w")
	n := flox.Func(b, "n", echo)
	wf, err := flox.Build(b, n, n)
	if err != nil {
		t.Fatal(err)
	}
	st := flox.NewMemory()
	orch, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		t.Fatal(err)
	}
	id, err := orch.Start(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	ctl := orch.Control()
	second := func(_ any, err error) error { return err }
	for what, enter := range map[string]func(name string) error{
		"workflow": func(s string) error { return second(build(s, "n", "q", "s")) },
		"node":     func(s string) error { return second(build("w", s, "q", "s")) },
		"queue":    func(s string) error { return second(build("w", "n", s, "s")) },
		"signal":   func(s string) error { return second(build("w", "n", "q", s)) },
		"start":    func(s string) error { return second(orch.Start(ctx, 1, flox.WithID(s))) },
		"label":    func(s string) error { return second(orch.Start(ctx, 1, flox.WithLabel(s, "v"))) },
		"pause":    func(s string) error { return ctl.Pause(ctx, s) },
		"resume":   func(s string) error { return ctl.Resume(ctx, s) },
		"cancel":   func(s string) error { return ctl.Cancel(ctx, s) },
		"retry":    func(s string) error { return ctl.Retry(ctx, s) },
		"from":     func(s string) error { return ctl.RetryFrom(ctx, s, "n") },
		"delete":   func(s string) error { return ctl.Delete(ctx, s) },
		"show":     func(s string) error { return second(ctl.Show(ctx, s)) },
		"errors":   func(s string) error { return second(ctl.Errors(ctx, s)) },
		"history":  func(s string) error { return second(ctl.History(ctx, s, 0, 1)) },
		"wait":     func(s string) error { return second(ctl.Wait(ctx, s)) },
		"progress": func(s string) error { return second(ctl.Progress(ctx, s)) },
		"send to":  func(s string) error { return second(ctl.Signal(ctx, s, "go", []byte("1"))) },
		"send":     func(s string) error { return second(ctl.Signal(ctx, id, s, []byte("1"))) },
		"send as":  func(s string) error { return second(ctl.Signal(ctx, id, "go", []byte("1"), flox.WithSignalID(s))) },
		"worker":   func(s string) error { return second(flox.NewWorker(st, &flox.WorkerConfig{Name: s}, wf)) },
		"takes":    func(s string) error { return second(flox.NewWorker(st, &flox.WorkerConfig{Queues: []string{s}}, wf)) },
	} {
		for _, bad := range badNames {
			if bad == "" && strings.Contains("start worker send as", what) {
				continue // chooses a name itself
			}
			if err := enter(bad); err == nil || errors.Is(err, flox.ErrNotFound) {
				t.Errorf("%s %q = %v, want the name refused", what, bad, err)
			}
		}
	}
}

// TestPayloadLimits: what is larger than the limit enters nowhere; the run says so
// and the worker goes on.
func TestPayloadLimits(t *testing.T) {
	const limit = flox.DefaultMaxPayload
	large := strings.Repeat("a", limit+1)
	type log struct{ Lines flox.List[string] }
	b := flox.New[log]("w").Retry(flox.RetryPolicy{MaxAttempts: 1})
	first := flox.AddFunc(b, "first", func(ctx *flox.Context[log], in string) (flox.Transition[string], error) {
		switch in {
		case "output":
			return flox.Next(large), nil
		case "delta":
			ctx.Merge(log{flox.List[string]{large}})
		case "error":
			return nil, flox.Permanent(errors.New(strings.Repeat("long ", limit)))
		case "panic":
			panic(strings.Repeat("long ", limit))
		}
		return flox.Next(in), nil
	})
	last := flox.Func(b, "last", func(_ context.Context, in string) (string, error) { return in, nil })
	first.To(last)
	wf, err := flox.Build(b, first, last)
	if err != nil {
		t.Fatal(err)
	}
	st := flox.NewMemory()
	orch, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	w, err := flox.NewWorker(st, &flox.WorkerConfig{Logger: slog.New(slog.DiscardHandler)}, wf)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	}()
	if _, err := orch.Start(ctx, large); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("Start with a large input = %.200v, want the limit", err)
	}
	for _, in := range []string{"output", "delta", "error", "panic", "good"} {
		id, err := orch.Start(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		info, err := orch.Control().Wait(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		if in == "good" {
			if info.Status != flox.StatusCompleted {
				t.Errorf("the run after the large ones is %s", info.Status)
			}
			if _, err := orch.Control().Signal(ctx, id, "go", []byte(`"`+large+`"`)); err == nil || !strings.Contains(err.Error(), "limit") {
				t.Errorf("Signal with a large payload = %.200v, want the limit", err)
			}
			continue
		}
		errs, err := orch.Control().Errors(ctx, id)
		if info.Status != flox.StatusFailed || err != nil || len(errs) != 1 || len(errs[0].Message) > limit/8 || len(info.Cause) > limit/8 {
			t.Errorf("%s: run %s, %d errors, %v; message of %d bytes, cause of %d; want it failed with one bounded record",
				in, info.Status, len(errs), err, len(errs[0].Message), len(info.Cause))
		}
	}
}
