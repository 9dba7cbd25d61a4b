package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"github.com/floxrun/flox/internal/buildinfo"
	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/internal/httpserve"
	"github.com/floxrun/flox/internal/metrics"
	"github.com/floxrun/flox/internal/telemetry"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// Main runs a worker of defs as the whole process and exits: see the package's
// documentation for flags and exit codes.
func Main(defs ...flox.Definition) {
	redisstore.DiscardClientLog()
	collectLess()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // from here on a signal has its default effect: it ends the process
	err := Run(ctx, os.Args[1:], os.Stdout, os.Stderr, defs...)
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
	}
	os.Exit(exitCode(err))
}

// gcPercent is how much a worker's heap may grow, in percent of what lives in it,
// before garbage is collected. What lives is little, a few MB: with the 100 that Go
// begins with, much of a step's CPU goes to collecting.
const gcPercent = 400

// collectLess sets gcPercent, unless the environment says what GOGC is to be: an
// empty one says nothing, as for Go itself. GOMEMLIMIT bounds the heap all the same.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

func exitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrUsage):
		return 2
	}
	return 1
}

// Run runs a worker of defs until ctx ends, and then drains it. args are the
// command line without the program's name. Everything it started has stopped
// when it returns. An error means that the worker never took work; it is an
// ErrUsage if args, the environment or defs are wrong.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer, defs ...flox.Definition) error {
	cfg, err := parse(args, stdout)
	if errors.Is(err, pflag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if cfg.version {
		b := buildinfo.Read()
		_, err := fmt.Fprintln(stdout, strings.Join(strings.Fields("flox worker "+b.Version+" "+b.Revision+" "+b.Go), " "))
		return err
	}
	if cfg.check {
		return check(ctx, cfg.listen)
	}
	return run(ctx, cfg, cfg.logger(stderr), defs)
}

// run takes the port before it touches the store: of two workers with one
// address the second must not register anything.
func run(ctx context.Context, cfg *config, log *slog.Logger, defs []flox.Definition) error {
	reg := prometheus.NewRegistry()
	series := metrics.NewWorker(reg, cfg.namespace, cfg.concurrency)
	wc := cfg.workerConfig(log, series)
	if _, err := flox.NewWorker(nil, wc, defs...); err != nil { // before there is a store to touch
		return flags.Usagef("%v", err)
	}
	for _, d := range defs {
		series.Expect(d.Name())
	}
	tracing, err := telemetry.Open(ctx, cfg.tracing, "flox-worker", wc.Version, log)
	if err != nil {
		return err
	}
	defer tracing.Close()
	wc.Tracer = tracing.Tracer()
	var taking atomic.Pointer[taker]
	if cfg.listen != "off" {
		listener, err := httpserve.Listen(cfg.listen)
		if err != nil {
			return fmt.Errorf("%w, or \"off\"", err)
		}
		stop := httpserve.Serve(listener, handler(ctx, &taking, reg), log)
		defer stop()
	}
	st, err := redisstore.Open(ctx, redisstore.Config{
		URL: cfg.redis, Namespace: cfg.namespace, Partitions: cfg.partitions, Embedded: cfg.embedded,
		Durability: redisstore.Durability(cfg.durability.Mode()), Replicas: cfg.durability.Replicas(),
		Patience: cfg.waitForRedis, Logger: log, Observer: series,
	})
	if err != nil {
		if ctx.Err() != nil { // it waited, and is to end
			return nil
		}
		return err
	}
	defer st.Close()
	w, err := flox.NewWorker(st, wc, defs...)
	if err != nil {
		return err
	}
	taking.Store(&taker{st, w.Ready})
	return w.Run(ctx)
}

func (c *config) workerConfig(log *slog.Logger, o flox.Observer) *flox.WorkerConfig {
	return &flox.WorkerConfig{
		Name: c.name, Concurrency: c.concurrency, Queues: c.queues, Lease: c.lease, DrainGrace: c.drainGrace,
		Version: buildinfo.Read().Version, Schema: InputSchema, Logger: log, Observer: o,
	}
}
