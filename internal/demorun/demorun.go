package demorun

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/floxrun/flox/internal/demo"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

const (
	namespace = "demo"
	workers   = 3
	// lease is short, so that what the killed worker held is not long idle.
	lease = 2 * time.Second
	slots = 8 // few, so that there still is work when the worker is killed

	limit     = 55 * time.Second // for the whole demo
	lookEvery = 50 * time.Millisecond
)

// Config says what to run.
type Config struct {
	Worker string // path of the worker program
	Orders int    // how many
	// Progress is told how things stand, Event what has happened; both from one
	// goroutine at a time.
	Progress, Event func(text string)
}

// Report is what the demo came to.
type Report struct {
	Runs       int           `json:"runs"`
	Completed  int           `json:"completed"`
	Steps      int64         `json:"steps"`   // committed
	Retries    int           `json:"retries"` // attempts that failed and were repeated
	Killed     string        `json:"killed"`  // the worker
	KilledPID  int           `json:"killedPid"`
	Held       int           `json:"held"` // steps it had in hand
	Lost       int           `json:"lost"`
	Duplicated int           `json:"duplicated"`
	Wrong      int           `json:"wrong"`  // other differences
	Faults     []string      `json:"faults"` // all of these in words
	Outcomes   []Outcome     `json:"outcomes"`
	Took       time.Duration `json:"took"`
}

// Outcome counts runs that ended alike.
type Outcome struct {
	Workflow string `json:"workflow"`
	Result   string `json:"result"`
	Runs     int    `json:"runs"`
}

// OK reports whether every run completed and nothing was found to be wrong.
func (r *Report) OK() bool { return r.Completed == r.Runs && len(r.Faults) == 0 && r.Held > 0 }

// world is what the demo starts and must end.
type world struct {
	cfg      Config
	redis    *miniredis.Miniredis
	site     *demo.SiteServer
	gateway  *demo.Gateway
	server   *demo.Server // of the gateway
	st       *redisstore.Store
	links    *flox.Orchestrator[demo.LinkState, demo.LinkInput, demo.LinkReport]
	orders   *flox.Orchestrator[demo.OrderState, demo.Order, demo.Outcome]
	cases    []demo.OrderCase
	settings map[string]string // of the workers

	procs []*process
}

// Run runs the demo. Everything it started has ended when it returns, whatever
// happened.
func Run(ctx context.Context, cfg Config) (report *Report, err error) {
	started := time.Now()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not done within %v", limit))
	defer cancel()
	w := &world{cfg: cfg, cases: demo.Orders(cfg.Orders)}
	defer w.end()
	report = &Report{Runs: 1 + cfg.Orders, Faults: []string{}, Outcomes: []Outcome{}}
	defer func() { report.Took = time.Since(started) }()
	if err := w.begin(ctx); err != nil {
		return report, err
	}
	for i := range workers {
		if err := w.hire(fmt.Sprintf("demo-worker-%d", i+1)); err != nil {
			return report, err
		}
	}
	if err := w.awaitWorkers(ctx); err != nil {
		return report, w.because(ctx, err)
	}
	if err := w.startRuns(ctx); err != nil {
		return report, w.because(ctx, err)
	}
	if err := w.murder(ctx, report); err != nil {
		return report, w.because(ctx, err)
	}
	if err := w.judge(ctx, report); err != nil {
		return report, w.because(ctx, err)
	}
	return report, nil
}

// begin starts what runs inside this process.
func (w *world) begin(ctx context.Context) error {
	w.redis = miniredis.NewMiniRedis()
	if err := w.redis.StartAddr("127.0.0.1:0"); err != nil {
		w.redis = nil
		return fmt.Errorf("start the embedded Redis: %w", err)
	}
	var err error
	if w.site, err = demo.ServeSite(); err != nil {
		return err
	}
	w.gateway = &demo.Gateway{}
	if w.server, err = demo.Serve(w.gateway.Handler()); err != nil {
		return err
	}
	url := "redis://" + w.redis.Addr()
	w.settings = map[string]string{
		"FLOX_REDIS": url, "FLOX_EMBEDDED": "true", "FLOX_NAMESPACE": namespace, "FLOX_LISTEN": "off",
		"FLOX_LEASE": lease.String(), "FLOX_CONCURRENCY": fmt.Sprint(slots), "FLOX_LOG_LEVEL": "warn",
		demo.EnvGateway: w.server.URL, demo.EnvBackoff: "100ms",
	}
	w.st, err = redisstore.Open(ctx, redisstore.Config{
		URL: url, Namespace: namespace, Embedded: true, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	if w.links, err = flox.NewOrchestrator(w.st, flox.Named[demo.LinkState, demo.LinkInput, demo.LinkReport]("linkcheck"), nil); err != nil {
		return err
	}
	w.orders, err = flox.NewOrchestrator(w.st, flox.Named[demo.OrderState, demo.Order, demo.Outcome]("order"), nil)
	return err
}

// hire starts a worker process.
func (w *world) hire(name string) error {
	p, err := spawn(w.cfg.Worker, name, w.settings)
	if err != nil {
		return err
	}
	w.procs = append(w.procs, p)
	return nil
}

// end ends the processes first: the others serve them.
func (w *world) end() {
	var all sync.WaitGroup
	for _, p := range w.procs {
		all.Go(func() { p.stop(3 * time.Second) })
	}
	all.Wait()
	if w.st != nil {
		w.st.Close()
	}
	if w.server != nil {
		w.server.Close()
	}
	if w.site != nil {
		w.site.Close()
	}
	if w.redis != nil {
		w.redis.Close()
	}
}

// because prefers the reason that ctx ended, and a worker that ended by itself,
// to what these broke.
func (w *world) because(ctx context.Context, err error) error {
	for _, p := range w.procs {
		if p.ended() && p.err != nil && p.cmd.ProcessState.ExitCode() > 0 {
			return p.failure()
		}
	}
	if cause := context.Cause(ctx); cause != nil && errors.Is(err, ctx.Err()) {
		return cause
	}
	return err
}
