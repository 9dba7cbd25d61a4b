package redisstore

import (
	"context"

	"github.com/floxrun/flox/pkg/flox"
)

// replyFull says that a signal of that name is kept already.
const replyFull = 3

// Signal implements flox.RunInfoStore. Like a control it asks first.
func (s *Store) Signal(ctx context.Context, req flox.SignalRequest) (delivered bool, err error) {
	n, p := s.keys.of(req.Run)
	var r []any
	for upon, queue := "", ""; ; {
		r, err = s.scriptQueues(ctx, queued{
			script: scriptSignal, part: n,
			keys:   []string{p.run(req.Run), p.delayed()},
			args:   []any{req.Run, req.Name, req.ID, req.Payload, upon},
			queues: []string{queue},
		})
		if err != nil {
			return false, err
		}
		if integer(r, 0) != replyUpon {
			break
		}
		upon, queue = text(r, 1), text(r, 2)
	}
	refused := &flox.SignalError{Run: req.Run, Signal: req.Name, Status: shown(text(r, 1), text(r, 2))}
	switch integer(r, 0) {
	case replyDone:
		return integer(r, 1) == 1, nil
	case replyRefused:
		return false, refused
	case replyFull:
		refused.Full = true
		return false, refused
	case replyNoRun:
		return false, flox.ErrNotFound
	}
	return false, errSpoilt
}
