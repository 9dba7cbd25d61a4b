package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Stats implements flox.MetricsStore.
func (s *Store) Stats(ctx context.Context) (map[string]map[flox.Status]int64, error) {
	var mu sync.Mutex
	stats := map[string]map[flox.Status]int64{}
	err := each(len(s.keys.parts), func(n int) error {
		reply, err := s.command(ctx, n, "HGETALL", s.keys.parts[n].stats())
		if err != nil {
			return fmt.Errorf("stats: %w", err)
		}
		mu.Lock()
		defer mu.Unlock()
		addStats(stats, list(reply))
		return nil
	})
	return stats, err
}

// addStats adds the counts of one partition, "<workflow>:<status>" and number.
// Counts that are back at zero are left out.
func addStats(stats map[string]map[flox.Status]int64, pairs []any) {
	for i := 0; i+1 < len(pairs); i += 2 {
		workflow, status, _ := strings.Cut(text(pairs, i), ":")
		count, err := strconv.ParseInt(text(pairs, i+1), 10, 64)
		if err != nil || count == 0 {
			continue
		}
		if stats[workflow] == nil {
			stats[workflow] = map[flox.Status]int64{}
		}
		stats[workflow][flox.Status(status)] += count
	}
}

// Queues implements flox.MetricsStore.
func (s *Store) Queues(ctx context.Context, names []string) ([]flox.QueueStats, error) {
	t, err := s.measure(ctx, names)
	if err != nil || len(names) == 0 {
		return t.stats, err
	}
	err = each(len(s.keys.parts), func(n int) error {
		if err := s.countDelayed(ctx, n, t); err != nil {
			return fmt.Errorf("queues: %w", err)
		}
		return nil
	})
	return t.stats, err
}

// Streams is Queues without the delayed tokens: its cost does not depend on how
// many runs there are.
func (s *Store) Streams(ctx context.Context, names []string) ([]flox.QueueStats, error) {
	t, err := s.measure(ctx, names)
	return t.stats, err
}

// measure reads the streams of queues.
func (s *Store) measure(ctx context.Context, names []string) (*tally, error) {
	t := &tally{stats: make([]flox.QueueStats, len(names)), at: map[string]int{}}
	for i, name := range names {
		t.stats[i].Name, t.at[name] = name, i
	}
	return t, each(len(s.keys.parts), func(n int) error {
		for i, name := range names {
			reply, err := s.script(ctx, n, scriptQueue, []string{s.keys.parts[n].queue(name)})
			if err != nil {
				return fmt.Errorf("queue %s: %w", name, err)
			}
			t.add(i, list(reply))
		}
		return nil
	})
}

// tally adds up the measures of the partitions.
type tally struct {
	mu    sync.Mutex
	stats []flox.QueueStats
	at    map[string]int // the place of each queue in stats
}

// add takes the reply of queue.lua.
func (t *tally) add(i int, r []any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q, entries, leased := &t.stats[i], integer(r, 0), integer(r, 1)
	ready := max(0, entries-leased)
	q.Ready += ready
	q.Leased += leased
	q.Oldest = max(q.Oldest, time.Duration(integer(r, 2))*time.Millisecond)
	q.OldestReady = max(q.OldestReady, time.Duration(integer(r, 4))*time.Millisecond)
	if added := integer(r, 3); added < 0 || q.Taken < 0 {
		q.Taken = -1 // miniredis does not count what it was given
	} else {
		q.Taken += max(0, added-ready)
	}
}
