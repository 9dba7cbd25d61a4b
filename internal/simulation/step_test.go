package simulation

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var stepSeeds = flag.Uint64("flox.steps", stepsDefault, "how many seeds TestSteps simulates")

// troubledSteps is for how many steps a simulation has faults.
const troubledSteps = 300

// stepThrough simulates a seed in the bubble it is called in, and returns its trace,
// if that is wanted, and what was violated.
func stepThrough(seed uint64, steps int, trace bool, wrap func(flox.Store) flox.Store) (string, map[string]int, error) {
	s := newStepper(seed, wrap(flox.NewMemory()), trace)
	err := s.run(steps)
	if !trace {
		return "", s.fired, err
	}
	return s.trace.String(), s.fired, err
}

func asIs(st flox.Store) flox.Store { return st }

// fewest finds with how few troubled steps a seed fails, for a trace that can be read.
func fewest(seed uint64, wrap func(flox.Store) flox.Store) int {
	for steps := range troubledSteps {
		if _, _, err := stepThrough(seed, steps, false, wrap); err != nil {
			return steps
		}
	}
	return troubledSteps
}

// TestSteps simulates many seeds, step by step. A seed is one order of calls, and
// the same one every time.
func TestSteps(t *testing.T) {
	fired := map[string]int{}
	var mu sync.Mutex
	var next atomic.Uint64
	one := func(t *testing.T, seed uint64) {
		_, faults, err := stepThrough(seed, troubledSteps, false, asIs)
		if err != nil {
			steps := fewest(seed, asIs)
			trace, _, err := stepThrough(seed, steps, true, asIs)
			t.Errorf("%s\nseed %d, %d steps: %v\nrepeat it with\n\tgo test -run '^TestSteps$' ./internal/simulation -flox.seed=%d",
				trace, seed, steps, err, seed)
		}
		mu.Lock()
		defer mu.Unlock()
		for name, n := range faults {
			fired[name] += n
		}
	}
	if *oneSeed > 0 {
		synctest.Test(t, func(t *testing.T) { one(t, *oneSeed) })
		return
	}
	began := time.Now()
	t.Run("seeds", func(t *testing.T) {
		for range 2 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					for seed := next.Add(1); seed <= *stepSeeds && !t.Failed(); seed = next.Add(1) {
						one(t, seed)
					}
				})
			})
		}
	})
	t.Logf("%d seeds in %v", *stepSeeds, time.Since(began).Round(time.Millisecond))
	for _, name := range []string{"request lost", "reply lost", "request late", "killed", "clock jumped"} {
		if fired[name] == 0 && !t.Failed() {
			t.Errorf("%s: 0 times, want it to have happened", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(fired)) {
		t.Logf("%-14s %d times", name, fired[name])
	}
}

// TestStepsAreTheSame checks that a seed gives the same trace again.
func TestStepsAreTheSame(t *testing.T) {
	for seed := range uint64(20) {
		var traces [2]string
		for i := range traces {
			synctest.Test(t, func(t *testing.T) {
				var err error
				if traces[i], _, err = stepThrough(seed, troubledSteps, true, asIs); err != nil {
					t.Error(err)
				}
			})
		}
		if traces[0] != traces[1] || len(traces[0]) < 1000 {
			t.Fatalf("seed %d gave two traces:\n%s\nand\n%s", seed, traces[0], traces[1])
		}
	}
}

// TestStepsFindBugs checks that the simulator finds stores that do not do what they
// must.
func TestStepsFindBugs(t *testing.T) {
	for name, wrap := range bugs {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for seed := range uint64(300) {
					if _, _, err := stepThrough(seed, troubledSteps, false, wrap); err != nil {
						line, _, _ := strings.Cut(err.Error(), "\n")
						t.Logf("seed %d: %s", seed, line)
						return
					}
				}
				t.Error("300 seeds have not found it")
			})
		})
	}
}
