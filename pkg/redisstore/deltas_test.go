package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

type gathered struct {
	Seen flox.Set[int] `json:"seen"`
	Sum  flox.Sum      `json:"sum"`
}

// Ten thousand parallel items of one run add to its state on three workers,
// which read it now and then and so fold the log: every delta is there, once.
func TestManyDeltas(t *testing.T) {
	t.Parallel()
	const items = 10_000
	b := flox.New[gathered]("gather")
	split := flox.Split(b, "split", func(n int) []int {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return all
	})
	add := flox.AddFunc(b, "add", func(ctx *flox.Context[gathered], n int) (flox.Transition[flox.None], error) {
		ctx.Merge(gathered{Seen: flox.SetOf(n), Sum: 1})
		if n%200 == 0 && !ctx.State().Seen.Has(n) {
			return nil, errors.New("the state lacks what this item has merged")
		}
		return flox.Next(flox.None{}), nil
	})
	split.To(add)
	wf, err := flox.Build(b, split, add)
	if err != nil {
		t.Fatal(err)
	}
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	for i := range 3 {
		defer run(t, s, flox.WorkerConfig{Name: fmt.Sprint("w", i)}, wf)()
	}
	orch, err := flox.NewOrchestrator(s, wf, nil)
	if err != nil {
		t.Fatal(err)
	}
	id, err := orch.Start(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	res, err := orch.Wait(ctx, id)
	if err != nil || len(res.State.Seen) != items || res.State.Sum != items {
		t.Errorf("Wait = %v, %d items seen, %d deltas, want %d", err, len(res.State.Seen), res.State.Sum, items)
	}
	log, err := s.State(t.Context(), id, 0)
	if err != nil || log.Version != items || log.Folded+int64(len(log.Deltas)) != items || log.Folded == 0 {
		t.Errorf("log: %d folded, %d deltas, version %d, %v, want some folded and %d in all", log.Folded, len(log.Deltas), log.Version, err, items)
	}
}
