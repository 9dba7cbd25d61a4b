package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/floxrun/flox/pkg/flox"
)

// rebuildRuns is about how many runs of a partition one Rebuild looks at.
const rebuildRuns = 16

// spoilt reports whether a run is gone or its key is of a wrong type. Work on
// many runs passes over such a one.
func spoilt(err error) bool {
	return errors.Is(err, flox.ErrNotFound) || errors.Is(err, flox.ErrInvalid)
}

// Rebuild implements flox.CheckpointStore.
func (s *Store) Rebuild(ctx context.Context, run string) (int, error) {
	if run != "" {
		count, err := s.rebuildRun(ctx, run)
		if err != nil {
			return count, fmt.Errorf("rebuild run %s: %w", run, err)
		}
		return count, nil
	}
	var total atomic.Int64
	err := each(len(s.keys.parts), func(n int) error {
		runs, err := s.someActive(ctx, n)
		if err != nil {
			return err
		}
		var errs []error
		for _, run := range runs {
			count, err := s.rebuildRun(ctx, run)
			total.Add(int64(count))
			if err != nil && !spoilt(err) {
				errs = append(errs, fmt.Errorf("run %s: %w", run, err))
			}
		}
		return errors.Join(errs...)
	})
	if err != nil {
		err = fmt.Errorf("rebuild: %w", err)
	}
	return int(total.Load()), err
}

// someActive returns the next active runs of a partition, all in turn.
func (s *Store) someActive(ctx context.Context, n int) ([]string, error) {
	members, cursor, err := s.rebuilt.next(ctx, s, n)
	if err != nil {
		return nil, err
	}
	s.rebuilt.done(n, cursor)
	for i := range members {
		members[i], _, _ = strings.Cut(members[i], "|")
	}
	return members, nil
}

// rebuildRun looks at every token of a run that should stand in a queue or wait.
func (s *Store) rebuildRun(ctx context.Context, run string) (int, error) {
	n, p := s.keys.of(run)
	total := 0
	for cursor := "0"; ; {
		page, next, err := s.scan(ctx, run, cursor, scanFields)
		if err != nil {
			return total, err
		}
		page = slices.DeleteFunc(page, func(t scanned) bool { return t.record.loc == "p" })
		for chunk := range slices.Chunk(page, settleChunk) {
			call := queued{
				script: scriptRebuild, part: n,
				keys: []string{p.run(run), p.delayed()},
				args: []any{run},
			}
			call.tokens(chunk)
			r, err := s.scriptQueues(ctx, call)
			if err != nil {
				return total, err
			}
			total += int(integer(r, 1))
		}
		if cursor = next; cursor == "0" {
			return total, nil
		}
	}
}
