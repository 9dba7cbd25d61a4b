package flox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// WorkerConfig sets up a Worker. Its zero value works.
type WorkerConfig struct {
	// Name is what people know the worker by; the host's name by default. Two
	// workers may share one.
	Name string
	// Concurrency is the most items executed at the same time; default 64.
	Concurrency int
	// Queues to take from; default: all queues of the workflows given, and those
	// that earlier versions of them had.
	Queues []string
	// Lease is how long a token stays with a worker that was not heard of;
	// default 10 s, at least 100 ms. It is renewed every third of it.
	Lease time.Duration
	// Quantum is how long a worker stays with one token before it hands it back
	// to the end of its queue, for others' sake; default 1 s.
	Quantum time.Duration
	// DrainGrace is how long Run waits for items in hand when its context ends,
	// before it cancels them and hands them back; default 8 s.
	DrainGrace time.Duration
	// MaxPayload is the largest input, output or delta in bytes; default 1 MiB.
	MaxPayload int
	// CrashLimit is how often an item may be started and lost with its worker
	// before it fails; default 3.
	CrashLimit int
	// Version of the program, shown to people.
	Version string
	// Schema returns the JSON Schema of a workflow's input, to be registered
	// with it; nil registers none.
	Schema func(Definition) ([]byte, error)
	// Logger; default slog.Default().
	Logger *slog.Logger
	// Observer is told what the worker does; default none.
	Observer Observer
	// Tracer makes spans of the items; default none.
	Tracer Tracer
}

func (c *WorkerConfig) fill() {
	host, _ := os.Hostname()
	c.Name = cmp.Or(c.Name, host, "worker")
	c.Concurrency = cmp.Or(c.Concurrency, 64)
	c.Lease = cmp.Or(c.Lease, 10*time.Second)
	c.Quantum = cmp.Or(c.Quantum, time.Second)
	c.DrainGrace = cmp.Or(c.DrainGrace, 8*time.Second)
	c.MaxPayload = cmp.Or(c.MaxPayload, DefaultMaxPayload)
	c.CrashLimit = cmp.Or(c.CrashLimit, 3)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	if c.Observer == nil {
		c.Observer = noObserver{}
	}
}

// DefaultMaxPayload is the largest payload in bytes unless configured: 1 MiB.
const DefaultMaxPayload = 1 << 20

func (c *WorkerConfig) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf("worker: "+format, args...))
		}
	}
	check(CheckName("worker name", c.Name) == nil, "%v", CheckName("name", c.Name))
	check(c.Concurrency > 0, "concurrency %d: want 1 or more", c.Concurrency)
	check(c.Lease >= 100*time.Millisecond, "lease %v: want at least 100ms", c.Lease)
	check(c.Quantum > 0, "quantum %v: want more than 0", c.Quantum)
	check(c.DrainGrace > 0, "drain grace %v: want more than 0", c.DrainGrace)
	check(c.MaxPayload > 0, "payload limit %d: want 1 or more bytes", c.MaxPayload)
	check(c.CrashLimit > 0, "crash limit %d: want 1 or more", c.CrashLimit)
	for _, q := range c.Queues {
		check(CheckName("queue", q) == nil, "%v", CheckName("queue", q))
	}
	return errors.Join(errs...)
}

// Worker executes items of the workflows it knows. It keeps nothing that is
// not in the store: it can be killed at any moment.
type Worker struct {
	st       Store
	cfg      WorkerConfig
	graphs   map[string]*graph
	infos    []WorkflowInfo
	consumer string
	started  time.Time                // when it was made
	queues   atomic.Pointer[[]string] // that it takes from

	slots    chan struct{} // one token for each item in hand
	alone    chan struct{} // one for an item that has one start left
	owners   atomic.Int64
	sessions sessionSet
	handlers sync.WaitGroup
	idle     chan work // to handlers that have no entry
	draining atomic.Bool
	ready    atomic.Bool
	life     context.Context // of Run: the calls that end an item outlast the item's context
	calls    *deadlines      // of those calls: a lease
	loads    *deadlines      // of the calls that begin an item: half a lease
	timers   *alarm          // of the forwarder
	outage   atomic.Int64    // when the store last failed, in Unix ns
	news     sync.WaitGroup  // renewals because of an event

	complaints complaints
}

