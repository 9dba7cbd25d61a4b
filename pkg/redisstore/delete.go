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
}

// removeRun calls delete.lua, and returns its code and the nonce of the run's start
// if tokens are left, or its status if it was refused.
func (s *Store) removeRun(ctx context.Context, r removal) (code int64, born string, status flox.Status, err error) {
	n, p := s.keys.of(r.run)
	reply, err := s.script(ctx, n, scriptDelete,
		[]string{p.run(r.run), p.state(r.run), p.history(r.run), p.errors(r.run),
			p.completed(), p.failed(), p.cancelled(), p.stats(), p.todo(), p.delayed()},
		r.run, r.born, r.keep, string(r.found), r.workflow, bit(r.bare), bit(r.marked), p.events())
	answer := list(reply)
	code = integer(answer, 0)
	switch {
	case err != nil:
	case code == replyInvalid:
		err = errSpoilt
	case code == replyTokens:
		born = text(answer, 1)
	case code == replyRefused:
		status = shown(text(answer, 1), text(answer, 2))
	}
	return code, born, status, err
}

// Delete implements flox.RunInfoStore.
func (s *Store) Delete(ctx context.Context, run string) (int, error) {
	if run == "" {
		return s.expire(ctx)
	}
	n, p := s.keys.of(run)
	reply, err := s.command(ctx, n, "HMGET", p.run(run), "status", "born")
	if err != nil {
		return 0, err
	}
	if text(list(reply), 0) == "" {
		return 0, flox.ErrNotFound
	}
	// With the nonce, a repeat does not delete what was started meanwhile.
	return s.removeWhole(ctx, removal{run: run, born: text(list(reply), 1), keep: -1})
}

// removeWhole removes a run with its tokens and returns 1, also if somebody else
// did so meanwhile.
func (s *Store) removeWhole(ctx context.Context, r removal) (int, error) {
	for {
		code, born, status, err := s.removeRun(ctx, r)
		switch {
		case err != nil:
			return 0, err
		case code == replyEarly:
			return 0, errEarly
		case code == replyRefused:
			return 0, &flox.RefusedError{Run: r.run, Op: flox.ControlDelete, Status: status}
		case code != replyTokens:
			return 1, nil
		}
		r = removal{run: r.run, born: born, keep: -1}
		if _, err := s.settleRun(ctx, r.run); err != nil {
			return 0, fmt.Errorf("drop the tokens of run %s: %w", r.run, err)
		}
	}
}

// finishDelete removes a run whose tokens were dropped for that.
func (s *Store) finishDelete(ctx context.Context, run, born string) error {
	_, _, _, err := s.removeRun(ctx, removal{run: run, born: born, keep: -1, bare: true, marked: true})
	return err
}
