package simulation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/floxrun/flox/pkg/flox"
)

// commit commits with one of the last leases, in any way, or repeats what was sent.
func (p *pair) commit(t *rapid.T) {
	if n := len(p.sent); n > 0 && rapid.IntRange(0, 7).Draw(t, "repeat") == 0 {
		p.send(t, p.sent[n-1-min(n-1, rapid.IntRange(0, 3).Draw(t, "sent"))], nil)
		return
	}
	h := p.hand(t)
	c := p.draw(t, h.loaded[0])
	both := [2]flox.Commit{c, c}
	both[1].Entry = h.loaded[1].Lease.Entry
	if p.sent = append(p.sent, both); len(p.sent) > 20 {
		p.sent = p.sent[10:]
	}
	p.send(t, both, h)
}

// send sends a commit; h is the hand it came from.
func (p *pair) send(t *rapid.T, both [2]flox.Commit, h *handPair) {
	c := both[0]
	var res flox.CommitResult
	p.same(t, fmt.Sprintf("commit %s of %s: op %d to %s, keep %t", itemKey(c.Lease), c.Owner, c.Op, c.Node, c.Keep), func(i int, s calls) string {
		got, err := s.Commit(p.ctx, both[i])
		if i == 0 {
			res = got
		}
		return fmt.Sprint(got.Verdict, got.Again, got.Version, got.Committed, got.Ended, said(err))
	})
	p.seen.add(fmt.Sprint("verdict ", int(res.Verdict)))
	if res.Verdict <= flox.VerdictReleased {
		p.seen.add(fmt.Sprint("op ", int(c.Op)))
	}
	if res.Ended != "" {
		p.seen.add(fmt.Sprint("ended ", res.Ended))
	}
	if h == nil {
		return
	}
	if res.Verdict != flox.VerdictKept && res.Verdict != flox.VerdictStale {
		p.letGo(t, h)
	}
	if res.Again { // another hand of the same lease sent another commit: no worker does
		p.hands = slices.DeleteFunc(p.hands, func(o *handPair) bool { return o == h })
		return
	}
	for i := range h.loaded {
		l := &h.loaded[i]
		switch {
		case res.Verdict == flox.VerdictStale:
			l.Item.Version = res.Version
		case res.Verdict == flox.VerdictKept && l.Lease.Step == c.Step:
			l.Lease.Step, l.Lease.Attempt, l.Item.Version = c.Step+1, 0, res.Version
			if c.Op != flox.OpAwait {
				l.Item.Node = c.Node
			}
		}
	}
}

// depth is how many frames deep a token stands, by the number in its node's name.
func depth(node string) int {
	var d int
	if _, err := fmt.Sscanf(node[1:], "%d", &d); err != nil {
		panic(node)
	}
	return d
}

// draw draws a commit of a loaded item.
func (p *pair) draw(t *rapid.T, l flox.Loaded) flox.Commit {
	c := flox.Commit{Lease: l.Lease, Read: -1, JoinQueue: p.queue}
	undo := strings.HasPrefix(l.Lease.Token, "u")
	at := depth(l.Item.Node)
	item := l.Lease.Item()
	c.Record = flox.EncodeStep(&flox.StepRecord{Item: item, Node: l.Item.Node, Outcome: "done", Attempt: 1})
	if rapid.Bool().Draw(t, "delta") {
		c.Delta = []byte(item)
	}
	if rapid.IntRange(0, 3).Draw(t, "reads") == 0 {
		c.Read = l.Item.Version + rapid.SampledFrom([]int64{0, 0, 1}).Draw(t, "ahead")
	}
	c.Keep = rapid.Bool().Draw(t, "keep")
	if p.all && !undo && rapid.IntRange(0, 5).Draw(t, "undo") == 0 {
		c.Undo = &flox.Undo{Node: "u0", Queue: p.queue, Input: []byte(item)}
	}
	ops := []flox.Op{
		flox.OpNext, flox.OpNext, flox.OpNext, flox.OpFan, flox.OpFan, flox.OpFan, flox.OpAwait, flox.OpRetry, flox.OpFail, flox.OpHold, flox.OpEnd,
	}
	if at > 0 {
		ops = append(ops, flox.OpDeposit, flox.OpDeposit, flox.OpDeposit, flox.OpDeposit, flox.OpDeposit)
	}
	switch c.Op = rapid.SampledFrom(ops).Draw(t, "how"); c.Op {
	case flox.OpNext:
		c.Node, c.Queue, c.Input, c.Delay = fmt.Sprint("t", at), p.queue, []byte("next of "+item), p.delay(t)
		if rapid.IntRange(0, 6).Draw(t, "fallback") == 0 {
			c.Fallback, c.Delay, c.Delta, c.Undo, c.Err = true, 0, nil, nil, failure(l, true)
		}
	case flox.OpFan:
		p.drawFan(t, &c, at)
	case flox.OpAwait:
		c.Input, c.Undo = []byte("carried by "+item), nil
		c.Signal, c.Delay = rapid.SampledFrom([]string{"go", "stop"}).Draw(t, "signal"), p.delay(t)
	case flox.OpRetry:
		c = flox.Commit{Lease: l.Lease, Op: flox.OpRetry, Read: -1, Delay: max(p.delay(t), time.Millisecond), Err: failure(l, false)}
	case flox.OpFail:
		c = flox.Commit{Lease: l.Lease, Op: flox.OpFail, Read: -1, Cause: "no", Err: failure(l, true)}
	case flox.OpHold:
		c.Read, c.Undo = l.Item.Version-rapid.SampledFrom([]int64{0, 0, 1}).Draw(t, "behind"), nil
		c.Read = max(c.Read, 0)
	case flox.OpEnd:
		if rapid.Bool().Draw(t, "output") {
			c.Output = []byte("out of " + item)
		}
	case flox.OpDeposit:
		c.Output = []byte("out of " + item)
	}
	return c
}

func (p *pair) drawFan(t *rapid.T, c *flox.Commit, at int) {
	c.Fan, c.Delay = &flox.Fan{Size: rapid.IntRange(0, 3).Draw(t, "branches")}, p.delay(t)
	node := fmt.Sprint("t", at)
	if rapid.Bool().Draw(t, "joined") {
		c.Fan.Frame = &flox.FrameSpec{Join: fmt.Sprint("j", at), Queue: p.queue}
		node = fmt.Sprint("s", at+1)
		if p.all && c.Fan.Size > 1 && rapid.IntRange(0, 2).Draw(t, "quorum") == 0 {
			c.Fan.Frame.Quorum = 1 + rapid.IntRange(0, c.Fan.Size-1).Draw(t, "wanted")
		}
	}
	if c.Fan.Size == 0 {
		c.Delay = 0
		return
	}
	c.Node, c.Queue, c.Input = node, p.queue, []byte("0 of "+c.Item())
	for i := 1; i < c.Fan.Size; i++ {
		c.Fan.Branches = append(c.Fan.Branches, flox.Branch{Node: node, Queue: p.queue, Input: fmt.Appendf(nil, "%d of %s", i, c.Item())})
	}
}
