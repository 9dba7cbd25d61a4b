package flox

import (
	"container/heap"
	"context"
	"time"
)

// memTimer is due for a token, or for the run itself: its deadline.
type memTimer struct {
	due   time.Time
	run   *memRun
	token *memToken // nil for the run's deadline
	index int       // its place in the heap
}

// memTimers is the heap of what will be due, the next first.
type memTimers []*memTimer

func (h memTimers) Len() int           { return len(h) }
func (h memTimers) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h memTimers) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *memTimers) Push(x any) {
	timer := x.(*memTimer)
	timer.index = len(*h)
	*h = append(*h, timer)
}

// Pop implements heap.Interface.
func (h *memTimers) Pop() any {
	last := len(*h) - 1
	timer := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return timer
}

// delay makes t wait that long; it must stand nowhere.
func (m *Memory) delay(t *memToken, delay time.Duration) {
	t.place = PlaceDelayed
	m.setTimer(t, delay)
}

// undelay takes a delayed token out of the timers.
func (m *Memory) undelay(t *memToken) { m.stopTimer(t) }

func (m *Memory) setTimer(t *memToken, delay time.Duration) {
	t.timer = &memTimer{due: time.Now().Add(delay), run: t.run, token: t}
	heap.Push(&m.delayed, t.timer)
	m.tellDue(t.timer)
}

// stopTimer removes the token's timer, if it has one.
func (m *Memory) stopTimer(t *memToken) {
	if t.timer == nil {
		return
	}
	heap.Remove(&m.delayed, t.timer.index)
	t.timer = nil
}

// Promote implements WorkQueue.
func (m *Memory) Promote(ctx context.Context, limit int) (Promoted, error) {
	if err := m.lock(ctx); err != nil {
		return Promoted{}, err
	}
	defer m.mu.Unlock()
	promoted := Promoted{Next: -1}
	for ; len(m.delayed) > 0; promoted.Moved++ {
		timer := m.delayed[0]
		wait := time.Until(timer.due)
		if wait > 0 || promoted.Moved >= limit {
			promoted.Next = max(wait, 0)
			break
		}
		if timer.token == nil {
			if m.deadlinePassed(timer.run); timer.run.status.Terminal() {
				promoted.Ended = append(promoted.Ended, timer.run.over())
			}
		} else {
			m.promote(timer.token)
		}
	}
	return promoted, nil
}

// promote moves a token that is due.
func (m *Memory) promote(t *memToken) {
	switch {
	case t.run.status == StatusCancelled:
		m.drop(t)
	case t.place == PlaceWaiting:
		m.wake(t, &Answered{TimedOut: true})
	default:
		m.undelay(t)
		m.place(t)
	}
}
