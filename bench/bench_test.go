package main

import (
	"context"
	"os"
	"testing"
)

// TestMain makes the worker processes of the tests: they are this program again.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "worker" {
		exit(work(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// tiny is an env of the least sizes.
func tiny(t *testing.T) *env {
	e := &env{quick: true, sizes: sizes{chains: 50, fans: 2, idle: 75, deltas: 20}}
	t.Cleanup(e.close)
	return e
}

// TestMeasures does each workload of this file's concern in small: each gives a number
// above zero for every metric, and says whose it is.
func TestMeasures(t *testing.T) {
	tests := []struct {
		name    string
		w       workload
		system  string
		metrics []string
	}{
		{"chains", w1(), "flox", []string{"start", "drain", "redis cpu", "worker cpu", "worker memory"}},
		{"chains of tasks", w1(), "asynq", []string{"start", "drain", "redis cpu", "worker cpu", "worker memory"}},
		{"bare chains", w1(), "bare", []string{"start", "drain", "redis cpu"}},
		{"fans", w2(), "flox", []string{"start", "drain"}},
		{"fans of tasks", w2(), "asynq", []string{"start", "drain"}},
		{"idle", w3(), "flox", []string{"chain p50", "chain p95", "pickup p50"}},
		{"idle tasks", w3(), "asynq", []string{"chain p50", "pickup p50"}},
		{"state", w5(), "flox", []string{"deltas, parallel", "deltas, one by one", "read, parallel"}},
		{"notes", w5(), "asynq", []string{"deltas, parallel", "read, parallel"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := measured(t, tt.w, tt.system)
			for _, metric := range tt.metrics {
				v, ok := got.values(tt.w.name, tt.system, metric)[0]
				if !ok || v <= 0 {
					t.Errorf("%s %s %s = %v (measured %v), want a number above zero", tt.w.name, tt.system, metric, v, ok)
				}
			}
		})
	}
}

// measured is what a system of a workload gave.
func measured(t *testing.T, w workload, name string) samples {
	t.Helper()
	for _, s := range w.systems {
		if s.name != name {
			continue
		}
		got, err := s.run(t.Context(), tiny(t))
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	t.Fatalf("%s has no system %s", w.name, name)
	return nil
}

// TestTargetsAreMeasured holds the names in targets against those that exist.
func TestTargetsAreMeasured(t *testing.T) {
	for _, w := range workloads() {
		names := map[string]bool{}
		for _, s := range w.systems {
			names[s.name] = true
		}
		for _, x := range w.targets {
			if !names[x.system] || x.overSystem != "" && !names[x.overSystem] {
				t.Errorf("%s: target %q is of %q over %q, which it has not both", w.name, x.about, x.system, x.overSystem)
			}
			if better := x.stretch < x.least; better != x.most {
				t.Errorf("%s: target %q: the stretch %v is not beyond %v", w.name, x.about, x.stretch, x.least)
			}
		}
	}
}

// TestWorkerEnds stops a worker process as an operator does, and one whose parent has
// gone.
func TestWorkerEnds(t *testing.T) {
	e := tiny(t)
	srv, err := e.server(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := e.worker(t.Context(), "flox", srv.URL(), "chain")
	if err != nil {
		t.Fatal(err)
	}
	if used, err := p.cpu(); err != nil || used <= 0 {
		t.Errorf("CPU of a process = %v, %v, want some", used, err)
	}
	if peak, err := p.peak(); err != nil || peak < 1<<20 {
		t.Errorf("memory of a process = %v, %v, want a megabyte", peak, err)
	}
	if err := p.stop(t.Context()); err != nil {
		t.Error(err)
	}
	orphan, err := e.worker(t.Context(), "flox", srv.URL(), "chain")
	if err != nil {
		t.Fatal(err)
	}
	_ = orphan.stdin.Close()
	<-orphan.exited
}

// TestAwaitSaysWhy waits for a worker process that cannot work.
func TestAwaitSaysWhy(t *testing.T) {
	e := tiny(t)
	if _, err := e.worker(t.Context(), "flox", "nonsense://", "chain"); err == nil {
		t.Error("a worker with a URL that is none was ready")
	}
	if _, err := e.worker(context.Background(), "none"); err == nil {
		t.Error("a worker of no kind was ready")
	}
}
