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
	settleTokens = 200
	settleChunk  = 100
	settleRuns   = 4
)

// scanFields is about how many fields of a run one look at it reads.
const scanFields = 1000

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

// settlePart takes runs of a partition that are marked. A mark may stay for long,
// as long as a worker has what is to be settled.
func (s *Store) settlePart(ctx context.Context, n int) (bool, error) {
	runs, next, err := s.settled.next(ctx, s, n)
	if err != nil {
		return false, err
	}
	more := false
	var errs []error
	for _, run := range runs {
		left, err := s.settleRun(ctx, run)
		if err != nil { // the others' work need not wait for this run's
			errs = append(errs, fmt.Errorf("run %s: %w", run, err))
		}
		more = more || left
	}
	if !more {
		s.settled.done(n, next)
	}
	return more || next != "0", errors.Join(errs...)
}

// settleRun moves some tokens of a run. more says that tokens may be left which
// can be moved now.
func (s *Store) settleRun(ctx context.Context, run string) (more bool, err error) {
	unsettled, err := s.unsettled(ctx, run)
	if err != nil {
		return false, err
	}
	for cursor, all, asked := "0", 0, false; ; {
		var page []scanned
		if unsettled != nil {
			if page, cursor, err = s.scan(ctx, run, cursor, scanFields); err != nil {
				return false, err
			}
			page = slices.DeleteFunc(page, func(t scanned) bool { return !unsettled(t.record) })
		}
		for chunk := range slices.Chunk(page, settleChunk) {
			left, moved, err := s.settleChunk(ctx, run, chunk)
			if all += moved; err != nil || all >= settleTokens {
				return err == nil, err
			}
			more, asked = left && all > 0, true
		}
		if cursor != "0" {
			continue
		}
		if !asked { // the script looks at the mark
			_, _, err = s.settleChunk(ctx, run, nil)
		}
		return more, err
	}
}

// unsettled tells which tokens of a run may have to be moved, nil if none; the
// script decides.
func (s *Store) unsettled(ctx context.Context, run string) (func(tokenRecord) bool, error) {
	n, p := s.keys.of(run)
	reply, err := s.command(ctx, n, "HMGET", p.run(run), "status", "live", "closed")
	if err != nil && !spoilt(err) {
		return nil, err
	}
	r := list(reply)
	status, closed := flox.Status(text(r, 0)), integer(r, 2) > 0
	if integer(r, 1) == 0 {
		return nil, nil
	}
	late := func(t tokenRecord) bool { return closed && t.frame != "" && !t.leased() }
	switch status {
	case flox.StatusCancelled:
		return func(tokenRecord) bool { return true }, nil
	case flox.StatusUndoing:
		return func(t tokenRecord) bool { return !t.leased() }, nil
	case flox.StatusRunning:
		return func(t tokenRecord) bool { return t.loc == "p" || late(t) }, nil
	}
	if closed {
		return late, nil
	}
	return nil, nil
}

func (s *Store) settleChunk(ctx context.Context, run string, chunk []scanned) (left bool, moved int, err error) {
	n, p := s.keys.of(run)
	call := queued{
		script: scriptSettle, part: n,
		keys: []string{p.run(run), p.todo(), p.delayed(), p.active(), p.completed(), p.failed(), p.stats()},
		args: []any{run, p.events()},
	}
	call.tokens(chunk)
	r, err := s.scriptQueues(ctx, call)
	return integer(r, 0) == 1, int(integer(r, 1)), err
}

// tokens adds tokens and their queues to the arguments.
func (q *queued) tokens(chunk []scanned) {
	for _, t := range chunk {
		q.queues = append(q.queues, t.record.queue)
		q.rest = append(q.rest, t.token)
	}
}
