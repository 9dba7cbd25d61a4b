package main

import (
	"context"
	"fmt"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/integration/load"
)

// InHand returns how many items each worker has begun and not ended, by its name.
func (t *trial) InHand() (map[string]int, error) {
	log, err := checker.ReadLog(t.Fleet.Log())
	if err != nil {
		return nil, err
	}
	hand := map[string]int{}
	for _, e := range log {
		if e.Event == checker.Start {
			hand[e.Worker]++
		} else {
			hand[e.Worker]--
		}
	}
	return hand, nil
}

// Busy waits for a worker that has something in hand, and returns one of those at
// random.
func (t *trial) Busy(ctx context.Context) (*load.Worker, error) {
	var busy []*load.Worker
	err := t.Await(ctx, "a worker has something in hand", func() (bool, error) {
		hand, err := t.InHand()
		busy = busy[:0]
		for _, w := range t.Fleet.Workers() {
			if hand[w.Name] > 0 {
				busy = append(busy, w)
			}
		}
		return len(busy) > 0, err
	})
	if err != nil {
		return nil, err
	}
	return busy[t.Random.IntN(len(busy))], nil
}

// AwaitStarts waits until a node of a run has begun as often as n.
func (t *trial) AwaitStarts(ctx context.Context, run, node string, n int) error {
	return t.Await(ctx, fmt.Sprintf("node %s of run %s has begun %d times", node, run, n), func() (bool, error) {
		log, err := checker.ReadLog(t.Fleet.Log())
		seen := 0
		for _, e := range log {
			if e.Run == run && e.Node == node && e.Event == checker.Start {
				seen++
			}
		}
		return seen >= n, err
	})
}

// late counts the items that a worker ended after another one had begun them: its
// commit came late and must have been refused.
func late(log []checker.Execution) int {
	owner, n := map[string]string{}, 0
	for _, e := range log {
		item := e.Run + " " + e.Item
		switch {
		case e.Event == checker.Start:
			owner[item] = e.Worker
		case owner[item] != e.Worker:
			n++
		}
	}
	return n
}

// repeated counts the executions of items at attempts that had been begun before.
func repeated(log []checker.Execution) int {
	seen, n := map[string]bool{}, 0
	for _, e := range log {
		if e.Event != checker.Start {
			continue
		}
		key := fmt.Sprintf("%s %s %d", e.Run, e.Item, e.Attempt)
		if seen[key] {
			n++
		}
		seen[key] = true
	}
	return n
}
