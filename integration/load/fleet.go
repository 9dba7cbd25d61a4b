package load

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// FleetConfig says how worker processes are started. Binary, URL and Dir are
// needed.
type FleetConfig struct {
	Binary    string   // a program that calls Main when IsWorker
	URL       string   // of the store
	Namespace string   // default: "default"
	Dir       string   // where the log of executions and what workers say is kept
	Env       []string // for all workers; overrides the fleet's own settings
}

// Fleet is some worker processes of one namespace. It is safe for concurrent use.
type Fleet struct {
	cfg    FleetConfig
	stderr *os.File

	mu      sync.Mutex
	workers []*Worker // those that were not ended by the fleet
	spawned int
	closed  bool

	died    atomic.Int64
	respawn atomic.Bool
}

// Worker is one worker process.
type Worker struct {
	Name  string
	proc  *os.Process
	env   []string
	ended chan struct{} // closed when the process is gone
	state atomic.Pointer[os.ProcessState]
	meant atomic.Bool // the fleet ends it
}

// NewFleet makes a fleet without workers. Close it after use.
func NewFleet(cfg FleetConfig) (*Fleet, error) {
	stderr, err := os.Create(filepath.Join(cfg.Dir, "workers.log"))
	if err != nil {
		return nil, err
	}
	return &Fleet{cfg: cfg, stderr: stderr}, nil
}

// Log is the file of executions. It is there once something was executed.
func (f *Fleet) Log() string { return filepath.Join(f.cfg.Dir, "executions.jsonl") }

// Said is the file of what the workers wrote to their standard error.
func (f *Fleet) Said() string { return f.stderr.Name() }

// Died is how many workers have ended by themselves.
func (f *Fleet) Died() int { return int(f.died.Load()) }

// Respawn says whether another worker, of the same settings, is started in the
// place of one that ended by itself. At first it is not.
func (f *Fleet) Respawn(yes bool) { f.respawn.Store(yes) }

// Use lets processes that are started from now on run another program, which must
// call Main when IsWorker, too.
func (f *Fleet) Use(binary string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cfg.Binary = binary
}

// Start starts a worker; env overrides its settings. It does not wait until the
// worker is ready.
func (f *Fleet) Start(env ...string) (*Worker, error) {
	w, err := f.spawn(env, true)
	if err != nil {
		return nil, err
	}
	go func() {
		<-w.ended
		f.gone(w)
	}()
	return w, nil
}

// Orchestrate starts a process that is no worker: it starts a run, and ends.
func (f *Fleet) Orchestrate(r Run, env ...string) (*Worker, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	return f.spawn(append([]string{envWorker + "=", envStart + "=" + string(text)}, env...), false)
}

func (f *Fleet) spawn(env []string, keep bool) (*Worker, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, errors.New("the fleet is closed")
	}
	f.spawned++
	w := &Worker{Name: fmt.Sprintf("w%d", f.spawned), env: env, ended: make(chan struct{})}
	cmd := exec.Command(f.cfg.Binary)
	cmd.Env = append(os.Environ(), envWorker+"=1", envLog+"="+f.Log(), envProcess+"="+w.Name,
		"FLOX_REDIS="+f.cfg.URL, "FLOX_NAMESPACE="+f.cfg.Namespace, "FLOX_NAME="+w.Name,
		"FLOX_LEASE=1s", "FLOX_CONCURRENCY=16", "FLOX_LISTEN=off", "FLOX_LOG_LEVEL=warn")
	cmd.Env = append(append(cmd.Env, f.cfg.Env...), env...)
	cmd.Stderr = f.stderr
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start process %s: %w", w.Name, err)
	}
	w.proc = cmd.Process
	if keep {
		f.workers = append(f.workers, w)
	}
	go func() {
		_ = cmd.Wait()
		w.state.Store(cmd.ProcessState)
		close(w.ended)
	}()
	return w, nil
}

// gone counts a worker that ended by itself.
func (f *Fleet) gone(w *Worker) {
	if w.meant.Load() {
		return
	}
	f.died.Add(1)
	f.forget(w)
	if f.respawn.Load() {
		_, _ = f.Start(w.env...) // a closed fleet refuses
	}
}

func (f *Fleet) forget(w *Worker) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.workers = slices.DeleteFunc(f.workers, func(x *Worker) bool { return x == w })
}

// Workers returns the workers that run, the oldest first.
func (f *Fleet) Workers() []*Worker {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.workers)
}

// Kill ends a worker as a crash does, and returns when it is gone.
func (f *Fleet) Kill(w *Worker) { f.end(w, syscall.SIGKILL) }

// Drain asks a worker to end, and returns how long that took.
func (f *Fleet) Drain(w *Worker) time.Duration { return f.end(w, syscall.SIGTERM) }

func (f *Fleet) end(w *Worker, sig syscall.Signal) time.Duration {
	w.meant.Store(true)
	f.forget(w)
	began := time.Now()
	_ = w.proc.Signal(sig)
	<-w.ended
	return time.Since(began)
}

// Close kills what is left of the fleet.
func (f *Fleet) Close() error {
	f.mu.Lock()
	f.closed = true
	left := slices.Clone(f.workers)
	f.mu.Unlock()
	for _, w := range left {
		f.Kill(w)
	}
	return f.stderr.Close()
}

// PID is the worker's process id.
func (w *Worker) PID() int { return w.proc.Pid }

// Ended is closed when the process is gone.
func (w *Worker) Ended() <-chan struct{} { return w.ended }

// ExitCode is that of a worker that has ended: -1 if a signal ended it, or if it
// still runs.
func (w *Worker) ExitCode() int {
	if s := w.state.Load(); s != nil {
		return s.ExitCode()
	}
	return -1
}

// Stop holds the process still; Continue lets it go on.
func (w *Worker) Stop() error { return w.proc.Signal(syscall.SIGSTOP) }

// Continue lets a stopped process go on.
func (w *Worker) Continue() error { return w.proc.Signal(syscall.SIGCONT) }
