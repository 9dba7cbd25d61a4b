package flox

import (
	"context"
	"slices"
)

// State implements CheckpointStore.
func (m *Memory) State(ctx context.Context, run string, since int64) (StateLog, error) {
	r, err := m.lockRun(ctx, run)
	if err != nil {
		return StateLog{}, err
	}
	defer m.mu.Unlock()
	log := StateLog{Folded: r.folded, Version: r.counts.Version}
	if since < r.folded {
		log.Snapshot = r.snapshot
	}
	n := len(r.state)
	from := min(max(int(since-r.folded), 0), n)
	log.Deltas = r.state[from:n:n]
	return log, nil
}

// Compact implements CheckpointStore.
func (m *Memory) Compact(ctx context.Context, req CompactRequest) (bool, error) {
	if err := m.lock(ctx); err != nil {
		return false, err
	}
	defer m.mu.Unlock()
	r := m.runs[req.Run]
	if r == nil || r.purging != "" || r.folded != req.Folded || req.Deltas < 1 || req.Deltas > int64(len(r.state)) {
		return false, nil
	}
	r.snapshot = req.Snapshot
	r.folded += req.Deltas
	// A copy, so that the folded deltas are not kept alive.
	r.state = slices.Clone(r.state[req.Deltas:])
	return true, nil
}
