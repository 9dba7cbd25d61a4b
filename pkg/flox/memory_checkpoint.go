package flox

import (
	"context"
	"maps"
	"slices"
)

// memSettle is the most tokens one Settle moves.
const memSettle = 100

// State implements CheckpointStore.
func (m *Memory) State(ctx context.Context, run string, since int64) (StateLog, error) {
	r, err := m.lockRun(ctx, run)
	if err != nil {
		return StateLog{}, err
	}
	defer m.mu.Unlock()
	n := len(r.state)
	from := min(max(int(since), 0), n)
	return StateLog{Deltas: r.state[from:n:n], Version: r.counts.Version}, nil
}

// Checkpoint implements CheckpointStore.
func (m *Memory) Checkpoint(ctx context.Context, run, cursor string, limit int) ([]TokenInfo, string, error) {
	r, err := m.lockRun(ctx, run)
	if err != nil {
		return nil, "", err
	}
	defer m.mu.Unlock()
	var tokens []TokenInfo
	for _, id := range slices.Sorted(maps.Keys(r.tokens)) {
		if id <= cursor {
			continue
		}
		if len(tokens) == limit {
			return tokens, tokens[limit-1].Token, nil
		}
		tokens = append(tokens, r.tokens[id].info())
	}
	return tokens, "", nil
}

func (t *memToken) info() TokenInfo {
	info := TokenInfo{
		Token: t.id, Step: t.step, Node: t.node, Queue: t.queue, Place: t.place,
		Attempt: t.attempt, Crashes: t.crashes, Failed: t.failed, Due: t.due,
	}
	if t.place == PlaceQueued && t.owner != "" {
		info.Place, info.Owner = PlaceLeased, t.owner
	}
	return info
}

// Settle implements CheckpointStore.
func (m *Memory) Settle(ctx context.Context, run string) (bool, error) {
	if err := m.lock(ctx); err != nil {
		return false, err
	}
	defer m.mu.Unlock()
	if run != "" {
		if m.runs[run] == nil {
			return false, nil
		}
		return m.settle(m.runs[run], memSettle) == 0, nil
	}
	left := memSettle
	for _, id := range slices.Sorted(maps.Keys(m.todo)) {
		left = m.settle(m.runs[id], left)
	}
	return len(m.todo) > 0, nil
}

// settle moves up to left tokens of a run and returns how many more may be
// moved: none if work is left.
func (m *Memory) settle(r *memRun, left int) int {
	for _, t := range r.tokens {
		if !r.unsettled() || left == 0 {
			break
		}
		if m.settleToken(t) {
			left--
		}
	}
	if r.unsettled() {
		return 0
	}
	delete(m.todo, r.id)
	return max(left, 1)
}

// unsettled reports whether a run has work for Settle, by its counts alone.
func (r *memRun) unsettled() bool {
	return r.status == StatusRunning && r.counts.Parked > 0 ||
		r.status == StatusCancelled && r.counts.Live > 0
}

func (m *Memory) settleToken(t *memToken) bool {
	if t.run.status == StatusCancelled {
		m.drop(t)
		return true
	}
	if t.place != PlaceParked {
		return false
	}
	if t.failed {
		t.failed, t.attempt, t.crashes = false, 0, 0
	}
	m.enqueue(t)
	return true
}

// Rebuild implements CheckpointStore. Nothing gets lost in memory.
func (m *Memory) Rebuild(ctx context.Context, run string) (int, error) { return 0, ctx.Err() }
