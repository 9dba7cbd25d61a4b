package worker

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/pflag"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/internal/telemetry"
	"github.com/floxrun/flox/pkg/flox"
)

// ErrUsage is what Run returns for a wrong flag, environment variable or
// setting.
var ErrUsage = flags.ErrUsage

// config is what the command line and the environment say.
type config struct {
	redis, namespace string
	partitions       int
	embedded         bool
	durability       *flags.Durability

	name        string
	concurrency int
	queues      []string
	lease       time.Duration
	drainGrace  time.Duration

	waitForRedis time.Duration

	listen  string
	log     *flags.Log
	tracing *flags.Choice
	check   bool
	version bool
}

const program = "worker"

// parse reads args and the environment. It returns pflag.ErrHelp after it has
// printed the help to out.
func parse(args []string, out io.Writer) (*config, error) {
	c := &config{tracing: telemetry.Modes()}
	fs := pflag.NewFlagSet(program, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.SetOutput(io.Discard)
	c.register(fs)
	if err := fs.Parse(args); err != nil {
		if err == pflag.ErrHelp {
			if _, printing := fmt.Fprintf(out, help, fs.FlagUsages()); printing != nil {
				return nil, fmt.Errorf("print the help: %w", printing)
			}
		}
		return nil, flags.Explain(err, program)
	}
	if fs.NArg() > 0 {
		return nil, flags.Usagef("%q: want flags only; see %s --help", fs.Arg(0), program)
	}
	if err := flags.FromEnv(fs); err != nil {
		return nil, err
	}
	return c, c.validate(fs)
}

const help = `A flox worker: executes the items of its workflows until SIGTERM or SIGINT, then
drains; a second signal ends it at once.
Exit codes: 0 drained, 1 error, 2 wrong command line.

Example:
  worker --redis redis://127.0.0.1:6379 --concurrency 16 --listen off

Flags (each may be an environment variable: --drain-grace is FLOX_DRAIN_GRACE):
%s`

func (c *config) register(fs *pflag.FlagSet) {
	fs.StringVar(&c.redis, "redis", "redis://127.0.0.1:6379", "`URL` of the Redis server")
	fs.StringVar(&c.namespace, "namespace", "default", "`name` that keeps this deployment's keys apart")
	fs.IntVar(&c.partitions, "partitions", 0, "partitions of a namespace that is new (default 1, on a cluster 64)")
	fs.StringVar(&c.name, "name", "", "what people know the worker by (default the host's name)")
	fs.IntVar(&c.concurrency, "concurrency", 64, "most items executed at the same time")
	fs.StringSliceVar(&c.queues, "queues", nil, "`queues` to take from, separated by commas (default all)")
	fs.DurationVar(&c.lease, "lease", 10*time.Second, "how long a token stays with a worker that is not heard of")
	fs.DurationVar(&c.drainGrace, "drain-grace", 8*time.Second, "how long items in hand may go on after SIGTERM")
	fs.DurationVar(&c.waitForRedis, "wait-for-redis", 2*time.Minute, "how long to wait at the start for a Redis that is not there yet")
	fs.StringVar(&c.listen, "listen", "127.0.0.1:9464", "`address` of /healthz, /readyz and /metrics, or \"off\"")
	c.durability = flags.DurabilityVars(fs)
	c.log = flags.LogVars(fs)
	fs.Var(c.tracing, "tracing", telemetry.Usage)
	fs.BoolVar(&c.embedded, "embedded", false, "the Redis server is an embedded one")
	fs.MarkHidden("embedded")
	fs.BoolVar(&c.check, "check", false, "ask the worker that runs at --listen whether it is ready, and exit with 0 or 1")
	fs.BoolVar(&c.version, "version", false, "print the version and exit")
}

// validate finds what the engine would refuse later, in the words of the flags.
func (c *config) validate(fs *pflag.FlagSet) error {
	if err := flox.CheckName("--namespace", c.namespace); err != nil {
		return flags.Usagef("%v", err)
	}
	if c.name != "" {
		if err := flox.CheckName("--name", c.name); err != nil {
			return flags.Usagef("%v", err)
		}
	}
	for _, q := range c.queues {
		if err := flox.CheckName("--queues", q); err != nil {
			return flags.Usagef("%v", err)
		}
	}
	if err := c.durability.Check(); err != nil {
		return err
	}
	switch {
	case c.concurrency < 1:
		return flags.Usagef("--concurrency=%d: want 1 or more", c.concurrency)
	case c.partitions < 0, c.partitions == 0 && fs.Changed("partitions"):
		return flags.Usagef("--partitions=%d: want 1 or more", c.partitions)
	case c.lease < 100*time.Millisecond:
		return flags.Usagef("--lease=%v: want 100ms or more", c.lease)
	case c.waitForRedis < 0:
		return flags.Usagef("--wait-for-redis=%v: want zero or more", c.waitForRedis)
	case c.drainGrace <= 0:
		return flags.Usagef("--drain-grace=%v: want more than 0", c.drainGrace)
	}
	return nil
}

// logger writes to w as configured.
func (c *config) logger(w io.Writer) *slog.Logger { return slog.New(c.log.Handler(w)) }
