package flox

import (
	"context"
	"time"
)

// Stats implements MetricsStore.
func (m *Memory) Stats(ctx context.Context) (map[string]map[Status]int64, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	stats := map[string]map[Status]int64{}
	for _, r := range m.runs {
		if stats[r.workflow] == nil {
			stats[r.workflow] = map[Status]int64{}
		}
		stats[r.workflow][r.status]++
	}
	return stats, nil
}

// Queues implements MetricsStore.
func (m *Memory) Queues(ctx context.Context, names []string) ([]QueueStats, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	delayed := map[string]int64{}
	for _, timer := range m.delayed {
		if timer.token != nil { // else it is a deadline
			delayed[timer.token.queue]++
		}
	}
	var stats []QueueStats
	for _, name := range names {
		q := m.queue(name)
		stats = append(stats, QueueStats{
			Name:        name,
			Ready:       int64(q.ready.Len()),
			Leased:      int64(q.claimed.Len()),
			Delayed:     delayed[name],
			Taken:       q.taken,
			Oldest:      q.oldest(),
			OldestReady: q.oldestReady(),
		})
	}
	return stats, nil
}

func (q *memQueue) oldestReady() time.Duration {
	if front := q.ready.Front(); front != nil {
		return time.Since(front.Value.(*memEntry).added)
	}
	return 0
}

func (q *memQueue) oldest() time.Duration {
	age := q.oldestReady()
	// Reclaimed entries keep their place, so the first one claimed need not be the oldest.
	for element := q.claimed.Front(); element != nil; element = element.Next() {
		age = max(age, time.Since(element.Value.(*memEntry).added))
	}
	return age
}
