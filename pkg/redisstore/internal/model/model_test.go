package model

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

// long is set for the deep form: "make model".
var long = os.Getenv("FLOX_MODEL") == "deep"

// The most states that one exploration looks at.
const (
	shortStates = 400_000
	longStates  = 20_000_000
	racyStates  = 500 // with the race detector, which has nothing to see here
)

func show(t *testing.T, r Report) {
	t.Helper()
	if r.Wrong != "" {
		t.Errorf("%s\n%s", r.Wrong, strings.Join(r.Trace, "\n"))
	}
}

// TestProtocol explores every setup whole: no state violates anything, and from each
// the run comes to an end by what happens by itself.
func TestProtocol(t *testing.T) {
	var sum Report
	all := append([]Setup(nil), setups...)
	most := shortStates
	if racy {
		most = racyStates
	}
	if long {
		most = longStates
		for _, s := range setups {
			all = append(all, deep(s))
		}
	}
	begun := time.Now()
	for _, s := range all {
		t.Run(s.Name, func(t *testing.T) {
			start := time.Now()
			r := New(s, None).Explore(most)
			t.Logf("%d states, %d steps, %d deep, %d ends, in %v", r.States, r.Steps, r.Deepest, r.Ends, time.Since(start).Round(time.Millisecond))
			if r.Cut && !racy {
				t.Errorf("more than %d states: lower the bounds", most)
			}
			show(t, r)
			sum.add(r)
		})
	}
	t.Logf("%d setups: %d states, %d steps in %v", len(all), sum.States, sum.Steps, time.Since(begun).Round(time.Millisecond))
	if racy || t.Failed() {
		return
	}
	for s := range scripts {
		if sum.Fired[s] == 0 {
			t.Errorf("no setup runs %s.lua", s)
		}
	}
	for f := range faults {
		if sum.Faults[f] == 0 && f != sweep && hurts(f) {
			t.Errorf("no setup has %s", f)
		}
	}
}

// hurts says whether a fault is a step of its own.
func hurts(f fault) bool {
	switch f {
	case crash, save, cut, regroup, drain, stray:
		return true
	}
	return false
}

func (r *Report) add(one Report) {
	r.States += one.States
	r.Steps += one.Steps
	r.Ends += one.Ends
	for i, n := range one.Fired {
		r.Fired[i] += n
	}
	for i, n := range one.Faults {
		r.Faults[i] += n
	}
}

// TestWalks goes through every graph at random, with three workers and all faults.
func TestWalks(t *testing.T) {
	walks, steps := uint64(150), 80
	switch {
	case long:
		walks, steps = 20_000, 120
	case racy:
		walks = 5
	}
	var sum Report
	for _, g := range graphs {
		m := New(wild(g), None)
		for seed := range walks {
			r := m.Walk(rand.New(rand.NewPCG(seed, 0)), steps)
			sum.add(r)
			if r.Wrong != "" {
				t.Errorf("%s, seed %d: %s\n%s", g.Name, seed, r.Wrong, strings.Join(r.Trace, "\n"))
				break
			}
		}
	}
	t.Logf("%d walks, %d steps", int(walks)*len(graphs), sum.Steps)
}
