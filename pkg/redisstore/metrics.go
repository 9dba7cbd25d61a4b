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
	var mu sync.Mutex
	stats := make([]flox.QueueStats, len(names))
	var delayed int64
	err := each(len(s.keys.parts), func(n int) error {
		p := s.keys.parts[n]
		reply, err := s.command(ctx, n, "ZCARD", p.delayed())
		if err != nil {
			return fmt.Errorf("queues: %w", err)
		}
		mu.Lock()
		delayed += integer([]any{reply}, 0)
		mu.Unlock()
		for i, name := range names {
			reply, err := s.script(ctx, n, scriptQueue, []string{p.queue(name)})
			if err != nil {
				return fmt.Errorf("queue %s: %w", name, err)
			}
			r := list(reply)
			mu.Lock()
			stats[i].Ready += max(0, integer(r, 0)-integer(r, 1))
			stats[i].Leased += integer(r, 1)
			stats[i].Oldest = max(stats[i].Oldest, time.Duration(integer(r, 2))*time.Millisecond)
			mu.Unlock()
		}
		return nil
	})
	for i, name := range names {
		stats[i].Name, stats[i].Delayed = name, delayed
	}
	return stats, err
}