// NewWorker returns a Worker of defs on st. It refuses a configuration or a set
// of workflows that cannot work; it does not touch the store.
func NewWorker(st Store, cfg *WorkerConfig, defs ...Definition) (*Worker, error) {
	w := &Worker{st: st, graphs: map[string]*graph{}, timers: newAlarm()}
	if cfg != nil {
		w.cfg = *cfg
	}
	w.cfg.fill()
	if err := w.cfg.validate(); err != nil {
		return nil, err
	}
	if len(defs) == 0 {
		return nil, errors.New("worker: no workflows given; want at least one")
	}
	queues := map[string]bool{}
	for _, d := range defs {
		if missing(d) {
			return nil, errors.New("worker: a workflow is nil; want those that Build returned")
		}
		g := d.graph()
		if w.graphs[g.name] != nil {
			return nil, fmt.Errorf("worker: two workflows are named %q", g.name)
		}
		w.graphs[g.name] = g
		info := g.info()
		info.Graph = d.JSON()
		if w.cfg.Schema != nil {
			var err error
			if info.Schema, err = w.cfg.Schema(d); err != nil {
				return nil, fmt.Errorf("worker: schema of workflow %s: %w", g.name, err)
			}
		}
		w.infos = append(w.infos, info)
		for _, q := range info.Queues {
			queues[q] = true
		}
	}
	for _, q := range w.cfg.Queues {
		if !queues[q] {
			return nil, fmt.Errorf("worker: queue %q belongs to none of its workflows; want some of %v",
				q, slices.Sorted(maps.Keys(queues)))
		}
	}
	if len(w.cfg.Queues) > 0 {
		w.queues.Store(&w.cfg.Queues)
	} else {
		all := slices.Sorted(maps.Keys(queues))
		w.queues.Store(&all)
	}
	w.slots = make(chan struct{}, w.cfg.Concurrency)
	w.alone = make(chan struct{}, 1)
	w.started = time.Now()
	w.consumer = w.cfg.Name + "-" + newNonce()
	w.cfg.Logger = w.cfg.Logger.With(logWorker, w.consumer)
	return w, nil
}

// Run registers the workflows, then executes items until ctx ends, and drains:
// it takes nothing more, lets items in hand finish for the grace period, hands
// back the others and returns nil. It returns an error only if it could not
// register. Everything it started has stopped when it returns, but for nodes
// that ignored their context's end.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.register(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // it was stopped before it began
		}
		return err
	}
	life, end := context.WithCancel(context.WithoutCancel(ctx)) // ends after the drain
	defer end()
	items, cancelItems := w.live(life)
	defer cancelItems(nil)
	w.idle = make(chan work)

	var takers, keepers sync.WaitGroup
	for _, loop := range []func(context.Context){w.forward, w.janitor, w.expire} {
		takers.Go(func() { loop(ctx) })
	}
	takers.Go(func() { w.claim(ctx, items) })
	takers.Go(func() { w.reclaim(ctx, items) })
	for _, loop := range []func(context.Context){w.heartbeat, w.beat, w.watch} {
		keepers.Go(func() { loop(life) })
	}
	w.ready.Store(true)
	w.cfg.Logger.Info("worker started", logQueues, *w.queues.Load(), logSlots, w.cfg.Concurrency)

	<-ctx.Done()
	w.draining.Store(true)
	w.ready.Store(false)
	w.cfg.Logger.Info("worker draining", logActive, w.sessions.len())
	takers.Wait()
	close(w.idle)
	w.drain(items, cancelItems)
	end()
	keepers.Wait()
	// The claim that the drain ended may take a second to come back.
	leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := w.st.Leave(leave, w.Info()); err != nil {
		w.cfg.Logger.Warn("worker could not sign off", logError, err)
	}
	w.cfg.Logger.Info("worker stopped")
	return nil
}

// live makes the contexts of the items, and of calls about them.
func (w *Worker) live(life context.Context) (items context.Context, cancel context.CancelCauseFunc) {
	items, cancel = context.WithCancelCause(life)
	w.life, w.calls, w.loads = life, newDeadlines(life, w.cfg.Lease), newDeadlines(items, w.cfg.Lease/2)
	return items, cancel
}

// register records the workflows. Queues that an earlier version of one had are
// kept, and taken from as well unless the queues are configured: runs of that
// version may stand in them.
func (w *Worker) register(ctx context.Context) error {
	known, err := w.st.Workflows(ctx)
	if err != nil {
		return fmt.Errorf("read the registered workflows: %w", err)
	}
	queues := slices.Clone(*w.queues.Load())
	for i := range w.infos {
		info := &w.infos[i]
		for _, k := range known {
			if k.Name == info.Name {
				info.Queues = append(info.Queues, k.Queues...)
			}
		}
		slices.Sort(info.Queues)
		info.Queues = slices.Compact(info.Queues)
		queues = append(queues, info.Queues...)
		if err := w.st.Register(ctx, *info); err != nil {
			return fmt.Errorf("register workflow %s: %w", info.Name, err)
		}
	}
	if len(w.cfg.Queues) == 0 {
		slices.Sort(queues)
		queues = slices.Compact(queues)
		w.queues.Store(&queues)
	}
	return nil
}

// Ready reports whether the worker takes work now.
func (w *Worker) Ready() bool { return w.ready.Load() }

// Info returns what the worker is and does now.
func (w *Worker) Info() WorkerInfo {
	return WorkerInfo{
		ID: w.consumer, Name: w.cfg.Name, PID: os.Getpid(), Started: w.started, Version: w.cfg.Version,
		Workflows: slices.Sorted(maps.Keys(w.graphs)), Queues: *w.queues.Load(), Slots: w.cfg.Concurrency,
		Active: w.sessions.active(), Draining: w.draining.Load(),
	}
}
