package demorun

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// buildWorker builds the worker program.
func buildWorker(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "worker")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "github.com/floxrun/flox/cmd/worker").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

func TestDemo(t *testing.T) {
	path := buildWorker(t)
	t.Run("a worker is killed", func(t *testing.T) {
		var events []string
		r, err := Run(t.Context(), Config{
			Worker: path, Orders: 60, Progress: func(string) {}, Event: func(s string) { events = append(events, s) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if !r.OK() || r.Completed != 61 || r.Held == 0 || r.Lost+r.Duplicated+r.Wrong != 0 {
			t.Errorf("Run = %+v, want 61 completed runs and nothing lost or repeated", r)
		}
		// A worker that finished its work just before it died is not the last.
		if len(events) < 2 || !strings.HasPrefix(events[len(events)-1], "killed "+r.Killed) {
			t.Errorf("events are %q, want the start and the kill of %s", events, r.Killed)
		}
		if alive(r.KilledPID) {
			t.Errorf("process %d is alive, want it killed", r.KilledPID)
		}
	})
	t.Run("interrupted", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := Run(ctx, Config{
			Worker: path, Orders: 60, Progress: func(string) {}, Event: func(string) { cancel() },
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v, want %v", err, context.Canceled)
		}
		if left := children(t); len(left) > 0 {
			t.Errorf("processes %v are left, want none", left)
		}
	})
}

// alive reports whether there is a process of that id.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// children lists this process's child processes.
func children(t *testing.T) []string {
	t.Helper()
	lists, err := filepath.Glob("/proc/self/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, l := range lists {
		b, err := os.ReadFile(l)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		all = append(all, strings.Fields(string(b))...)
	}
	return all
}

// TestWorkerThatCannotStart checks that the demo says why, and ends.
func TestWorkerThatCannotStart(t *testing.T) {
	for _, tt := range []struct{ script, want string }{
		{"echo starting >&2; echo error: no more >&2; exit 1", "ended (exit status 1): error: no more"},
		{"exit 1", "ended (exit status 1): it said nothing"},
	} {
		path := filepath.Join(t.TempDir(), "worker")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+tt.script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := Run(t.Context(), Config{Worker: path, Orders: 1, Progress: func(string) {}, Event: func(string) {}})
		if err == nil || !strings.HasPrefix(err.Error(), "worker demo-worker-") || !strings.HasSuffix(err.Error(), tt.want) {
			t.Errorf("Run = %v, want the worker's name and %q", err, tt.want)
		}
	}
}

// TestBlame checks that what is found to be wrong counts as such.
func TestBlame(t *testing.T) {
	r := Report{Runs: 1, Completed: 1, Held: 1}
	if !r.OK() {
		t.Errorf("%+v is not OK, want OK", r)
	}
	r.blame([]string{
		"lost: visit of /a", "order 1: did not complete: failed", "repeated: event charged: 2 times, want 1",
		"order 2: unexpected: ledger entry charge 5 x", "order 3: outcome is wrong",
	})
	if r.OK() || r.Lost != 2 || r.Duplicated != 2 || r.Wrong != 1 || len(r.Faults) != 5 {
		t.Errorf("%+v, want 2 lost, 2 duplicated, 1 wrong", r)
	}
	if r := (Report{Runs: 1, Completed: 1}); r.OK() {
		t.Error("a demo that killed nobody at work is OK, want not")
	}
}
