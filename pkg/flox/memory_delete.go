package flox

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// memExpire is the most runs that one Delete of what has expired removes.
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

// expire removes the runs that have ended first of those whose retention is over.
func (m *Memory) expire(ctx context.Context) (int, error) {
	if err := m.lock(ctx); err != nil {
		return 0, err
	}
	defer m.mu.Unlock()
	var over []*memRun
	for _, r := range m.runs {
		if !r.status.Terminal() || r.purging != "" { // it is about to be done again
			continue
		}
		if keep := m.workflows[r.workflow].Retains(r.status); keep >= 0 && time.Since(r.ended) >= keep {
			over = append(over, r)
		}
	}
	slices.SortFunc(over, func(a, b *memRun) int {
		return cmp.Or(a.ended.Compare(b.ended), cmp.Compare(a.id, b.id))
	})
	over = over[:min(len(over), memExpire)]
	for _, r := range over {
		m.remove(r)
	}
	return len(over), nil
}

// remove forgets a run that has ended. Who has one of its tokens is told.
func (m *Memory) remove(r *memRun) {
	if len(r.tokens) > 0 {
		m.watchers.tell(RunEvent{Run: r.id, Status: r.status})
		m.tellStatus(r)
	}
	for _, t := range r.tokens {
		m.drop(t)
	}
	m.liftDeadline(r)
	delete(m.todo, r.id)
	delete(m.runs, r.id)
}
