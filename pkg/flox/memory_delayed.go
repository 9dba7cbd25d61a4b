package flox

import (
	"container/heap"
	"context"
	"time"
)

// memTimers is the heap of delayed tokens, the next due first.
type memTimers []*memToken

func (h memTimers) Len() int           { return len(h) }
func (h memTimers) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h memTimers) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].timer, h[j].timer = i, j
}

// Push implements heap.Interface.
func (h *memTimers) Push(x any) {
	t := x.(*memToken)
	t.timer = len(*h)
	*h = append(*h, t)
}

// Pop implements heap.Interface.
func (h *memTimers) Pop() any {
	last := len(*h) - 1
	t := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return t
}

// delay makes t wait until due; it must stand nowhere.
func (m *Memory) delay(t *memToken, due time.Time) {
	t.place = PlaceDelayed
	t.due = due
	heap.Push(&m.delayed, t)
}

// undelay takes a delayed token out of the timers.
func (m *Memory) undelay(t *memToken) {
	heap.Remove(&m.delayed, t.timer)
	t.due = time.Time{}
}

// Promote implements WorkQueue.
func (m *Memory) Promote(ctx context.Context, limit int) (Promoted, error) {
	if err := m.lock(ctx); err != nil {
		return Promoted{}, err
	}
	defer m.mu.Unlock()
	promoted := Promoted{Next: -1}
	for ; len(m.delayed) > 0; promoted.Moved++ {
		t := m.delayed[0]
		wait := time.Until(t.due)
		if wait > 0 || promoted.Moved >= limit {
			promoted.Next = max(wait, 0)
			break
		}
		if t.run.status == StatusCancelled {
			m.drop(t)
			continue
		}
		m.undelay(t)
		m.place(t)
	}
	return promoted, nil
}
