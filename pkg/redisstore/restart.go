package redisstore

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// purgeRestart, in the field purging of a failed run, says that its tokens are
// dropped so that it can go on at another node.
const purgeRestart = "restart"

// leftFields are the fields of a run that outlive its tokens: frames, what their
// joins are given, blobs, deposits, signals that were received or waited for, and
// outputs.
var leftFields = regexp.MustCompile(`^[fcbdiswo]:`)

// restartChunk is the most fields that a script removes.
const restartChunk = 1000

// restartRun ends a retry from a node: the run, which has no token any more, goes
// on at the node. It does nothing if the run has tokens, or was restarted already.
func (s *Store) restartRun(ctx context.Context, run string) error {
	n, p := s.keys.of(run)
	reply, err := s.command(ctx, n, "HMGET", p.run(run), "restart", "live")
	if err != nil {
		return err
	}
	restart := text(list(reply), 0)
	if restart == "" || integer(list(reply), 1) > 0 {
		return nil
	}
	// Nothing adds to these fields once no token is left.
	reply, err = s.command(ctx, n, "HKEYS", p.run(run))
	if err != nil {
		return err
	}
	var left []any
	for _, field := range list(reply) {
		if name, ok := field.(string); ok && leftFields.MatchString(name) {
			left = append(left, name)
		}
	}
	for len(left) > restartChunk {
		if err := s.restartPart(ctx, run, restart, left[:restartChunk], false); err != nil {
			return err
		}
		left = left[restartChunk:]
	}
	return s.restartPart(ctx, run, restart, left, true)
}

// restartPart removes fields, and restarts the run if they are the last.
func (s *Store) restartPart(ctx context.Context, run, restart string, left []any, last bool) error {
	n, p := s.keys.of(run)
	r, err := s.scriptQueues(ctx, queued{
		script: scriptRestart, part: n,
		keys:   []string{p.run(run), p.state(run), p.active(), p.failed(), p.stats(), p.todo()},
		args:   []any{run, p.events(), bit(last)},
		queues: []string{visitQueue(restart)},
		rest:   slices.Clone(left),
	})
	if err == nil && integer(r, 0) == replyInvalid {
		err = errSpoilt
	}
	return err
}

// visitQueue is the queue of the node in a restart: "node|order|queue|...".
func visitQueue(restart string) string {
	parts := strings.SplitN(restart, "|", 4)
	if len(parts) < 4 {
		return ""
	}
	return parts[2]
}

// anyToken returns a token of a run, "" if it has none.
func (s *Store) anyToken(ctx context.Context, run string) (string, error) {
	for cursor := "0"; ; {
		page, next, err := s.scan(ctx, run, cursor, scanFields)
		if err != nil {
			return "", fmt.Errorf("tokens of run %s: %w", run, err)
		}
		if len(page) > 0 {
			return page[0].token, nil
		}
		if cursor = next; cursor == "0" {
			return "", nil
		}
	}
}
