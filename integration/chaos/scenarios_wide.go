package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/integration/load"
	"github.com/floxrun/flox/pkg/flox"
)

func init() {
	register(scenario{name: "wide-commits", row: "one run with 10,000 parallel items", unwatched: true, apart: true, run: wideCommits})
}

// wideCommits compares commits in one run of 10,000 parallel items with those in runs
// of 10, of which there are as many items, on the same workers. The machine has other
// work too, so the best of some rounds counts.
func wideCommits(ctx context.Context, t *trial) error {
	const width, narrow, rounds, most = 10_000, 10, 3, 2.0
	t.Fired("items in parallel", 0)
	t.Longest = time.Minute
	if err := t.Metered(ctx, 2, "FLOX_LEASE=10s"); err != nil {
		return err
	}
	ctl, err := t.Control(ctx)
	if err != nil {
		return err
	}
	var best, small, large float64
	done := 0
	for round := range rounds {
		var p99 [2]float64
		for i, of := range []int{narrow, width} {
			prefix := fmt.Sprintf("%d-of-%d-", round, of)
			if err := t.meshes(ctx, ctl, prefix, width/of, of, &done); err != nil {
				return err
			}
			log, err := checker.ReadLog(t.Fleet.Log())
			if err != nil {
				return err
			}
			took := keptCommits(log, prefix)
			if len(took) < width {
				return fmt.Errorf("%d commits of the runs %s were seen, want %d or more", len(took), prefix, width)
			}
			p99[i] = took[len(took)*99/100].Seconds()
		}
		t.Fired("items in parallel", width)
		if ratio := p99[1] / p99[0]; round == 0 || ratio < best {
			best, small, large = ratio, p99[0], p99[1]
		}
		if best <= most {
			break
		}
	}
	t.Calm()
	t.Measure("p99 commit at 10", small)
	t.Measure("p99 commit at 10,000", large)
	t.Judge("p99 commit", best <= most, "99 of 100 commits are done in %.2f ms in runs of %d parallel items and in %.2f ms in one of %d; want at most %v times as long",
		small*1000, narrow, large*1000, width, most)
	return nil
}

// meshes starts runs of that many branches and waits until they have completed. done
// is how many had completed before.
func (t *trial) meshes(ctx context.Context, ctl *flox.Control, prefix string, runs, width int, done *int) error {
	err := t.startAll(ctx, ctl, runs, func(i int) load.Run {
		return load.Run{ID: fmt.Sprint(prefix, i), Workflow: load.MeshName, Input: load.Mesh{Width: width, Again: 2}}
	})
	if err != nil {
		return err
	}
	*done += runs
	return t.awaitCompleted(ctx, *done)
}

// keptCommits returns, sorted, how long it took from the end of a step to the begin
// of the next one in the hands of the same worker: its commit. It is of the runs
// whose ids begin so.
func keptCommits(log []checker.Execution, prefix string) []time.Duration {
	type end struct {
		worker string
		at     time.Time
	}
	ends := map[string]end{} // by the item that comes next
	var took []time.Duration
	for _, e := range log {
		if e.Node != "first" || !strings.HasPrefix(e.Run, prefix) {
			continue
		}
		if e.Event == checker.End {
			dot := strings.LastIndexByte(e.Item, '.')
			step, err := strconv.Atoi(e.Item[dot+1:])
			if err == nil {
				ends[fmt.Sprintf("%s %s.%d", e.Run, e.Item[:dot], step+1)] = end{e.Worker, e.At}
			}
		} else if was, ok := ends[e.Run+" "+e.Item]; ok && was.worker == e.Worker && e.Attempt == 1 {
			took = append(took, e.At.Sub(was.at))
		}
	}
	slices.Sort(took)
	return took
}
