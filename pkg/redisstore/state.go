package redisstore

import (
	"context"
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

// State implements flox.CheckpointStore.
func (s *Store) State(ctx context.Context, run string, since int64) (flox.StateLog, error) {
	n, p := s.keys.of(run)
	reply, err := s.script(ctx, n, scriptState, []string{p.run(run), p.state(run)}, max(0, since))
	if err != nil {
		return flox.StateLog{}, err
	}
	r := list(reply)
	if err := readReply(r); err != nil {
		return flox.StateLog{}, err
	}
	state := flox.StateLog{Version: integer(r, 1), Folded: integer(r, 3)}
	for i, log := 0, list(r[2]); i < len(log); i++ {
		if i == 0 && integer(r, 4) == 1 {
			state.Snapshot = blob(log, i)
			continue
		}
		state.Deltas = append(state.Deltas, blob(log, i))
	}
	return state, nil
}

// readReply judges the code in front of what a reading script returns.
func readReply(r []any) error {
	switch integer(r, 0) {
	case replyDone:
		return nil
	case replyNoRun:
		return flox.ErrNotFound
	}
	return errSpoilt
}

// Compact implements flox.CheckpointStore.
func (s *Store) Compact(ctx context.Context, req flox.CompactRequest) (bool, error) {
	n, p := s.keys.of(req.Run)
	reply, err := s.script(ctx, n, scriptCompact, []string{p.run(req.Run), p.state(req.Run)},
		req.Folded, req.Deltas, req.Snapshot)
	if err == nil && integer([]any{reply}, 0) == replyInvalid {
		err = errSpoilt
	}
	if err != nil {
		return false, fmt.Errorf("compact state of run %s: %w", req.Run, err)
	}
	return integer([]any{reply}, 0) == replyDone, nil
}
