package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
)

// concurrency is how many items a worker process has in hand at most.
const concurrency = 64

// sizes say how much each workload does.
type sizes struct {
	chains   int           // W1: runs
	fans     int           // W2: runs of 1 → 100 → join → end
	idle     int           // W3: chains one after the other
	deltas   int           // W5
	pending  int           // W4: the many runs that are pending
	parallel int           // W4: items of the one wide run
	settle   time.Duration // W6: how long an idle worker is watched
}

var (
	fullSizes = sizes{chains: 10_000, fans: 200, idle: 500, deltas: 1000, pending: 100_000, parallel: 10_000, settle: 20 * time.Second}
	// quickSizes are for a first look: less is measured, but the same things.
	quickSizes = sizes{chains: 4000, fans: 50, idle: 100, deltas: 1000, pending: 30_000, parallel: 5000, settle: 5 * time.Second}
)

// env is what one measurement gets. Everything it starts ends with it.
type env struct {
	sizes
	quick bool
	ends  []func()
}

// close ends what was started, the last first.
func (e *env) close() {
	for i := len(e.ends) - 1; i >= 0; i-- {
		e.ends[i]()
	}
	e.ends = nil
}

// atEnd has f called at the end of the measurement.
func (e *env) atEnd(f func()) { e.ends = append(e.ends, f) }

// settings are those that deploy/redis sets, for all systems alike. The append-only
// file is not rewritten: that would fall into some measurements and not into others.
var settings = testredis.Config{Args: []string{
	"--hash-max-listpack-value", "1024", "--hash-max-listpack-entries", "128",
	"--stream-node-max-entries", "20", "--latency-tracking", "no",
	"--auto-aof-rewrite-percentage", "0",
}}

// server starts an empty Redis with AOF everysec.
func (e *env) server(ctx context.Context) (*testredis.Server, error) {
	s, err := testredis.New(ctx, settings)
	if err != nil {
		return nil, err
	}
	e.atEnd(s.Stop)
	return s, nil
}

// client connects to a server until the end of the measurement.
func (e *env) client(s *testredis.Server) *redis.Client {
	c := s.Client()
	e.atEnd(func() { _ = c.Close() })
	return c
}

// worker starts a worker process, see kinds, and waits until it says that it is
// ready.
func (e *env) worker(ctx context.Context, kind string, args ...string) (*process, error) {
	p, err := launch(kind, args...)
	if err != nil {
		return nil, err
	}
	e.atEnd(p.kill)
	if _, err := p.await(ctx, "ready"); err != nil {
		return nil, fmt.Errorf("worker %s: %w", kind, err)
	}
	return p, nil
}

// redisCPU is what all threads of the server have used so far.
func redisCPU(ctx context.Context, c *redis.Client) (time.Duration, error) {
	var total time.Duration
	for _, field := range []string{"used_cpu_user", "used_cpu_sys"} {
		v, err := infoNumber(ctx, c, "cpu", field)
		if err != nil {
			return 0, err
		}
		total += time.Duration(v * float64(time.Second))
	}
	return total, nil
}

// infoNumber reads one number of INFO.
func infoNumber(ctx context.Context, c *redis.Client, section, field string) (float64, error) {
	info, err := c.Info(ctx, section).Result()
	if err != nil {
		return 0, err
	}
	return numberIn(info, field)
}

// numberIn finds one number in what INFO says.
func numberIn(info, field string) (float64, error) {
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			return strconv.ParseFloat(v, 64)
		}
	}
	return 0, fmt.Errorf("INFO has no %s", field)
}
