package flox

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// decision is what decide needs besides the item: facts of the worker and the
// one random number, so that decide itself is a pure function.
type decision struct {
	keep   bool    // the worker would go on with a successor
	jitter float64 // in [0,1): where in the back-off the retry falls
	worker string
}

// decide makes the commit of an executed item: no I/O, no clock, no randomness.
func decide(g *graph, n *node, x *execution, out outcome, d decision) Commit {
	c := Commit{Lease: *x.lease, Read: out.read, MaxSteps: g.maxSteps, Keep: d.keep}
	if n.inside != nil {
		c.JoinQueue = n.inside.join.queue
	}
	if isUndoToken(x.lease.Token) {
		c.MaxSteps = 0 // what has failed of the limit must still be undone
	}
	c.Delta = out.delta
	switch out.kind {
	case outcomeNext:
		c.Delay = out.delay
		decideNext(&c, n, out)
	case outcomeFan:
		decideFan(&c, n, flatten(out.outs), out.carry)
	case outcomeHold:
		c.Op = OpHold
		if c.Read < 0 {
			c.Read = x.item.Version
		}
	case outcomeAwait:
		// Not kept: the payload of a signal that has come is in the store.
		c.Op, c.Signal, c.Delay, c.Input, c.Keep = OpAwait, out.wait, out.delay, out.carry, false
	default:
		return decideFailure(c, n, x, out, d)
	}
	if out.undo != nil {
		c.Undo = &Undo{Node: n.undo.name, Queue: n.undo.queue, Input: out.undo}
	}
	c.Record = stepRecord(x, n, stepOutcome(&c, n, x), out, d)
	return c
}

func decideNext(c *Commit, n *node, out outcome) {
	one := out.outs[0]
	switch {
	case n.kind == edgeJoin:
		c.Op, c.Output = OpDeposit, one.payload
	case len(one.targets) == 0:
		c.Op, c.Output = OpEnd, one.payload
	case len(one.targets) == 1:
		c.Op, c.Node, c.Queue, c.Input = OpNext, one.targets[0].name, one.targets[0].queue, one.payload
	default:
		decideFan(c, n, flatten(out.outs), out.carry)
	}
}

// flatten makes one branch of each output and each of its targets; a branch's
// index is that of the output times the number of targets, plus the target's.
func flatten(outs []routed) []Branch {
	var all []Branch
	for _, o := range outs {
		for _, t := range o.targets {
			all = append(all, Branch{Node: t.name, Queue: t.queue, Input: o.payload})
		}
	}
	return all
}

func decideFan(c *Commit, n *node, all []Branch, carry []byte) {
	c.Op, c.Fan = OpFan, &Fan{Size: len(all)}
	if n.frame != nil {
		c.Fan.Frame = &FrameSpec{
			Join: n.frame.join.name, Queue: n.frame.join.queue, Carry: carry,
			Quorum: n.frame.join.quorum, Scope: n.frame.scope != nil,
		}
	}
	if len(all) == 0 {
		return
	}
	c.Node, c.Queue, c.Input = all[0].Node, all[0].Queue, all[0].Input
	if len(all) <= ReleaseChunk {
		c.Fan.Branches = all[1:]
	} else {
		c.Fan.Blobs = EncodeBranches(all[1:])
	}
}

// decideFailure retries, takes the fallback or fails the run, in this order.
func decideFailure(c Commit, n *node, x *execution, out outcome, d decision) Commit {
	attempt := x.lease.Attempt + 1
	c.Delta = nil
	cause := NodeError{Class: out.class, Message: clip(out.err.Error(), maxMessage)}
	if e, ok := errors.AsType[*nestError](out.err); ok {
		cause = NodeError{Class: e.record.Class, Message: e.record.Message}
	}
	if wait, ok := retryWait(n, x, out, d.jitter); ok {
		c.Op, c.Delay, c.Took = OpRetry, wait, out.took
		c.Err = errorRecord(x, n, cause, out.stack, false, d)
		return c
	}
	c.Err = errorRecord(x, n, cause, out.stack, true, d)
	var unable error
	if out.class != ClassLimit {
		var taken bool
		if taken, unable = takeFallback(&c, n, x, out, cause); taken {
			c.Record = stepRecord(x, n, "fallback", out, d)
			return c
		}
	}
	c.Op = OpFail
	c.Cause = fmt.Sprintf("node %s: attempt %d: %s", n.name, attempt, cause.Message)
	if unable != nil {
		c.Cause += fmt.Sprintf(" (its fallback cannot take it: %v)", unable)
	}
	return c
}

