package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// patience is how long a call whose context has no deadline goes on trying.
const patience = 15 * time.Second

// Waits between attempts: drawn evenly from zero to a bound that doubles from
// the first to the last.
const (
	firstWait = 20 * time.Millisecond
	lastWait  = time.Second
)

// do sends a command until it is answered. Commands that change something are
// scripts that recognise their repeat, so the same arguments may be sent again.
func (s *Store) do(ctx context.Context, lane int, x *script, args []any) (any, error) {
	started := time.Now()
	var trouble error // with the last attempt; with any, if the replicas may lack what it did
	for attempt := 0; ; attempt++ {
		reply, err := s.once(ctx, lane, &call{args: args, script: x})
		if err == nil || errors.Is(err, redis.Nil) {
			return reply, nil
		}
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			if trouble != nil {
				return nil, fmt.Errorf("%w (%w)", context.Cause(ctx), trouble)
			}
			return nil, ctx.Err()
		}
		if !errors.Is(trouble, ErrNotReplicated) || errors.Is(err, ErrNotReplicated) {
			trouble = s.explain(err)
		}
		if !transient(err) {
			return nil, s.explain(err)
		}
		if strings.HasPrefix(err.Error(), "NOGROUP") {
			s.makeGroups(ctx, lane, keysOf(args))
		}
		if _, bounded := ctx.Deadline(); !bounded && time.Since(started) > patience {
			return nil, s.explain(err)
		}
		if err := s.pause(ctx, attempt); err != nil {
			return nil, fmt.Errorf("%w (%w)", cmp.Or(context.Cause(ctx), err), trouble)
		}
	}
}

// pause waits before the next attempt; the jitter keeps many clients from
// coming back together.
func (s *Store) pause(ctx context.Context, attempt int) error {
	most := min(firstWait<<min(attempt, 10), lastWait)
	timer := time.NewTimer(rand.N(most) + time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ctx.Done():
		return errClosed
	}
}

// command sends a command other than a script.
func (s *Store) command(ctx context.Context, lane int, args ...any) (any, error) {
	return s.do(ctx, lane, nil, args)
}

// script runs a script.
func (s *Store) script(ctx context.Context, lane int, x *script, keys []string, args ...any) (any, error) {
	x.check(len(keys), len(args))
	if err := s.permit(ctx, x); err != nil {
		return nil, err
	}
	list := make([]any, 0, 3+len(keys)+len(args))
	list = append(list, "EVALSHA", s.sha(x), len(keys))
	for _, k := range keys {
		list = append(list, k)
	}
	return s.do(ctx, lane, x, append(list, args...))
}

// queued is a script that needs the streams of some queues.
type queued struct {
	script *script
	part   int
	keys   []string // besides the streams
	args   []any    // before the names of the queues
	queues []string // whose streams it is expected to need, the lease's first
	rest   []any    // after the names of the queues
}

// maxQueues bounds how often a script may ask for one more stream.
const maxQueues = 300

// scriptQueues runs a script with its streams. A script that learns from a record
// that it needs another one changes nothing and asks for it.
func (s *Store) scriptQueues(ctx context.Context, q queued) ([]any, error) {
	names := distinct(q.queues)
	for range maxQueues {
		keys := append([]string(nil), q.keys...)
		args := append([]any(nil), q.args...)
		for _, name := range names {
			keys = append(keys, s.keys.parts[q.part].queue(name))
			if q.script.moreKeys {
				args = append(args, name)
			}
		}
		reply, err := s.script(ctx, q.part, q.script, keys, append(args, q.rest...)...)
		if err != nil {
			return nil, err
		}
		r := list(reply)
		if integer(r, 0) != needQueue {
			return r, nil
		}
		names = distinct(append(names, text(r, 1)))
	}
	return nil, fmt.Errorf("%s: needs too many queues", q.script.name)
}

func distinct(names []string) []string {
	var kept []string
	seen := map[string]bool{}
	for _, name := range names {
		if name != "" && !seen[name] {
			seen[name] = true
			kept = append(kept, name)
		}
	}
	return kept
}

// keysOf returns the keys of a script call, or the first of another command.
func keysOf(args []any) []string {
	var keys []string
	if len(args) < 3 {
		return nil
	}
	n, script := args[2].(int)
	if key, ok := args[1].(string); ok && !script {
		return []string{key}
	}
	for _, k := range args[3 : 3+n] {
		keys = append(keys, k.(string))
	}
	return keys
}

// makeGroups makes the groups of those keys that are streams of queues.
func (s *Store) makeGroups(ctx context.Context, lane int, keys []string) {
	for _, key := range keys {
		if !strings.Contains(key, "}:queue:") {
			continue
		}
		if err := s.makeGroup(ctx, lane, key); err != nil {
			s.logger.Warn("queue's group not made", "key", key, "error", err)
		}
	}
}

// makeGroup makes the group of a stream, and the stream. It begins at id 0: what
// was queued before must be found.
func (s *Store) makeGroup(ctx context.Context, lane int, key string) error {
	_, err := s.command(ctx, lane, "XGROUP", "CREATE", key, group, "0", "MKSTREAM")
	switch {
	case err == nil, strings.Contains(err.Error(), "BUSYGROUP"):
		return nil
	case spoilt(err):
		return fmt.Errorf("redis at %s: key %s is not a stream: use another namespace or remove it", s.address, key)
	}
	return err
}

// each calls f for 0..n-1, some at a time, and returns the first error.
func each(n int, f func(i int) error) error {
	if n == 1 {
		return f(0)
	}
	var wg sync.WaitGroup
	errs := make([]error, n)
	slots := make(chan struct{}, maxBatch)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = f(i)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
