package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/integration/load"
	"github.com/floxrun/flox/integration/proxy"
	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// lease is what the workers' leases last.
const lease = time.Second

// patience is how long anything is waited for that must come, unless a rule says
// less.
const patience = 60 * time.Second

// trial is one scenario on one server with one seed. What its fields say may be
// changed by the scenario; its methods are safe for concurrent use.
type trial struct {
	Seed      uint64
	Random    *rand.Rand // the schedule of the faults; not for concurrent use
	Short     bool
	Namespace string
	Site      *site
	Fleet     *load.Fleet // has no workers until the scenario starts some

	// Case is what the checker is told besides the runs, the log and Rest.
	Case checker.Case
	// Longest is what the longest run of the load takes at most without faults, once
	// the worker has it.
	Longest time.Duration
	// Within is the bound on the time from the last fault to rest (L1); 0 is the
	// rule's own, with Longest.
	Within time.Duration
	// FinalCheck, if set, judges what only this scenario knows, at rest.
	FinalCheck func(ctx context.Context, snap *checker.Snapshot, log []checker.Execution) error

	job     job
	dir     string
	binary  string
	bug     string
	watches []*checker.Watch
	stalls  stalls
	clients []*redis.Client // of the nodes, in their order
	metered []string        // where the workers' metrics are that are judged

	mu      sync.Mutex
	faults  map[string]int
	wants   map[string]checker.Want
	report  checker.Report
	calmAt  time.Time
	calmed  time.Duration // the stalls until then
	proxies []*proxy.Proxy
	closers []func()
}

// newTrial starts the servers and follows them; close it after use, whatever it
// returned.
func newTrial(ctx context.Context, o *options, j job, binary string) (*trial, error) {
	t := &trial{
		Seed: j.seed, Random: rand.New(rand.NewPCG(j.seed, 0)), Short: o.short, Longest: 2 * time.Second,
		Namespace: fmt.Sprintf("chaos-%d", j.seed), job: j, binary: binary, bug: o.bug,
		faults: map[string]int{}, wants: map[string]checker.Want{},
		Case: checker.Case{Merges: load.Merges},
	}
	var err error
	if t.dir, err = os.MkdirTemp("", "flox-chaos-"); err != nil {
		return t, err
	}
	if !o.keep {
		t.onClose(func() { _ = os.RemoveAll(t.dir) })
	}
	ctx, cancel := context.WithCancel(ctx)
	t.onClose(cancel)
	go t.stalls.follow(ctx)
	cfg, err := servers[j.server]()
	if err != nil {
		return t, err
	}
	if t.Site, err = topologies[j.topology](ctx, cfg); err != nil {
		return t, err
	}
	t.onClose(t.Site.Stop)
	for _, n := range t.Site.Nodes {
		c := n.Client()
		t.onClose(func() { _ = c.Close() })
		t.clients = append(t.clients, c)
	}
	return t, nil
}

// prepare makes the fleet and begins to follow the servers. It is the harness's,
// after the scenario had its say in its set-up.
func (t *trial) prepare(ctx context.Context) error {
	env := []string{}
	if t.bug != "" {
		env = append(env, "FLOX_BUG="+t.bug)
	}
	var err error
	t.Fleet, err = load.NewFleet(load.FleetConfig{Binary: t.binary, URL: t.Site.URL, Namespace: t.Namespace, Dir: t.dir, Env: env})
	if err != nil {
		return err
	}
	t.onClose(func() { _ = t.Fleet.Close() })
	for _, n := range t.Site.Nodes {
		if err := t.Follow(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// Follow judges all commands of one more server from now on.
func (t *trial) Follow(ctx context.Context, n *testredis.Server) error {
	if t.job.scenario.unwatched {
		return nil
	}
	w, err := checker.Follow(ctx, n.Addr(), "flox:{"+t.Namespace)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.watches = append(t.watches, w)
	t.closers = append(t.closers, func() { _ = w.Close() })
	return nil
}

// onClose adds what close does, before what was added earlier.
func (t *trial) onClose(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closers = append(t.closers, f)
}

func (t *trial) close() {
	t.mu.Lock()
	closers := t.closers
	t.mu.Unlock()
	for _, f := range slices.Backward(closers) {
		f()
	}
}

// Fired tells that a fault hit n times. Zero makes it one that must fire yet.
func (t *trial) Fired(name string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults[name] += n
}

// Calm says that the last fault is over: from now on the time to rest counts.
func (t *trial) Calm() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calmAt, t.calmed = time.Now(), t.stalls.sum()
}

// Expect says what a run must have come to.
func (t *trial) Expect(id string, w checker.Want) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wants[id] = w
}

// Measure notes a number that the row shows.
func (t *trial) Measure(name string, value float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Measure(name, value)
}

// Judge counts one thing as judged by a rule, and as a violation unless it is ok.
func (t *trial) Judge(rule string, ok bool, format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.report.Judged(rule, 1)
	if !ok {
		t.report.Violate(rule, format, args...)
	}
}

// Wants returns what all runs must have come to.
func (t *trial) Wants() map[string]checker.Want {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.wants)
}

// Store opens a store, without any proxy; the trial closes it. Close it earlier
// by yourself if you like.
func (t *trial) Store(ctx context.Context) (*redisstore.Store, error) {
	st, err := redisstore.Open(ctx, redisstore.Config{URL: t.Site.URL, Namespace: t.Namespace, Patience: patience})
	if err != nil {
		return nil, err
	}
	t.onClose(func() { _ = st.Close() })
	return st, nil
}

// Control opens a store and returns its controls.
func (t *trial) Control(ctx context.Context) (*flox.Control, error) {
	st, err := t.Store(ctx)
	if err != nil {
		return nil, err
	}
	return flox.NewControl(st), nil
}

// Nodes returns raw clients of the servers, in the order of the site's Nodes.
func (t *trial) Nodes() []*redis.Client { return t.clients }

// Masters returns raw clients of the servers that hold data now.
func (t *trial) Masters(ctx context.Context) ([]*redis.Client, error) {
	if t.Site.Masters != nil {
		return t.Site.Masters(ctx)
	}
	return t.clients, nil
}

// Await waits until ok says so, for at most patience.
func (t *trial) Await(ctx context.Context, what string, ok func() (bool, error)) error {
	var last error
	limit := patience
	if t.bug != "" { // what is stuck then is stuck for ever
		limit /= 3
	}
	for deadline := time.Now().Add(limit); ; {
		done, err := ok()
		if err == nil && done {
			return nil
		}
		last = err
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("waited %v in vain until %s", limit, what), last)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// every calls f at once and then every d, for as long as during says.
func every(ctx context.Context, d, during time.Duration, f func() error) error {
	for end := time.Now().Add(during); ; {
		if err := f(); err != nil {
			return err
		}
		if err := pause(ctx, d); err != nil {
			return err
		}
		if time.Now().After(end) {
			return nil
		}
	}
}
