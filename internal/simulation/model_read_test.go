package simulation

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// What the model tells.

func (m *model) Info(_ context.Context, run string) (flox.RunInfo, error) {
	r, ok := m.runs[run]
	if !ok {
		return flox.RunInfo{}, flox.ErrNotFound
	}
	return flox.RunInfo{ID: run, Status: r.shown(), Cause: r.cause, Held: r.heldAt(","), Counts: r.n}, nil
}

func (m *model) Checkpoint(_ context.Context, run, _ string, _ int) ([]flox.TokenInfo, string, error) {
	r, ok := m.runs[run]
	if !ok {
		return nil, "", flox.ErrNotFound
	}
	var all []flox.TokenInfo
	for _, id := range slices.Sorted(maps.Keys(r.tokens)) {
		t := r.tokens[id]
		info := flox.TokenInfo{
			Token: id, Step: t.step, Node: t.node, Queue: t.queue, Place: t.place, Attempt: t.attempt,
			Crashes: t.crashes, Failed: t.failed, Signal: t.signal,
		}
		if t.place == flox.PlaceQueued && t.owner != "" {
			info.Place, info.Owner = flox.PlaceLeased, t.owner
		}
		all = append(all, info)
	}
	return all, "", nil
}

func (m *model) State(_ context.Context, run string, _ int64) (flox.StateLog, error) {
	r, ok := m.runs[run]
	if !ok {
		return flox.StateLog{}, flox.ErrNotFound
	}
	return flox.StateLog{Deltas: bytesOf(r.deltas), Version: r.n.Version}, nil
}

func (m *model) Outputs(_ context.Context, run string) ([][]byte, error) {
	r, ok := m.runs[run]
	if !ok {
		return nil, flox.ErrNotFound
	}
	return bytesOf(r.outs), nil
}

func bytesOf(texts []string) [][]byte {
	var all [][]byte
	for _, text := range texts {
		all = append(all, []byte(text))
	}
	return all
}

// Compact is not in the model.
func (m *model) Compact(context.Context, flox.CompactRequest) (bool, error) {
	return false, errors.ErrUnsupported
}
