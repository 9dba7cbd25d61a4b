// Package integration runs flox as it is deployed: several worker processes on
// real Redis servers, and faults. What happened is judged from Redis' raw keys
// and from a log that the nodes write, not through flox.
package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/pkg/redisstore"
	"github.com/floxrun/flox/pkg/worker"
)

// envWorker makes the test binary be a worker process; envLog names the file to which nodes log their executions.
const (
	envWorker = "FLOX_INTEGRATION_WORKER"
	envLog    = "FLOX_INTEGRATION_LOG"
)

func TestMain(m *testing.M) {
	redisstore.DiscardClientLog()
	if os.Getenv(envWorker) == "" {
		os.Exit(m.Run())
	}
	defs, err := stormWorkflows()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := worker.Run(ctx, nil, os.Stdout, os.Stderr, defs...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fleet is some worker processes of one namespace.
type fleet struct {
	t   *testing.T
	env []string
	log string // of executions

	stderr *os.File // of all workers, shown if the test fails

	procs []*process
	spawn int
}

// process is a worker process; ended is closed when it is gone.
type process struct {
	*os.Process
	ended chan struct{}
}

// newFleet starts workers; env overrides their settings.
func newFleet(t *testing.T, url, namespace string, size int, env ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, log: t.TempDir() + "/executions"}
	f.env = append(os.Environ(), envWorker+"=1", envLog+"="+f.log, "FLOX_REDIS="+url, "FLOX_NAMESPACE="+namespace,
		"FLOX_LEASE=1s", "FLOX_CONCURRENCY=16", "FLOX_LISTEN=off", "FLOX_LOG_LEVEL=error")
	f.env = append(f.env, env...)
	var err error
	if f.stderr, err = os.Create(t.TempDir() + "/stderr"); err != nil {
		t.Fatal(err)
	}
	for range size {
		f.start()
	}
	t.Cleanup(f.stop)
	return f
}

// stop kills what is left of the fleet.
func (f *fleet) stop() {
	for range f.procs {
		f.end(0, syscall.SIGKILL)
	}
	defer f.stderr.Close()
	if !f.t.Failed() {
		return
	}
	said, err := os.ReadFile(f.stderr.Name())
	const last = 4000
	f.t.Logf("the workers said at last: %s (%v)", said[max(0, len(said)-last):], err)
}

func (f *fleet) start() {
	f.t.Helper()
	f.spawn++
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(f.env, fmt.Sprintf("FLOX_NAME=w%d", f.spawn))
	cmd.Stderr = f.stderr
	if err := cmd.Start(); err != nil {
		f.t.Fatalf("start worker: %v", err)
	}
	p := &process{cmd.Process, make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.ended)
	}()
	f.procs = append(f.procs, p)
}

// end signals worker i and waits until its process is gone.
func (f *fleet) end(i int, sig syscall.Signal) time.Duration {
	p := f.procs[i]
	f.procs = append(f.procs[:i:i], f.procs[i+1:]...)
	start := time.Now()
	_ = p.Signal(sig)
	<-p.ended
	return time.Since(start)
}

// executions are the lines of the log so far.
func (f *fleet) executions() []checker.Execution {
	f.t.Helper()
	log, err := checker.ReadLog(f.log)
	if err != nil {
		f.t.Fatal(err)
	}
	return log
}
