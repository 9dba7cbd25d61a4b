package redisstore_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// lapped is a namespace with some runs of so many steps, by their ids.
type lapped struct {
	t *testing.T
	s *redisstore.Store
	c *redis.Client
}

func laps(t *testing.T, steps map[string]int) lapped {
	t.Helper()
	b := flox.New[flox.NoState]("laps").MaxSteps(100)
	lap := flox.AddFunc(b, "lap", func(_ *flox.Context[flox.NoState], left int) (flox.Transition[int], error) {
		return flox.Next(left - 1), nil
	})
	end := flox.End[int](b, "end")
	lap.Route(flox.When(func(left int) bool { return left > 0 }, lap), flox.Otherwise(end))
	wf, err := flox.Build(b, lap, end)
	if err != nil {
		t.Fatal(err)
	}
	server := testredis.Start(t)
	l := lapped{t, open(t, redisstore.Config{URL: server.URL(), Partitions: 1}), server.Client()}
	t.Cleanup(func() { _ = l.c.Close() })
	defer run(t, l.s, flox.WorkerConfig{}, wf)()
	orch, err := flox.NewOrchestrator(l.s, wf, nil)
	if err != nil {
		t.Fatal(err)
	}
	for id, n := range steps {
		// The end is a step, too.
		if _, err := orch.Start(t.Context(), n-1, flox.WithID(id)); err != nil {
			t.Fatal(err)
		}
	}
	for id := range steps {
		if _, err := orch.Wait(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (l lapped) key(kind, run string) string {
	return fmt.Sprintf("flox:{%s:0}:%s:%s", l.s.Namespace(), kind, run)
}

// steps are the items of a part of a run's history.
func (l lapped) steps(run string, from, limit int) []string {
	l.t.Helper()
	records, err := l.s.History(l.t.Context(), run, from, limit)
	if err != nil {
		l.t.Fatal(err)
	}
	var items []string
	for _, r := range records {
		items = append(items, r.Item)
	}
	return items
}

// TestHistoryIsKeptInTheRun looks where the records are: the first 16 in the run, by
// their numbers, what comes after them in a list.
func TestHistoryIsKeptInTheRun(t *testing.T) {
	t.Parallel()
	runs := map[string]int{"two": 2, "few": 15, "all": 16, "more": 17, "many": 40}
	l := laps(t, runs)
	for id, steps := range runs {
		var want, fields []string
		for i := range steps {
			want = append(want, fmt.Sprintf("0.%d", i))
			if i < 16 {
				fields = append(fields, fmt.Sprintf("h:%d", i+1))
			}
		}
		var got []string
		for field := range l.c.HGetAll(t.Context(), l.key("run", id)).Val() {
			if field[:2] == "h:" {
				got = append(got, field)
			}
		}
		slices.Sort(got)
		slices.Sort(fields)
		listed := l.c.LLen(t.Context(), l.key("history", id)).Val()
		if !slices.Equal(got, fields) || listed != int64(max(steps-16, 0)) {
			t.Errorf("a run of %d steps has the fields %v and %d more in a list", steps, got, listed)
		}
		for from := range steps + 2 {
			for _, limit := range []int{0, 1, 5, 16, 24, 100} {
				part := want[min(from, steps):min(from+limit, steps)]
				if got := l.steps(id, from, limit); !slices.Equal(got, part) {
					t.Errorf("History(%d, %d) of %d steps = %v, want %v", from, limit, steps, got, part)
				}
			}
		}
	}
}

// TestFullHistory has a list that has lost records: those before it are passed over,
// so that none is missing in between.
func TestFullHistory(t *testing.T) {
	t.Parallel()
	const full = 10_000
	l := laps(t, map[string]int{"r": 18})
	key := l.key("history", "r")
	second := l.c.LIndex(t.Context(), key, 1).Val() // of 0.17
	fill := make([]any, full-3)
	for i := range fill {
		fill[i] = second
	}
	if err := l.c.RPush(t.Context(), key, fill...).Err(); err != nil {
		t.Fatal(err)
	}
	if got := l.steps("r", 0, 18); len(got) != 18 || got[0] != "0.0" || got[16] != "0.16" || got[17] != "0.17" {
		t.Errorf("History of a list that is not full = %v, want all", got)
	}
	if got := l.steps("r", full, 100); len(got) != 15 {
		t.Errorf("History behind the first 10,000 has %d records, want 15", len(got))
	}
	if err := l.c.RPush(t.Context(), key, second).Err(); err != nil {
		t.Fatal(err)
	}
	if got := l.steps("r", 0, 2); !slices.Equal(got, []string{"0.16", "0.17"}) {
		t.Errorf("History of a full list begins with %v, want 0.16 and 0.17", got)
	}
	if got := l.steps("r", full-1, 100); len(got) != 1 {
		t.Errorf("History has %d records behind the first 9,999, want 1", len(got))
	}
}

// TestHistoryOfAWrongType reads a run whose list is another program's.
func TestHistoryOfAWrongType(t *testing.T) {
	t.Parallel()
	l := laps(t, map[string]int{"r": 2})
	if err := l.c.Set(t.Context(), l.key("history", "r"), "x", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.s.History(t.Context(), "r", 0, 1); !errors.Is(err, flox.ErrInvalid) {
		t.Errorf("History = %v, want ErrInvalid", err)
	}
	if _, err := l.s.History(t.Context(), "nobody", 0, 1); !errors.Is(err, flox.ErrNotFound) {
		t.Errorf("History of no run = %v, want ErrNotFound", err)
	}
}
