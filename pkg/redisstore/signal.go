package redisstore

import (
	"context"
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

// replyFull says that a signal of that name is kept already.
const replyFull = 3

// Signal implements flox.RunInfoStore.
func (s *Store) Signal(ctx context.Context, req flox.SignalRequest) error {
	n, p := s.keys.of(req.Run)
	r, err := s.scriptQueues(ctx, queued{
		script: scriptSignal, part: n,
		keys: []string{p.run(req.Run), p.delayed()},
		args: []any{req.Run, req.Name, req.ID, req.Payload},
	})
	if err != nil {
		return fmt.Errorf("signal %s to run %s: %w", req.Name, req.Run, err)
	}
	refused := &flox.SignalError{Run: req.Run, Signal: req.Name, Status: shown(text(r, 1), text(r, 2))}
	switch integer(r, 0) {
	case replyDone:
		return nil
	case replyRefused:
		return refused
	case replyFull:
		refused.Full = true
		return refused
	case replyNoRun:
		return flox.ErrNotFound
	}
	return errSpoilt
}
