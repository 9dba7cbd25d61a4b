package redisstore_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/floxrun/flox/internal/proptest"
	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

var propertySeeds = flag.Int("flox.seeds", 150, "how many random workflows TestRandomGraphsOnRedis runs")

// crowd is how many cases share their workers, and how long a lease lasts. A
// miniredis takes many times as long for each case: with short leases its workers
// would lose them all, and do everything again and again.
type crowd struct {
	cases int
	lease time.Duration
}

var (
	onServer    = crowd{50, 500 * time.Millisecond}
	onMiniredis = crowd{12, 2 * time.Second}
)

// TestRandomGraphsOnMiniredis and the like run random workflows, many at a time
// on workers that crash, and compare each run with what a simple model says of
// it. FLOX_SEED and FLOX_SIZE repeat one.
func TestRandomGraphsOnMiniredis(t *testing.T) {
	t.Parallel()
	for shard := range int64(2) { // a miniredis does one thing at a time
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			s := open(t, redisstore.Config{URL: "redis://" + miniredis.RunT(t).Addr(), Embedded: true})
			randomGraphs(t, s, 10_000+100*shard, 4, onMiniredis)
		})
	}
}

func TestRandomGraphsOnRedis(t *testing.T) {
	t.Parallel()
	randomGraphs(t, open(t, redisstore.Config{URL: testredis.Start(t).URL()}), 20_000, *propertySeeds/onServer.cases, onServer)
}

func TestRandomGraphsOnCluster(t *testing.T) {
	t.Parallel()
	randomGraphs(t, open(t, redisstore.Config{URL: testredis.Cluster(t, 3).URL(), Partitions: 8}), 30_000, 1, onServer)
}

// randomGraphs runs a crowd of cases in each round.
func randomGraphs(t *testing.T, st flox.Store, seed int64, rounds int, c crowd) {
	cfg := proptest.Config{
		Workers: 3, Concurrency: 16, Lease: c.lease, Quantum: 5 * time.Millisecond,
		Crashes: 12, Pauses: 12, Limit: 4 * time.Minute,
	}
	for range rounds {
		var cases []*proptest.Case
		for range c.cases {
			seed++
			cases = append(cases, newCase(t, seed, 1+int(seed%9)))
		}
		if seed, size := proptest.Asked(); size > 0 {
			cases = []*proptest.Case{newCase(t, seed, size)}
		}
		for i, err := range proptest.Drive(t.Context(), st, seed, cfg, cases) {
			if err != nil {
				t.Errorf("%v\nrepeat it with\n\t%s", err, repeat(t, cases[i]))
			}
		}
		if _, size := proptest.Asked(); size > 0 || t.Failed() {
			return
		}
	}
}

func newCase(t *testing.T, seed int64, size int) *proptest.Case {
	t.Helper()
	c, err := proptest.New(seed, size, 2*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func repeat(t *testing.T, c *proptest.Case) string {
	test, _, _ := strings.Cut(t.Name(), "/")
	return fmt.Sprintf("FLOX_SEED=%d FLOX_SIZE=%d go test -race -run '^%s$' ./pkg/redisstore", c.Seed, c.Size, test)
}
