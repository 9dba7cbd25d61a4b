package flox

import (
	"context"
	"maps"
	"slices"
	"time"
)

// memSettle is the most tokens one Settle moves.
const memSettle = 100

// Settle implements CheckpointStore.
func (m *Memory) Settle(ctx context.Context, run string) (Settled, error) {
	if err := m.lock(ctx); err != nil {
		return Settled{}, err
	}
	defer m.mu.Unlock()
	runs := []string{run}
	if run == "" {
		runs = slices.Sorted(maps.Keys(m.todo))
	}
	var done Settled
	left := memSettle
	for _, id := range runs {
		if r := m.runs[id]; r != nil {
			open := !r.status.Terminal()
			left = m.settle(r, left)
			if open && r.status.Terminal() {
				done.Ended = append(done.Ended, r.over())
			}
		}
	}
	done.More = left == 0
	return done, nil
}

// over tells of a run that has ended.
func (r *memRun) over() EndedRun {
	return EndedRun{
		Namespace: memNamespace, Run: r.id, Workflow: r.workflow, Trace: r.trace,
		Status: r.status, Lasted: r.ended.Sub(r.started), Cause: r.cause,
	}
}

// settle moves up to left tokens of a run and returns how many more may be
// moved. The mark goes only when nothing is left, be it for now or for later.
func (m *Memory) settle(r *memRun, left int) int {
	for _, id := range slices.Sorted(maps.Keys(r.tokens)) { // the same order every time
		if !r.unsettled() || left == 0 {
			break
		}
		// What was done about another may have dropped it.
		if t := r.tokens[id]; t != nil && m.settleToken(t) {
			left--
		}
	}
	if r.purging == purgeRestart && r.counts.Live == 0 {
		m.restartRun(r)
	}
	if !r.unsettled() {
		delete(m.todo, r.id)
	}
	return left
}

// unsettled reports whether a run has, or will have, work for Settle, by its
// counts alone.
func (r *memRun) unsettled() bool {
	if r.purging != "" {
		return true
	}
	switch r.status {
	case StatusRunning:
		return r.counts.Parked > 0 || r.closed > 0
	case StatusPaused, StatusFailed:
		return r.closed > 0
	case StatusCancelled:
		return r.counts.Live > 0
	}
	return r.status == StatusUndoing
}

// settleToken reports whether there was something to do about a token.
func (m *Memory) settleToken(t *memToken) bool {
	r := t.run
	switch {
	case r.status == StatusCancelled || r.purging != "":
		m.drop(t)
	case r.status == StatusUndoing && !t.undoes():
		return m.giveUp(t)
	case r.late(t):
		return m.dropLate(t)
	case t.place == PlaceParked && t.grants():
		m.requeue(t)
	default:
		return false
	}
	return true
}

// requeue lets a parked token go on. One that failed starts over.
func (m *Memory) requeue(t *memToken) {
	if t.failed {
		t.failed, t.attempt, t.crashes = false, 0, 0
		t.retried++
		t.since = time.Time{}
	}
	m.enqueue(t)
}

// idle reports whether no worker has the token.
func (t *memToken) idle() bool { return t.place != PlaceQueued || t.owner == "" }
