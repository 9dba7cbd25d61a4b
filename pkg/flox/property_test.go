package flox_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/internal/proptest"
	"github.com/floxrun/flox/pkg/flox"
)

var propertySeeds = flag.Int64("flox.seeds", 2000, "how many random workflows TestRandomGraphs runs")

// TestRandomGraphs runs random workflows on workers that crash, in virtual time,
// and compares each run with what a simple model says of it. FLOX_SEED and
// FLOX_SIZE repeat one.
func TestRandomGraphs(t *testing.T) {
	if seed, size := proptest.Asked(); size > 0 {
		if err := randomGraph(t, seed, size); err != nil {
			t.Error(err)
		}
		return
	}
	var next atomic.Int64
	for shard := range 4 {
		t.Run(fmt.Sprint(shard), func(t *testing.T) {
			t.Parallel()
			for seed := next.Add(1); seed <= *propertySeeds && !t.Failed(); seed = next.Add(1) {
				size := 1 + int(seed%14)
				if err := randomGraph(t, seed, size); err != nil {
					t.Error(smaller(t, seed, size, err))
				}
			}
		})
	}
}

// smaller looks for a smaller case that fails too, and says how to repeat it.
func smaller(t *testing.T, seed int64, size int, err error) error {
	for try, most := int64(0), size; try < 40*int64(most); try++ {
		trySeed, trySize := seed+try%40, 1+int(try/40)
		if trySize >= size {
			break
		}
		if smaller := randomGraph(t, trySeed, trySize); smaller != nil {
			err, seed, size = smaller, trySeed, trySize
		}
	}
	return fmt.Errorf("%w\nrepeat it with\n\tFLOX_SEED=%d FLOX_SIZE=%d go test -race -run TestRandomGraphs ./pkg/flox", err, seed, size)
}

// randomGraph runs one case in a bubble of its own.
func randomGraph(t *testing.T, seed int64, size int) (err error) {
	r := rand.New(rand.NewPCG(uint64(seed), 3))
	cfg := proptest.Config{
		Workers: 1 + r.IntN(4), Concurrency: 1 + r.IntN(4), Lease: time.Second, Quantum: time.Second,
		Crashes: r.IntN(5), Limit: time.Hour,
	}
	if r.IntN(2) == 0 {
		cfg.Quantum = time.Nanosecond
	}
	if r.IntN(4) == 0 {
		cfg.Pauses = 1 + r.IntN(3)
	}
	c, err := proptest.New(seed, size, 50*time.Millisecond)
	if err != nil {
		return err
	}
	synctest.Test(t, func(t *testing.T) {
		err = proptest.Drive(context.Background(), flox.NewMemory(), seed, cfg, []*proptest.Case{c})[0]
	})
	return err
}
