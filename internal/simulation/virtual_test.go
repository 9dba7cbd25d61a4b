package simulation

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/internal/proptest"
)

var (
	virtualSeeds = flag.Uint64("flox.virtual", virtualDefault, "how many systems TestVirtualTime simulates")
	oneSeed      = flag.Uint64("flox.seed", 0, "the one seed to simulate; 0: all")
)

// TestVirtualTime runs random workflows on real workers and the real Redis store
// in virtual time, while workers are killed, frozen and cut off, and requests and
// replies get lost or come late. Every run must end as a simple model says, each
// delta applied once, and nothing may be left behind. The seed decides what is run
// and what happens, but not how goroutines take turns: repeat a failed one often.
func TestVirtualTime(t *testing.T) {
	fired := &tally{times: map[string]int{}}
	if *oneSeed > 0 {
		virtual(t, *oneSeed, fired)
		return
	}
	began := time.Now()
	var next atomic.Uint64
	var simulated atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for range 2 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				for seed := next.Add(1); seed <= *virtualSeeds && !t.Failed(); seed = next.Add(1) {
					simulated.Add(int64(virtual(t, seed, fired)))
				}
			})
		}
	})
	t.Logf("%d seeds, %v simulated in %v", *virtualSeeds, time.Duration(simulated.Load()).Round(time.Minute), time.Since(began).Round(time.Second))
	for _, name := range slices.Sorted(maps.Keys(fired.times)) {
		t.Logf("%-16s %d times", name, fired.times[name])
	}
	wanted := []string{"killed", "frozen", "connections cut", "paused"}
	for f := range faults {
		wanted = append(wanted, f.String())
	}
	for _, name := range wanted {
		// In a few seeds chance may leave one out: runs end before it comes.
		if fired.times[name] == 0 && *virtualSeeds >= 50 && !t.Failed() {
			t.Errorf("%s: 0 times in %d seeds, want it to have happened", name, *virtualSeeds)
		}
	}
}

// virtual simulates one system, and returns how much time passed in it.
func virtual(t *testing.T, seed uint64, fired *tally) (took time.Duration) {
	var cases []*proptest.Case
	for i := range 1 + int64(seed%3) {
		c, err := proptest.New(int64(seed)*10+i, 1+int(seed%11), 50*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	var err error
	synctest.Test(t, func(*testing.T) {
		began := time.Now()
		err = simulate(seed, cases, fired)
		took = time.Since(began)
	})
	if err != nil {
		t.Errorf("seed %d: %v\nrepeat it with\n\t%s", seed, err,
			fmt.Sprintf("go test -race -count=20 -run '^TestVirtualTime$' ./internal/simulation -flox.seed=%d", seed))
	}
	return took
}
