package proptest

import (
	"context"

	"github.com/floxrun/flox/pkg/flox"
)

// What a dead worker's store answers to everything but commits.

// Claim implements flox.WorkQueue.
func (m *mortal) Claim(ctx context.Context, req flox.ClaimRequest) ([]flox.Entry, error) {
	if err := m.gone(); err != nil {
		return nil, err
	}
	return m.Store.Claim(ctx, req)
}

// Load implements flox.WorkQueue.
func (m *mortal) Load(ctx context.Context, e flox.Entry, owner string, limit int) (flox.Loaded, error) {
	if err := m.gone(); err != nil {
		return flox.Loaded{}, err
	}
	return m.Store.Load(ctx, e, owner, limit)
}

// Renew implements flox.WorkQueue.
func (m *mortal) Renew(ctx context.Context, l flox.Lease) (flox.Health, error) {
	if err := m.gone(); err != nil {
		return 0, err
	}
	return m.Store.Renew(ctx, l)
}

// Handback implements flox.WorkQueue.
func (m *mortal) Handback(ctx context.Context, l flox.Lease, unknown bool) (flox.Verdict, error) {
	if err := m.gone(); err != nil {
		return 0, err
	}
	return m.Store.Handback(ctx, l, unknown)
}

// Reclaim implements flox.WorkQueue.
func (m *mortal) Reclaim(ctx context.Context, req flox.ReclaimRequest) ([]flox.Entry, error) {
	if err := m.gone(); err != nil {
		return nil, err
	}
	return m.Store.Reclaim(ctx, req)
}

// Promote implements flox.WorkQueue.
func (m *mortal) Promote(ctx context.Context, limit int) (flox.Promoted, error) {
	if err := m.gone(); err != nil {
		return flox.Promoted{}, err
	}
	promoted, err := m.Store.Promote(ctx, limit)
	m.f.told.unanswered(err)
	return promoted, err
}

// State implements flox.CheckpointStore.
func (m *mortal) State(ctx context.Context, run string, since int64) (flox.StateLog, error) {
	if err := m.gone(); err != nil {
		return flox.StateLog{}, err
	}
	return m.Store.State(ctx, run, since)
}

// Settle implements flox.CheckpointStore.
func (m *mortal) Settle(ctx context.Context, run string) (flox.Settled, error) {
	if err := m.gone(); err != nil {
		return flox.Settled{}, err
	}
	settled, err := m.Store.Settle(ctx, run)
	m.f.told.unanswered(err)
	return settled, err
}

// Compact implements flox.CheckpointStore.
func (m *mortal) Compact(ctx context.Context, req flox.CompactRequest) (bool, error) {
	if err := m.gone(); err != nil {
		return false, err
	}
	return m.Store.Compact(ctx, req)
}

// Leave implements flox.LivenessStore.
func (m *mortal) Leave(ctx context.Context, w flox.WorkerInfo) error {
	if err := m.gone(); err != nil {
		return err
	}
	return m.Store.Leave(ctx, w)
}
