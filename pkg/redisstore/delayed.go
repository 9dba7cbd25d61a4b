package redisstore

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Promote implements flox.WorkQueue.
func (s *Store) Promote(ctx context.Context, limit int) (flox.Promoted, error) {
	var mu sync.Mutex
	all := flox.Promoted{Next: -1}
	err := each(len(s.keys.parts), func(n int) error {
		mu.Lock()
		left := limit - all.Moved
		mu.Unlock()
		one, err := s.promotePart(ctx, n, max(left, 0))
		mu.Lock()
		defer mu.Unlock()
		all.Moved += one.Moved
		all.Ended = append(all.Ended, one.Ended...)
		if one.Next >= 0 && (all.Next < 0 || one.Next < all.Next) {
			all.Next = one.Next
		}
		return err
	})
	if err != nil {
		return all, fmt.Errorf("promote delayed tokens: %w", err)
	}
	return all, nil
}

func (s *Store) promotePart(ctx context.Context, n, limit int) (flox.Promoted, error) {
	promoted := flox.Promoted{Next: -1}
	timers := s.keys.parts[n].delayed()
	if first, err := s.command(ctx, n, "ZRANGE", timers, 0, 0); err != nil || len(list(first)) == 0 {
		return promoted, err
	}
	reply, err := s.script(ctx, n, scriptDue, []string{timers}, limit)
	if err != nil {
		return promoted, err
	}
	r := list(reply)
	if next := integer(r, 0); next >= 0 {
		promoted.Next = time.Duration(next) * time.Millisecond
	}
	if len(r) < 2 {
		return promoted, nil
	}
	due := list(r[1])
	moved, ended := make([]bool, len(due)), make([][]flox.EndedRun, len(due))
	err = each(len(due), func(i int) (err error) {
		moved[i], ended[i], err = s.promote(ctx, n, text(due, i))
		return err
	})
	for i := range due {
		if moved[i] {
			promoted.Moved++
		}
		promoted.Ended = append(promoted.Ended, ended[i]...)
	}
	return promoted, err
}

// promote moves one member of the timers: "<run>/<token>", or "<run>/" for the
// run's deadline.
func (s *Store) promote(ctx context.Context, n int, member string) (bool, []flox.EndedRun, error) {
	p := s.keys.parts[n]
	run, token, ok := strings.Cut(member, "/")
	if !ok { // not flox's: it would be due for ever
		s.logger.Warn("timer is not flox's, removed", "key", p.delayed(), "member", member)
		_, err := s.command(ctx, n, "ZREM", p.delayed(), member)
		return false, nil, err
	}
	if token == "" {
		return s.passDeadline(ctx, n, run)
	}
	r, err := s.scriptQueues(ctx, queued{
		script: scriptPromote, part: n,
		keys: []string{p.run(run), p.delayed()},
		args: []any{run, token},
	})
	return integer(r, 0) == 1, nil, err
}

// passDeadline fails a run that has taken longer than it may.
func (s *Store) passDeadline(ctx context.Context, n int, run string) (bool, []flox.EndedRun, error) {
	p, cause := s.keys.parts[n], flox.ErrDeadline.Error()
	record := flox.EncodeRecord(flox.ErrorRecord{Class: flox.ClassDeadline, Message: cause, Final: true})
	reply, err := s.script(ctx, n, scriptDeadline,
		[]string{p.run(run), p.delayed(), p.errors(run), p.active(), p.failed(), p.stats(), p.todo()},
		run, cause, record, p.events())
	r := list(reply)
	if len(r) < 2 {
		return integer(r, 0) == 1, nil, err
	}
	return true, s.ended(run, r[1]), err
}
