package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/internal/httpserve"
	"github.com/floxrun/flox/internal/metrics"
	"github.com/floxrun/flox/pkg/redisstore"
)

// leastInterval is how often serve reads at most.
const leastInterval = time.Second

func (a *app) serveCmd() *cobra.Command {
	var listen string
	var interval time.Duration
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Show Prometheus the state of a namespace and of its Redis, until interrupted",
		Long: `Answer GET /metrics for Prometheus with the state of the namespace and of its Redis:
runs, queues, workers, memory, what docs/metrics.md lists. /healthz says that the
process is there, /readyz that it has read Redis lately.

It reads every --interval, also while nobody asks, and answers from what it has read:
Redis has the same work however many ask, and however many runs are kept. What takes
a look at every run or key, as the tokens that are held, failed runs by class and
memory by kind of key, is read some at a time. Several serve processes are harmless;
each shows one namespace.

If Redis is not there, it waits and says so once. Its flags may be environment
variables, too: --listen is FLOX_LISTEN.`,
		Example: `  orchestrator serve
  orchestrator serve --listen 0.0.0.0:9465 --namespace shop
  FLOX_REDIS=redis://:secret@redis:6379 orchestrator serve --interval 15s --log-format json`,
		Args: wantArgs(0, 0, ""),
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVar(&listen, "listen", "127.0.0.1:9465", "`address` to answer at")
	flags.DurationVar(fs, &interval, "interval", "read this often")
	interval = 5 * time.Second
	fs.Lookup("interval").DefValue = "5s"
	log := flags.LogVars(fs)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := flags.FromEnv(fs); err != nil {
			return err
		}
		if interval < leastInterval {
			return flags.Usagef("--interval=%v: want %v or more", interval, leastInterval)
		}
		return a.serve(cmd.Context(), listen, interval, slog.New(log.Handler(a.stderr)))
	}
	return cmd
}

// serve takes the port before it asks for Redis: /healthz answers while it waits.
func (a *app) serve(ctx context.Context, listen string, interval time.Duration, log *slog.Logger) error {
	hosts, err := redisstore.Hosts(a.redis)
	if err != nil {
		return err
	}
	listener, err := httpserve.Listen(listen)
	if err != nil {
		return err
	}
	ctx, cancel := a.limited(ctx)
	defer cancel()
	cluster := metrics.NewCluster(metrics.ClusterConfig{
		Namespace: a.namespace, Hosts: hosts, Interval: interval, Logger: log,
	})
	stop := httpserve.Serve(listener, serveHandler(cluster), log)
	defer stop()
	for {
		err := a.readFor(ctx, cluster, log)
		switch {
		case ctx.Err() != nil:
			return nil
		case !errors.Is(err, metrics.ErrMoved):
			return err
		}
		log.Info("opening the store again", "reason", err)
	}
}

// readFor reads the namespace for cluster until ctx ends. Closing the store ends what a server
// that hangs does not answer.
func (a *app) readFor(ctx context.Context, cluster *metrics.Cluster, log *slog.Logger) error {
	st, err := redisstore.Open(ctx, redisstore.Config{
		URL: a.redis, Namespace: a.namespace, Embedded: a.embedded, Patience: -1, Logger: log,
	})
	if err != nil {
		return err
	}
	defer st.Close()
	defer context.AfterFunc(ctx, func() { st.Close() })()
	return cluster.Run(ctx, st)
}

func serveHandler(cluster *metrics.Cluster) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", cluster.Handler())
	mux.HandleFunc("GET /healthz", func(rw http.ResponseWriter, _ *http.Request) { fmt.Fprintln(rw, "ok") })
	mux.HandleFunc("GET /readyz", func(rw http.ResponseWriter, _ *http.Request) {
		if stale := cluster.Stale(); len(stale) > 0 {
			http.Error(rw, "not read lately: "+strings.Join(stale, ", "), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(rw, "ready")
	})
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(rw, servePage)
	})
	return mux
}

const servePage = `<!doctype html>
<title>flox</title>
<h1>flox</h1>
<ul>
<li><a href="/metrics">/metrics</a>: for Prometheus
<li><a href="/healthz">/healthz</a>: the process is there
<li><a href="/readyz">/readyz</a>: Redis was read lately
</ul>
`
