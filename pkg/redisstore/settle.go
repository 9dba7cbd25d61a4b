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
func (s *Store) Settle(ctx context.Context, run string) (flox.Settled, error) {
	if run != "" {
		one, err := s.settleRun(ctx, run)
		if err != nil {
			err = fmt.Errorf("settle run %s: %w", run, err)
		}
		return one, err
	}
	parts := make([]flox.Settled, len(s.keys.parts))
	err := each(len(parts), func(n int) (err error) {
		parts[n], err = s.settlePart(ctx, n)
		return err
	})
	if err != nil {
		err = fmt.Errorf("settle: %w", err)
	}
	var all flox.Settled
	for _, one := range parts {
		all.More = all.More || one.More
		all.Ended = append(all.Ended, one.Ended...)
	}
	return all, err
}

// settlePart takes runs of a partition that are marked. A mark may stay for long,
// as long as a worker has what is to be settled.
func (s *Store) settlePart(ctx context.Context, n int) (flox.Settled, error) {
	var all flox.Settled
	runs, next, err := s.settled.next(ctx, s, n)
	if err != nil {
		return all, err
	}
	var errs []error
	for _, run := range runs {
		if !s.ownRun(n, run) { // not flox's: no script of this partition would take the mark away
			s.logger.Warn("mark is not flox's, removed", "key", s.keys.parts[n].todo(), "member", run)
			if _, err := s.command(ctx, n, "ZREM", s.keys.parts[n].todo(), run); err != nil {
				errs = append(errs, err)
			}
			continue
		}
		one, err := s.settleRun(ctx, run)
		if err != nil { // the others' work need not wait for this run's
			errs = append(errs, fmt.Errorf("run %s: %w", run, err))
		}
		all.More = all.More || one.More
		all.Ended = append(all.Ended, one.Ended...)
	}
	if !all.More {
		s.settled.done(n, next)
	}
	all.More = all.More || next != "0"
	return all, errors.Join(errs...)
}

// settleRun moves some tokens of a run.
func (s *Store) settleRun(ctx context.Context, run string) (done flox.Settled, err error) {
	unsettled, err := s.unsettled(ctx, run)
	if err != nil {
		return done, err
	}
	var last settled
	for cursor, all, asked := "0", 0, false; ; {
		var page []scanned
		if unsettled.which != nil {
			if page, cursor, err = s.scanWith(ctx, run, cursor, scanFields, unsettled.parse); err != nil {
				return done, err
			}
			page = slices.DeleteFunc(page, func(t scanned) bool { return !unsettled.which(t.record) })
		}
		for chunk := range slices.Chunk(page, settleChunk) {
			if last, err = s.settleChunk(ctx, run, chunk); err != nil {
				return done, err
			}
			done.Ended = append(done.Ended, last.ended...)
			if all += last.moved; all >= settleTokens {
				done.More = true
				return done, nil
			}
			asked = true
		}
		if cursor != "0" {
			continue
		}
		if !asked { // the script looks at the mark
			last, err = s.settleChunk(ctx, run, nil)
			done.Ended = append(done.Ended, last.ended...)
		}
		if err == nil && last.purging != "" && (!last.left || !asked) {
			return done, s.purged(ctx, run, last)
		}
		done.More = last.left && all > 0
		return done, err
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
	case text(r, 1) == "" || text(r, 1) == "0":
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
	ended   []flox.EndedRun
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
	done := settled{left: integer(r, 0) == 1, moved: int(integer(r, 1)), purging: text(r, 2), born: text(r, 3)}
	if len(r) > 4 {
		done.ended = s.ended(run, r[4])
	}
	return done, err
}

// tokens adds tokens and their queues to the arguments.
func (q *queued) tokens(chunk []scanned) {
	for _, t := range chunk {
		q.queues = append(q.queues, t.record.queue)
		q.rest = append(q.rest, t.token)
	}
}
