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
	var last settled
	for cursor, all, asked := "0", 0, false; ; {
		var page []scanned
		if unsettled.which != nil {
			if page, cursor, err = s.scanWith(ctx, run, cursor, scanFields, unsettled.parse); err != nil {
				return false, err
			}
			page = slices.DeleteFunc(page, func(t scanned) bool { return !unsettled.which(t.record) })
		}
		for chunk := range slices.Chunk(page, settleChunk) {
			if last, err = s.settleChunk(ctx, run, chunk); err != nil {
				return false, err
			}
			if all += last.moved; all >= settleTokens {
				return true, nil
			}
			asked = true
		}
		if cursor != "0" {
			continue
		}
		if !asked { // the script looks at the mark
			last, err = s.settleChunk(ctx, run, nil)
		}
		if err == nil && last.purging != "" && (!last.left || !asked) {
			return false, s.purged(ctx, run, last)
		}
		return last.left && all > 0, err
	}
}

// purged does what a run's tokens were dropped for; they are gone, whatever its
// counts say.
func (s *Store) purged(ctx context.Context, run string, r settled) error {
	switch r.purging {
	case purgeDelete:
		return s.finishDelete(ctx, run, r.born)
	case purgeRestart:
		return s.restartRun(ctx, run)
	}
	return nil
}

// selection tells which tokens of a run may have to be moved, and how to read them;
// the script decides. The zero value selects none.
type selection struct {
	which func(tokenRecord) bool
	parse func(raw string) (tokenRecord, error)
}

func (s *Store) unsettled(ctx context.Context, run string) (selection, error) {
	n, p := s.keys.of(run)
	reply, err := s.command(ctx, n, "HMGET", p.run(run), "status", "live", "closed", "purging")
	if err != nil && !spoilt(err) {
		return selection{}, err
	}
	r := list(reply)
	status, closed := flox.Status(text(r, 0)), integer(r, 2) > 0
	late := func(t tokenRecord) bool { return closed && t.frame != "" && !t.leased() }
	switch {
	case integer(r, 1) == 0:
	case text(r, 3) != "" || status == flox.StatusCancelled:
		return selection{func(tokenRecord) bool { return true }, parseAny}, nil
	case status == flox.StatusUndoing:
		return selection{func(t tokenRecord) bool { return !t.leased() }, parseToken}, nil
	case status == flox.StatusRunning:
		return selection{func(t tokenRecord) bool { return t.loc == "p" || late(t) }, parseToken}, nil
	case closed:
		return selection{late, parseToken}, nil
	}
	return selection{}, nil
}

// parseAny takes a record as it is: what is to be dropped need not be whole.
func parseAny(raw string) (tokenRecord, error) {
	t, _ := parseToken(raw)
	return t, nil
}

// settled is what settle.lua answered.
type settled struct {
	left    bool // tokens that can be moved
	moved   int
	purging string // what the run's tokens are dropped for, "" if they are not
	born    string // nonce of the run's start
}

func (s *Store) settleChunk(ctx context.Context, run string, chunk []scanned) (settled, error) {
	n, p := s.keys.of(run)
	call := queued{
		script: scriptSettle, part: n,
		keys: []string{p.run(run), p.todo(), p.delayed(), p.active(), p.completed(), p.failed(), p.stats()},
		args: []any{run, p.events()},
	}
	call.tokens(chunk)
	r, err := s.scriptQueues(ctx, call)
	return settled{integer(r, 0) == 1, int(integer(r, 1)), text(r, 2), text(r, 3)}, err
}

// tokens adds tokens and their queues to the arguments.
func (q *queued) tokens(chunk []scanned) {
	for _, t := range chunk {
		q.queues = append(q.queues, t.record.queue)
		q.rest = append(q.rest, t.token)
	}
}