// maxMessage is how many bytes of an error are kept.
const maxMessage = 8 << 10

// clip shortens s to about most bytes.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + fmt.Sprintf("… (%d bytes)", len(s))
}

// takeFallback leads the item to the node's fallback, else to that of the
// innermost nested workflow around it that has one. The error says why its own
// cannot take it.
func takeFallback(c *Commit, n *node, x *execution, out outcome, cause NodeError) (taken bool, unable error) {
	if n.fallback != nil {
		input, err := n.failure(x, cause)
		if unable = err; err == nil {
			c.Op, c.Fallback = OpNext, true
			c.Node, c.Queue, c.Input = n.fallback.name, n.fallback.queue, input
			if out.kind == outcomeAbort {
				c.Delta = out.delta
			}
			return true, nil
		}
	}
	if n.catch == 0 {
		return false, unable
	}
	c.Op, c.Fallback, c.Close, c.Up = OpDeposit, true, true, n.catch-1
	c.Output = append([]byte{codecFailure}, c.Err...)
	outer := n.inside
	for range c.Up {
		outer = outer.outer
	}
	c.JoinQueue = outer.join.queue
	return true, nil
}

// retryWait says whether the item gets another attempt, and after how long.
func retryWait(n *node, x *execution, out outcome, jitter float64) (wait time.Duration, ok bool) {
	if out.kind == outcomeAbort {
		return 0, false
	}
	switch out.class {
	case ClassError, ClassPanic, ClassTimeout:
	default:
		return 0, false
	}
	return n.retry.next(x.lease.Attempt+1, x.item.Elapsed+out.took, out.err, jitter)
}

// decideRelease makes the commit of a chunk of a large fan-out.
func decideRelease(l Lease, r *Release) (Commit, error) {
	branches, err := DecodeBranches(r.Blob)
	if err != nil {
		return Commit{}, fmt.Errorf("chunk %d of the fan-out: %w", r.Chunk, err)
	}
	return Commit{Lease: l, Op: OpRelease, Branches: branches, Read: -1}, nil
}

// stepOutcome is what the history says of an item.
func stepOutcome(c *Commit, n *node, x *execution) string {
	switch {
	case n.undoes:
		return "undone"
	case x.item.Input.Answer != nil:
		return "answered"
	}
	return outcomeName(c)
}

func outcomeName(c *Commit) string {
	switch c.Op {
	case OpHold:
		return "hold"
	case OpAwait:
		return "await"
	case OpNext:
		return "next"
	case OpEnd:
		return "end"
	case OpDeposit:
		return "deposit"
	default:
		return "fan"
	}
}

func stepRecord(x *execution, n *node, name string, out outcome, d decision) []byte {
	s := StepRecord{
		Item: x.id(), Node: n.name, Outcome: name, Attempt: x.lease.Attempt + 1,
		Worker: d.worker, Duration: out.took,
	}
	if name == "undone" {
		s.Undoes = undone(x.item.Input)
	}
	return EncodeStep(&s)
}

func errorRecord(x *execution, n *node, cause NodeError, stack string, final bool, d decision) []byte {
	return EncodeRecord(&ErrorRecord{
		Item: x.id(), Node: n.name, Attempt: x.lease.Attempt + 1, Class: cause.Class,
		Message: cause.Message, Stack: stack, Final: final, Worker: d.worker,
	})
}
