package flox

import (
	"context"
	"maps"
	"slices"
)

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
		Attempt: t.attempt, Crashes: t.crashes, Failed: t.failed, Signal: t.signal,
	}
	if t.timer != nil {
		info.Due = t.timer.due
	}
	if t.place == PlaceQueued && t.owner != "" {
		info.Place, info.Owner = PlaceLeased, t.owner
	}
	return info
}

// Rebuild implements CheckpointStore. Nothing gets lost in memory.
func (m *Memory) Rebuild(ctx context.Context, run string) (int, error) { return 0, ctx.Err() }
