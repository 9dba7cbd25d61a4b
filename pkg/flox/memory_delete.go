package flox

import (
	"context"
	"time"
)

// memExpire is the most runs that one Delete of all that have expired removes.
const memExpire = 100

// Delete implements RunInfoStore.
func (m *Memory) Delete(ctx context.Context, run string) (int, error) {
	if run == "" {
		return m.expire(ctx)
	}
	r, err := m.lockRun(ctx, run)
	if err != nil {
		return 0, err
	}
	defer m.mu.Unlock()
	if !r.status.Terminal() {
		return 0, &RefusedError{Run: r.id, Op: ControlDelete, Status: r.shown()}
	}
	m.remove(r)
	return 1, nil
}

func (m *Memory) expire(ctx context.Context) (int, error) {
	if err := m.lock(ctx); err != nil {
		return 0, err
	}
	defer m.mu.Unlock()
	removed := 0
	for _, r := range m.runs {
		if removed == memExpire {
			break
		}
		if !r.status.Terminal() {
			continue
		}
		if keep := m.workflows[r.workflow].Retains(r.status); keep >= 0 && time.Since(r.ended) >= keep {
			m.remove(r)
			removed++
		}
	}
	return removed, nil
}

// remove forgets a run that has ended.
func (m *Memory) remove(r *memRun) {
	for _, t := range r.tokens {
		m.drop(t)
	}
	m.liftDeadline(r)
	delete(m.todo, r.id)
	delete(m.runs, r.id)
}
