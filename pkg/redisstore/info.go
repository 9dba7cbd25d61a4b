package redisstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

// infoFields are the fields of a run that Info shows.
var infoFields = []any{
	"status", "granted", "workflow", "fingerprint", "started", "ended", "cause",
	"created", "committed", "failed", "dropped", "live", "parked", "outs", "sv",
	"held", "deadline", "holds", "failure", "labels",
	"trace",
}

// Info implements flox.RunInfoStore. With an error that says that a record of the
// run is unreadable it returns what else is known.
func (s *Store) Info(ctx context.Context, run string) (flox.RunInfo, error) {
	n, p := s.keys.of(run)
	reply, err := s.command(ctx, n, append([]any{"HMGET", p.run(run)}, infoFields...)...)
	if err != nil {
		return flox.RunInfo{}, err
	}
	r := list(reply)
	if text(r, 0) == "" {
		return flox.RunInfo{}, flox.ErrNotFound
	}
	info := flox.RunInfo{
		ID: run, Status: shown(text(r, 0), text(r, 1)), Workflow: text(r, 2), Fingerprint: text(r, 3),
		Created: millis(integer(r, 4)), Ended: millis(integer(r, 5)), Cause: text(r, 6),
		Counts: flox.Counts{
			Created: integer(r, 7), Committed: integer(r, 8), Failed: integer(r, 9), Dropped: integer(r, 10),
			Live: integer(r, 11), Parked: integer(r, 12), Outputs: integer(r, 13), Version: integer(r, 14),
			Held: integer(r, 15),
		},
		Deadline: millis(integer(r, 16)), Held: text(r, 17), Trace: text(r, 20),
	}
	if raw := blob(r, 19); raw != nil {
		if json.Unmarshal(raw, &info.Labels) != nil {
			info.Labels = nil
			return info, fmt.Errorf("labels of run %s: %w", run, errDecode)
		}
	}
	if raw := text(r, 18); raw != "" {
		info.Failure = &flox.ErrorRecord{}
		at, err := decodeStamped(raw, info.Failure)
		if err != nil {
			info.Failure = nil
			return info, fmt.Errorf("failure of run %s: %w: %w", run, errDecode, err)
		}
		info.Failure.Time = at
	}
	return info, nil
}
