package redisstore

import (
	"context"
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

// purgeDelete, in the field purging of a run that has ended, says that its tokens
// are dropped so that it can be deleted. Controls do not find such a run.
const purgeDelete = "delete"

// Replies of delete.lua besides those that others have.
const (
	replyTokens = 3
	replyEarly  = 4
)

// removal is what delete.lua is to remove.
type removal struct {
	run      string
	born     string      // nonce of its start, "" for any
	keep     int64       // ms that it is kept after its end, -1 for none
	found    flox.Status // whose index it was found in, "" if it was not found so
	workflow string      // its workflow by that index
	bare     bool        // its tokens were looked for and none was found
	marked   bool        // only if it is marked to be deleted
	upon     string      // what the request builds upon, "" to be told, see unasked
}

// unasked, as what a removal builds upon, is of one that nobody is told of, or that
// was begun and goes on.
const unasked = "-"

// removed is the answer of delete.lua.
type removed struct {
	code   int64
	born   string      // nonce of the run's start, if tokens are left, and with upon
	upon   string      // what the removal builds upon, if that was not sent
	status flox.Status // of a run that is not removed for it
}

// removeRun calls delete.lua.
func (s *Store) removeRun(ctx context.Context, r removal) (removed, error) {
	n, p := s.keys.of(r.run)
	reply, err := s.script(ctx, n, scriptDelete,
		[]string{p.run(r.run), p.state(r.run), p.history(r.run), p.errors(r.run),
			p.completed(), p.failed(), p.cancelled(), p.stats(), p.todo(), p.delayed()},
		r.run, r.born, r.keep, string(r.found), r.workflow, bit(r.bare), bit(r.marked), p.events(), r.upon)
	answer := list(reply)
	done := removed{code: integer(answer, 0)}
	switch {
	case err != nil:
	case done.code == replyInvalid:
		err = errSpoilt
	case done.code == replyTokens, done.code == replyUpon:
		done.born, done.upon = text(answer, 1), text(answer, 2)
	case done.code == replyRefused:
		done.status = shown(text(answer, 1), text(answer, 2))
	}
	return done, err
}

// Delete implements flox.RunInfoStore. Like a control it asks first.
func (s *Store) Delete(ctx context.Context, run string) (int, error) {
	if run == "" {
		return s.expire(ctx)
	}
	r := removal{run: run, keep: -1}
	first, err := s.removeRun(ctx, r)
	switch {
	case err != nil:
		return 0, err
	case first.code == replyNoRun:
		return 0, flox.ErrNotFound
	case first.code == replyRefused:
		return 0, &flox.RefusedError{Run: run, Op: flox.ControlDelete, Status: first.status}
	}
	// With the nonce, a repeat does not delete what was started meanwhile.
	r.born, r.upon = first.born, first.upon
	return s.removeWhole(ctx, r)
}

// removeWhole removes a run with its tokens and returns 1, also if somebody else
// did so meanwhile.
func (s *Store) removeWhole(ctx context.Context, r removal) (int, error) {
	for {
		done, err := s.removeRun(ctx, r)
		switch {
		case err != nil:
			return 0, err
		case done.code == replyEarly:
			return 0, errEarly
		case done.code == replyUpon:
			r.upon = done.upon
			continue
		case done.code == replyRefused:
			return 0, &flox.RefusedError{Run: r.run, Op: flox.ControlDelete, Status: done.status}
		case done.code != replyTokens:
			return 1, nil
		}
		r = removal{run: r.run, born: done.born, keep: -1, upon: unasked}
		if _, err := s.settleRun(ctx, r.run); err != nil {
			return 0, fmt.Errorf("drop the tokens of run %s: %w", r.run, err)
		}
	}
}

// finishDelete removes a run whose tokens were dropped for that.
func (s *Store) finishDelete(ctx context.Context, run, born string) error {
	_, err := s.removeRun(ctx, removal{run: run, born: born, keep: -1, bare: true, marked: true, upon: unasked})
	return err
}
