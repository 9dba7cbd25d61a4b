// Package load is the work that flox is put to while faults are injected:
// workflows whose every item leaves its id in the run's state, in its output and
// in a log of executions, and the worker processes that serve them.
package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
	"github.com/floxrun/flox/pkg/worker"
)

// Names of the workflows, and of the queue that is not its workflow's.
const (
	MeshName     = "mesh"
	ChainName    = "chain"
	GrownName    = "grown"
	MischiefName = "mischief"
	ApprovalName = "approval"
	SecondQueue  = "mesh-second"
)

// Environment of a worker process: envWorker makes the program be one,
// envStart a process that starts the run it holds, envLog
// names the file of executions, envProcess itself there; EnvOld=1 lets it have
// the old version of grown; EnvClock says by how many seconds the clock of the
// process is wrong, if it was built so.
const (
	envWorker  = "FLOX_LOAD_WORKER"
	envStart   = "FLOX_LOAD_START"
	envLog     = "FLOX_LOAD_LOG"
	envProcess = "FLOX_LOAD_PROCESS"
	EnvClock   = "FLOX_LOAD_CLOCK"
	EnvOld     = "FLOX_LOAD_OLD"
)

// EnvRetention is for how long a worker process keeps runs after their end, as a
// duration; the engine's default if it is not set.
const EnvRetention = "FLOX_LOAD_RETENTION"

func retention() time.Duration {
	if d, err := time.ParseDuration(os.Getenv(EnvRetention)); err == nil {
		return d
	}
	return flox.DefaultRetention
}

// Definitions returns all workflows; old says which version of grown.
func Definitions(old bool) ([]flox.Definition, error) {
	var defs []flox.Definition
	for _, build := range []func() (flox.Definition, error){
		meshWorkflow,
		chainWorkflow,
		func() (flox.Definition, error) { return grownWorkflow(old) },
		mischiefWorkflow,
		approvalWorkflow,
	} {
		def, err := build()
		if err != nil {
			return nil, err
		}
		defs = append(defs, def)
	}
	return defs, nil
}

// IsWorker reports whether this process was started by a Fleet.
func IsWorker() bool { return os.Getenv(envWorker) != "" || os.Getenv(envStart) != "" }

// Main is the whole of a process that a Fleet started; it does not return.
func Main() {
	redisstore.DiscardClientLog()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	work := serve
	if os.Getenv(envWorker) == "" {
		work = start
	}
	err := work(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "process of the load:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve is a worker.
func serve(ctx context.Context) error {
	defs, err := Definitions(os.Getenv(EnvOld) != "")
	if err != nil {
		return err
	}
	return worker.Run(ctx, nil, io.Discard, os.Stderr, defs...)
}

// start starts one run.
func start(ctx context.Context) error {
	var r Run
	if err := json.Unmarshal([]byte(os.Getenv(envStart)), &r); err != nil {
		return err
	}
	st, err := redisstore.Open(ctx, redisstore.Config{URL: os.Getenv("FLOX_REDIS"), Namespace: os.Getenv("FLOX_NAMESPACE")})
	if err != nil {
		return err
	}
	defer st.Close()
	return r.Start(ctx, flox.NewControl(st))
}
