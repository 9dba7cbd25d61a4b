package redisstore

import (
	"context"
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

// Commit implements flox.CheckpointStore.
func (s *Store) Commit(ctx context.Context, c flox.Commit) (flox.CommitResult, error) {
	if result, ok := s.plainCommit(ctx, &c); ok {
		return result, nil
	}
	n, p := s.keys.of(c.Run)
	q := s.commitCall(p, c)
	q.part = n
	q.queues = append([]string{c.Lease.Entry.Queue}, q.queues...)
	reply, err := s.scriptQueues(ctx, q)
	if err != nil {
		return flox.CommitResult{}, fmt.Errorf("commit item %s of run %s: %w", c.Item(), c.Run, err)
	}
	return commitResult(reply)
}

// commitCall chooses the script of a commit.
func (s *Store) commitCall(p partition, c flox.Commit) queued {
	switch c.Op {
	case flox.OpEnd, flox.OpHold:
		return endCall(p, c)
	case flox.OpDeposit:
		if c.Close {
			return closeCall(p, c)
		}
		return endCall(p, c)
	case flox.OpAwait:
		return awaitCall(p, c)
	case flox.OpFan:
		return fanCall(p, c)
	case flox.OpRelease:
		return releaseCall(p, c)
	case flox.OpRetry:
		return retryCall(p, c)
	case flox.OpFail:
		return failCall(p, c)
	default:
		if c.Delay > 0 {
			return laterCall(p, c)
		}
		return nextCall(p, c)
	}
}

// flags tells a script which of its arguments are there: an empty one may be a
// value, too.
func flags(set ...flag) string {
	var text []byte
	for _, f := range set {
		if f.on {
			text = append(text, f.name)
		}
	}
	return string(text)
}

type flag struct {
	name byte
	on   bool
}

// held are the first arguments of every commit.
func held(c flox.Commit) []any { return []any{c.Run, c.Token, c.Owner, c.Step} }

// journaled are the first arguments of a commit that the history knows.
func journaled(c flox.Commit, more ...flag) []any {
	set := append([]flag{{'d', c.Delta != nil}, {'r', c.Record != nil}}, more...)
	return append(held(c), flags(set...), c.Read, c.MaxSteps, c.Delta, c.Record)
}

// undo is how the scripts keep an Undo: "<node>|<queue>|<input>".
func undo(u *flox.Undo) []byte {
	if u == nil {
		return nil
	}
	return fmt.Appendf(nil, "%s|%s|%s", u.Node, u.Queue, u.Input)
}

func nextCall(p partition, c flox.Commit) queued {
	args := journaled(c, flag{'e', c.Err != nil}, flag{'k', c.Keep}, flag{'b', c.Fallback}, flag{'u', c.Undo != nil})
	return queued{
		script: scriptNext,
		keys:   []string{p.run(c.Run), p.state(c.Run), p.history(c.Run), p.errors(c.Run)},
		args:   append(args, c.Err, c.Node, c.Queue, c.Input, undo(c.Undo)),
		queues: []string{c.Queue},
	}
}

func laterCall(p partition, c flox.Commit) queued {
	return queued{
		script: scriptLater,
		keys:   []string{p.run(c.Run), p.state(c.Run), p.history(c.Run), p.delayed()},
		args: append(journaled(c, flag{'u', c.Undo != nil}), c.Node, c.Queue, c.Input, undo(c.Undo),
			wait(c.Delay)),
	}
}

func awaitCall(p partition, c flox.Commit) queued {
	return queued{
		script: scriptAwait,
		keys:   []string{p.run(c.Run), p.state(c.Run), p.history(c.Run), p.delayed()},
		args:   append(journaled(c, flag{'k', c.Keep}), c.Input, c.Signal, wait(c.Delay)),
	}
}

// endKeys are those of a commit that may end the run.
func endKeys(p partition, run string) []string {
	return []string{
		p.run(run), p.state(run), p.history(run), p.active(), p.completed(), p.failed(), p.stats(),
		p.delayed(), p.todo(),
	}
}

func endCall(p partition, c flox.Commit) queued {
	args := journaled(c, flag{'o', c.Op == flox.OpEnd && c.Output != nil}, flag{'a', c.Op == flox.OpDeposit},
		flag{'h', c.Op == flox.OpHold}, flag{'u', c.Undo != nil})
	return queued{
		script: scriptEnd,
		keys:   endKeys(p, c.Run),
		args:   append(args, p.events(), c.Output, undo(c.Undo)),
		queues: []string{c.JoinQueue},
	}
}

func closeCall(p partition, c flox.Commit) queued {
	args := journaled(c, flag{'e', c.Err != nil}, flag{'b', c.Fallback}, flag{'u', c.Undo != nil})
	return queued{
		script: scriptClose,
		keys:   append(endKeys(p, c.Run), p.errors(c.Run)),
		args:   append(args, p.events(), c.Output, undo(c.Undo), c.Up, c.Err),
		queues: []string{c.JoinQueue},
	}
}

func fanCall(p partition, c flox.Commit) queued {
	fan := c.Fan
	var frame flox.FrameSpec
	if fan.Frame != nil {
		frame = *fan.Frame
	}
	args := journaled(c, flag{'k', c.Keep}, flag{'f', fan.Frame != nil}, flag{'c', frame.Carry != nil},
		flag{'s', frame.Scope}, flag{'l', fan.Blobs != nil}, flag{'u', c.Undo != nil})
	q := queued{
		script: scriptFan,
		keys:   endKeys(p, c.Run),
		args: append(args, p.events(), c.Node, c.Queue, c.Input, fan.Size,
			frame.Join, frame.Queue, frame.Carry, frame.Quorum, wait(c.Delay), undo(c.Undo)),
		queues: []string{c.Queue},
	}
	if fan.Size == 0 {
		q.queues = []string{frame.Queue, c.JoinQueue}
	}
	for _, b := range fan.Blobs {
		q.rest = append(q.rest, b)
	}
	if fan.Blobs == nil {
		q.branches(fan.Branches)
	}
	return q
}

// branches adds the branches to the arguments.
func (q *queued) branches(branches []flox.Branch) {
	for _, b := range branches {
		q.queues = append(q.queues, b.Queue)
		q.rest = append(q.rest, b.Node, b.Queue, b.Input)
	}
}

func releaseCall(p partition, c flox.Commit) queued {
	q := queued{
		script: scriptRelease,
		keys:   []string{p.run(c.Run)},
		args:   append(held(c), flags(flag{'k', c.Keep})),
	}
	q.branches(c.Branches)
	return q
}

func retryCall(p partition, c flox.Commit) queued {
	return queued{
		script: scriptRetry,
		keys:   []string{p.run(c.Run), p.errors(c.Run), p.delayed()},
		args: append(held(c), flags(flag{'e', c.Err != nil}), c.Read, c.Attempt, c.Err,
			wait(c.Delay), c.Took.Milliseconds()),
	}
}

func failCall(p partition, c flox.Commit) queued {
	return queued{
		script: scriptFail,
		keys:   []string{p.run(c.Run), p.errors(c.Run), p.active(), p.failed(), p.stats(), p.delayed(), p.todo()},
		args: append(held(c), flags(flag{'e', c.Err != nil}), c.Read, c.Attempt, c.Err, c.Cause,
			p.events()),
	}
}
