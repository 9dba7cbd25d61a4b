package metrics

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/floxrun/flox/pkg/redisstore"
)

// Most keys and fields that the readings of everything look at in a second.
const (
	surveyRate = 400
	memoryRate = 1000
)

// memorySample is how many keys of a kind are measured in one reading.
const memorySample = 500

// staleAfter is how many intervals a reading is shown for: old numbers look like
// new ones.
const staleAfter = 3

// ErrMoved is what Cluster.Run returns if the store is to be opened again.
var ErrMoved = errors.New("the namespace has another number of partitions now")

// ClusterConfig is for NewCluster. All fields are needed.
type ClusterConfig struct {
	Namespace string
	// Hosts are the servers that are down while none has answered.
	Hosts []string
	// Interval is the time between two readings.
	Interval time.Duration
	// Logger is told when readings begin to fail, and when they succeed again.
	Logger *slog.Logger
}

// Cluster shows Prometheus the state of a namespace and its Redis. It reads in the
// background, at its own pace: a scrape is answered from the last reading and costs
// Redis nothing. Its methods are safe for concurrent use.
type Cluster struct {
	cfg      ClusterConfig
	gatherer prometheus.Gatherer
	began    time.Time
	// Pace of the readings of everything, in keys and fields a second.
	surveyRate, memoryRate float64

	mu      sync.Mutex
	parts   []*part
	up      map[string]bool   // servers of the last reading
	clocks  map[string]*clock // of servers, by address
	queues  []string          // in which the survey has found tokens
	failing map[*part]bool
}

// part is something that is read at one go.
type part struct {
	name string
	// swept says that it takes many intervals, and only so much in each.
	swept bool
	read  func(ctx context.Context, st *redisstore.Store) ([]prometheus.Metric, error)

	metrics []prometheus.Metric
	at      time.Time // of the last reading in full
	took    time.Duration
	errors  int
}

// NewCluster returns a Cluster that has read nothing yet.
func NewCluster(cfg ClusterConfig) *Cluster {
	c := &Cluster{
		cfg: cfg, began: time.Now(), surveyRate: surveyRate, memoryRate: memoryRate,
		up: map[string]bool{}, clocks: map[string]*clock{}, failing: map[*part]bool{},
	}
	c.parts = []*part{
		{name: "runs", read: c.readRuns},
		{name: "queues", read: c.readQueues},
		{name: "workers", read: c.readWorkers},
		{name: "servers", read: c.readServers},
		{name: "tokens", read: c.readTokens, swept: true},
		{name: "memory", read: c.readMemory, swept: true},
	}
	for _, host := range cfg.Hosts {
		c.up[host] = false
	}
	reg := prometheus.NewRegistry()
	ofProcess(reg, cfg.Namespace).MustRegister(c)
	c.gatherer = reg
	return c
}

// Handler answers scrapes.
func (c *Cluster) Handler() http.Handler {
	return promhttp.HandlerFor(c.gatherer, promhttp.HandlerOpts{})
}

// Run reads st until ctx ends, or ErrMoved. Nothing reads any more when it returns.
func (c *Cluster) Run(ctx context.Context, st *redisstore.Store) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, p := range c.parts {
		wg.Go(func() {
			tick := time.NewTicker(c.cfg.Interval)
			defer tick.Stop()
			for {
				if err := c.refresh(ctx, st, p); errors.Is(err, ErrMoved) {
					cancel(err)
				}
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
	}
	wg.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	for server := range c.up { // nobody asks any more
		c.up[server] = false
	}
	return context.Cause(ctx)
}

// refresh reads one part. What a failed reading brought is shown, as that a server
// is down; without any the last one is shown until it is stale. A sweep begins anew.
func (c *Cluster) refresh(ctx context.Context, st *redisstore.Store, p *part) error {
	began := time.Now()
	metrics, err := c.bounded(ctx, st, p)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(err, ErrMoved) { // nothing has failed
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if metrics != nil || p.swept {
		p.metrics = metrics
	}
	if err != nil {
		p.errors++
	} else {
		p.at, p.took = time.Now(), time.Since(began)
	}
	c.tell(p, err)
	return err
}

func (c *Cluster) bounded(ctx context.Context, st *redisstore.Store, p *part) ([]prometheus.Metric, error) {
	if !p.swept {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, max(c.cfg.Interval, time.Second))
		defer cancel()
	}
	return p.read(ctx, st)
}

// tell logs the first of a row of failures, of whatever part, and its end.
func (c *Cluster) tell(p *part, err error) {
	before := len(c.failing) > 0
	if err != nil {
		c.failing[p] = true
	} else {
		delete(c.failing, p)
	}
	switch after := len(c.failing) > 0; {
	case after && !before:
		c.cfg.Logger.Warn("redis cannot be read", "part", p.name, "error", err)
	case before && !after:
		c.cfg.Logger.Info("redis can be read again")
	}
}

// Stale names the parts that were not read in full lately; those that take many
// intervals are not among them.
func (c *Cluster) Stale() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var stale []string
	for _, p := range c.parts {
		if !p.swept && !c.fresh(p) {
			stale = append(stale, p.name)
		}
	}
	return stale
}

func (c *Cluster) fresh(p *part) bool {
	return !p.at.IsZero() && time.Since(p.at) <= staleAfter*c.cfg.Interval
}

// Describe implements prometheus.Collector.
func (c *Cluster) Describe(descs chan<- *prometheus.Desc) {
	for _, s := range clusterSeries {
		descs <- s.desc
	}
}

// Collect implements prometheus.Collector.
func (c *Cluster) Collect(metrics chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	away := true
	for _, up := range c.up {
		away = away && !up
	}
	for server, up := range c.up {
		metrics <- seriesUp.at(truth(up), server)
	}
	for _, p := range c.parts {
		metrics <- seriesErrors.at(float64(p.errors), p.name)
		read := c.began // so that what is never read is seen to grow old
		if !p.at.IsZero() {
			read = p.at
			metrics <- seriesTook.at(p.took.Seconds(), p.name)
		}
		metrics <- seriesRead.at(float64(read.UnixMilli())/1000, p.name)
		if !p.swept && !c.fresh(p) && p.name != "servers" || p.swept && away {
			continue
		}
		for _, m := range p.metrics {
			metrics <- m
		}
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
