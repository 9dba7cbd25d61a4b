package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// timings is how long a run took, and its nodes, from what is kept of its steps.
type timings struct {
	QueuedMs *millis      `json:"queuedMs"` // until the first step began; null if that is not known
	RanMs    *millis      `json:"ranMs"`    // from then to its end, or until now
	Nodes    []nodeTiming `json:"nodes"`    // by the time that they took
}

// nodeTiming is how long the steps of one node took.
type nodeTiming struct {
	Node    string `json:"node"`
	Steps   int    `json:"steps"`   // that are kept
	TotalMs millis `json:"totalMs"` // of all of them
	MaxMs   millis `json:"maxMs"`   // of the longest
}

// timings adds up the steps that are kept of a run.
func (a *app) timings(ctx context.Context, s *session, run flox.RunInfo) (timings, error) {
	h := historyReader{s: s, run: run.ID}
	var began time.Time
	byNode := map[string]*nodeTiming{}
	for {
		var steps []flox.StepRecord
		err := a.ask(ctx, func(ctx context.Context) (err error) {
			steps, err = h.next(ctx)
			return err
		})
		if err != nil {
			return timings{}, err
		}
		if len(steps) == 0 {
			return newTimings(run, began, byNode), nil
		}
		for _, step := range steps {
			// The first step is known if it is kept and was not tried before.
			if step.Item == flox.ItemID("0", 0) && step.Attempt == 1 {
				began = step.Time.Add(-step.Duration)
			}
			addTiming(byNode, step)
		}
	}
}

func addTiming(byNode map[string]*nodeTiming, step flox.StepRecord) {
	at := byNode[step.Node]
	if at == nil {
		at = &nodeTiming{Node: step.Node}
		byNode[step.Node] = at
	}
	took := asMillis(step.Duration)
	at.Steps++
	at.TotalMs += took
	at.MaxMs = max(at.MaxMs, took)
}

func newTimings(run flox.RunInfo, began time.Time, byNode map[string]*nodeTiming) timings {
	t := timings{Nodes: []nodeTiming{}}
	for _, name := range slices.Sorted(maps.Keys(byNode)) {
		t.Nodes = append(t.Nodes, *byNode[name])
	}
	slices.SortStableFunc(t.Nodes, func(x, y nodeTiming) int { return cmp.Compare(y.TotalMs, x.TotalMs) })
	if began.IsZero() {
		return t
	}
	end := run.Ended
	if end.IsZero() {
		end = time.Now()
	}
	queued, ran := asMillis(max(0, began.Sub(run.Created))), asMillis(max(0, end.Sub(began)))
	t.QueuedMs, t.RanMs = &queued, &ran
	return t
}

// lines are the timings for people.
func (t timings) lines() []string {
	var lines []string
	if t.QueuedMs != nil {
		lines = append(lines, fmt.Sprintf("queued %s, ran %s", shortMs(*t.QueuedMs), shortMs(*t.RanMs)))
	}
	for _, n := range t.Nodes {
		lines = append(lines, fmt.Sprintf("%s: %d steps, %s in all, %s at most", n.Node, n.Steps, shortMs(n.TotalMs), shortMs(n.MaxMs)))
	}
	return lines
}
