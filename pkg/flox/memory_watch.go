package flox

import (
	"context"
	"time"
)

// watchBuffer is how many events a slow watcher may be behind before it loses some.
const watchBuffer = 256

// listeners are those who hear of events; the store's lock guards them.
type listeners[E any] map[chan E]bool

// tell sends an event, but to those that are too far behind.
func (l listeners[E]) tell(event E) {
	for ch := range l {
		select {
		case ch <- event:
		default:
		}
	}
}

// listen adds one until ctx ends.
func listen[E any](ctx context.Context, m *Memory, l listeners[E]) (<-chan E, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	ch := make(chan E, watchBuffer)
	l[ch] = true
	context.AfterFunc(ctx, func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(l, ch)
		close(ch)
	})
	return ch, nil
}

// Watch implements MetricsStore.
func (m *Memory) Watch(ctx context.Context) (<-chan RunEvent, error) {
	return listen(ctx, m, m.watchers)
}

// Alerts implements MetricsStore.
func (m *Memory) Alerts(ctx context.Context) (<-chan Alert, error) {
	return listen(ctx, m, m.alerted)
}

// tellStatus tells the workers how a run stands.
func (m *Memory) tellStatus(r *memRun) {
	m.alerted.tell(Alert{Run: r.id, Status: r.status})
}

// tellDue tells the workers of a timer that is due before all others: they sleep
// until the next one.
func (m *Memory) tellDue(timer *memTimer) {
	if timer.index == 0 {
		m.alerted.tell(Alert{Due: max(0, time.Until(timer.due))})
	}
}
