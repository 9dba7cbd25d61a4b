package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// Bounds of one Settle: tokens it moves of a run, tokens a script moves, and
// runs it takes from a partition.
const (
	settleTokens = 1000
	settleChunk  = 100
	settleRuns   = 4
)

// Settle implements flox.CheckpointStore.
func (s *Store) Settle(ctx context.Context, run string) (bool, error) {
	if run != "" {
		more, err := s.settleRun(ctx, run)
		if err != nil {
			return false, fmt.Errorf("settle run %s: %w", run, err)
		}
		return more, nil
	}
	left := make([]bool, len(s.keys.parts))
	err := each(len(left), func(n int) error {
		var err error
		left[n], err = s.settlePart(ctx, n)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("settle: %w", err)
	}
	return slices.Contains(left, true), nil
}

// settlePart takes runs of a partition that have work left.
func (s *Store) settlePart(ctx context.Context, n int) (bool, error) {
	key := s.keys.parts[n].todo()
	reply, err := s.command(ctx, n, "ZRANGE", key, 0, settleRuns-1)
	if err != nil {
		return false, err
	}
	runs := list(reply)
	more := len(runs) == settleRuns
	var errs []error
	for i := range runs {
		left, err := s.settleRun(ctx, text(runs, i))
		if err != nil { // the others' work need not wait for this run's
			errs = append(errs, fmt.Errorf("run %s: %w", text(runs, i), err))
		}
		more = more || left
	}
	return more, errors.Join(errs...)
}

// settleRun moves some tokens of a run. Whether any are left the script says
// from the run's counts.
func (s *Store) settleRun(ctx context.Context, run string) (bool, error) {
	status, err := s.Info(ctx, run)
	if err != nil && !spoilt(err) {
		return false, err
	}
	var tokens []scanned
	if status.Counts.Live > 0 {
		if tokens, err = s.unsettled(ctx, run, status.Status == flox.StatusCancelled); err != nil {
			return false, err
		}
	}
	if len(tokens) == 0 {
		return s.settleChunk(ctx, run, nil)
	}
	more := false
	for chunk := range slices.Chunk(tokens, settleChunk) {
		if more, err = s.settleChunk(ctx, run, chunk); err != nil {
			return false, err
		}
	}
	return more, nil
}

// unsettled scans a run for tokens to settle: all if it was cancelled, else the
// parked ones.
func (s *Store) unsettled(ctx context.Context, run string, cancelled bool) ([]scanned, error) {
	var found []scanned
	for cursor := "0"; len(found) < settleTokens; {
		page, next, err := s.scan(ctx, run, cursor, settleTokens)
		if err != nil {
			return nil, err
		}
		for _, t := range page {
			if cancelled || t.record.loc == "p" {
				found = append(found, t)
			}
		}
		if cursor = next; cursor == "0" {
			break
		}
	}
	return found[:min(len(found), settleTokens)], nil
}

func (s *Store) settleChunk(ctx context.Context, run string, chunk []scanned) (bool, error) {
	n, p := s.keys.of(run)
	call := queued{
		script: scriptSettle, part: n,
		keys: []string{p.run(run), p.todo(), p.delayed()},
		args: []any{run},
	}
	call.tokens(chunk)
	r, err := s.scriptQueues(ctx, call)
	return integer(r, 0) == 1, err
}

// tokens adds tokens and their queues to the arguments.
func (q *queued) tokens(chunk []scanned) {
	for _, t := range chunk {
		q.queues = append(q.queues, t.record.queue)
		q.rest = append(q.rest, t.token)
	}
}
