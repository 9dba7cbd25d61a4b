package simulation

import (
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// plan is a workflow as the store sees it: what each item commits follows from the
// plan's seed and the item's name alone, so that a run's items and its output can be
// told beforehand, whatever the order of things.
//
// A node's name says what is before the token: "s<depth>-<left>" stands so many
// frames deep and has so many nodes to go; "j" is such a node where a join's token
// is made.
type plan struct {
	run    string
	seed   uint64
	undoes bool // every item can be undone, and the last one fails
	quorum bool // joins do not wait for all

	cancelled bool        // by a client; set when it was done
	final     flox.Status // that the run was seen to have for good
}

const planSignal = "go"

// roll draws a number below n for an item and a purpose.
func (p *plan) roll(item, purpose string, n int) int {
	h := fnv.New64a()
	fmt.Fprint(h, p.seed, "|", item, "|", purpose)
	x := h.Sum64()
	x ^= x >> 29
	return int(x * 0x9e3779b97f4a7c15 >> 33 % uint64(n))
}

func nodeName(kind string, depth, left int) string { return fmt.Sprintf("%s%d-%d", kind, depth, left) }

func parseNode(node string) (depth, left int) {
	if _, err := fmt.Sscanf(node[1:], "%d-%d", &depth, &left); err != nil {
		panic(node)
	}
	return depth, left
}

// mix is the value that an item makes of what it was given.
func mix(parts ...string) string {
	h := fnv.New64a()
	fmt.Fprint(h, strings.Join(parts, "|"))
	return fmt.Sprintf("%x", h.Sum64())
}

func (p *plan) start() flox.StartRequest {
	return flox.StartRequest{
		Run: p.run, Nonce: "start-" + p.run, Workflow: "plan", Fingerprint: "print", Node: nodeName("s", 0, 3+p.roll("", "length", 3)),
		Queue: "q0", Input: []byte("in"), NeedsOutput: true, Undoes: p.undoes,
	}
}

// step is what an item does, attempts and failures aside.
type step struct {
	await    bool
	fan      bool
	branches []string // nodes of a fan-out's branches
	quorum   int
	fallback bool
	node     string // where a token goes on, or the join of a fan-out
	queue    string
	delay    time.Duration
	deposit  bool
}

// plans says what an item does at a node.
func (p *plan) step(item, node string, answered bool) step {
	depth, left := parseNode(node)
	queue := fmt.Sprint("q", p.roll(item, "queue", 2))
	switch {
	case !answered && p.roll(item, "await", 9) == 0:
		return step{await: true, delay: time.Duration(p.roll(item, "patience", 3)) * time.Second}
	case left > 0 && depth < 2 && p.roll(item, "fan", 3) == 0:
		s := step{fan: true, node: nodeName("j", depth, left-1), queue: queue}
		for i := range p.roll(item, "branches", 4) {
			s.branches = append(s.branches, nodeName("s", depth+1, p.roll(fmt.Sprint(item, i), "left", 3)))
		}
		if p.quorum && len(s.branches) > 0 {
			s.quorum = 1 + p.roll(item, "quorum", len(s.branches))
		}
		return s
	case left > 0:
		s := step{node: nodeName("s", depth, left-1), queue: queue, fallback: !p.undoes && p.roll(item, "fallback", 10) == 0}
		if p.roll(item, "later", 6) == 0 {
			s.delay = 300 * time.Millisecond
		}
		return s
	}
	return step{deposit: depth > 0}
}

// value is what an item was given.
func value(in flox.Input) string {
	if !in.Joined {
		return string(in.Payload)
	}
	var parts []string
	for _, d := range in.Deposits {
		parts = append(parts, string(d))
	}
	return mix(parts...)
}

// commit is what a worker commits of a loaded item.
func (p *plan) commit(l flox.Loaded, keep bool) flox.Commit {
	item := l.Lease.Item()
	c := flox.Commit{Lease: l.Lease, Read: -1, Keep: keep, JoinQueue: "q0", Delta: []byte(item)}
	c.Record = flox.EncodeStep(&flox.StepRecord{Item: item, Node: l.Item.Node, Outcome: "done", Attempt: 1})
	undo := strings.HasPrefix(l.Lease.Token, "u")
	node := l.Item.Node
	if undo {
		node = nodeName("s", 0, 0)
	}
	switch fails := p.fails(l, node); {
	case fails == failsForGood:
		return flox.Commit{Lease: l.Lease, Op: flox.OpFail, Read: -1, Cause: "it failed", Err: failure(l, true)}
	case fails == failsOnce:
		delay := time.Duration(p.roll(item, "back-off", 4)) * 200 * time.Millisecond
		return flox.Commit{Lease: l.Lease, Op: flox.OpRetry, Read: -1, Delay: delay, Took: time.Millisecond, Err: failure(l, false)}
	case undo:
		c.Op, c.Delta = flox.OpEnd, []byte("undo:"+string(l.Item.Input.Payload))
		return c
	}
	in, s := value(l.Item.Input), p.step(item, node, l.Item.Input.Answer != nil)
	out := mix(in, item)
	if p.undoes && !s.await {
		c.Undo = &flox.Undo{Node: "undo", Queue: "q0", Input: []byte(item)}
	}
	c.Node, c.Queue, c.Input, c.Delay = s.node, s.queue, []byte(out), s.delay
	switch {
	case s.await:
		c.Op, c.Signal, c.Input = flox.OpAwait, planSignal, []byte(in)
	case s.fan:
		c.Op, c.Input = flox.OpFan, nil
		c.Fan = &flox.Fan{Size: len(s.branches), Frame: &flox.FrameSpec{Join: s.node, Queue: s.queue, Quorum: s.quorum}}
		for i, b := range s.branches {
			branch := flox.Branch{Node: b, Queue: "q" + fmt.Sprint(i%2), Input: []byte(mix(out, fmt.Sprint(i)))}
			if i == 0 {
				c.Node, c.Queue, c.Input = branch.Node, branch.Queue, branch.Input
			} else {
				c.Fan.Branches = append(c.Fan.Branches, branch)
			}
		}
	case s.node != "":
		c.Op, c.Fallback = flox.OpNext, s.fallback
		if s.fallback {
			c.Delta, c.Err = nil, failure(l, true)
		}
	case s.deposit:
		c.Op, c.Output = flox.OpDeposit, []byte(out)
	default:
		c.Op, c.Output = flox.OpEnd, []byte(out)
	}
	return c
}

type failing int

const (
	failsNot failing = iota
	failsOnce
	failsForGood
)

// fails says whether this attempt at an item fails.
func (p *plan) fails(l flox.Loaded, node string) failing {
	item := l.Lease.Item()
	depth, left := parseNode(node)
	last := depth == 0 && left == 0
	switch {
	case l.Grant == flox.GrantPoison:
		return failsForGood
	case l.Lease.Attempt < p.roll(item, "retries", 6)-3:
		return failsOnce
	case p.undoes:
		if last && !strings.HasPrefix(l.Lease.Token, "u") && !p.step(item, node, l.Item.Input.Answer != nil).await {
			return failsForGood
		}
	case l.Item.Retried == 0 && p.roll(item, "fail", 16) == 0:
		return failsForGood
	}
	return failsNot
}

func failure(l flox.Loaded, final bool) []byte {
	return flox.EncodeRecord(flox.ErrorRecord{
		Item: l.Lease.Item(), Node: l.Item.Node, Attempt: l.Lease.Attempt + 1, Class: flox.ClassError, Message: "no", Final: final,
	})
}

// outcome is what a run comes to that nobody cancels, undoes or cuts short.
type outcome struct {
	output    string
	committed map[string]bool // items
	fallback  map[string]bool // items
}

func (p *plan) outcome() outcome {
	o := outcome{committed: map[string]bool{}, fallback: map[string]bool{}}
	req := p.start()
	o.output = p.follow(&o, flox.RootToken, 0, req.Node, string(req.Input), false)
	return o
}

// follow follows a token to its end, and returns what it leaves there.
func (p *plan) follow(o *outcome, token string, at int, node, in string, answered bool) string {
	item := flox.ItemID(token, at)
	s := p.step(item, node, answered)
	if s.fallback {
		o.fallback[item] = true
	} else {
		o.committed[item] = true
	}
	out := mix(in, item)
	switch {
	case s.await:
		return p.follow(o, token, at+1, node, in, true)
	case s.fan:
		var left []string
		for i, b := range s.branches {
			child, first := token, at+1
			if i > 0 {
				child, first = flox.ChildToken(token, at, i), 0
			}
			left = append(left, p.follow(o, child, first, b, mix(out, fmt.Sprint(i)), false))
		}
		return p.follow(o, flox.JoinToken(item), 0, s.node, mix(left...), false)
	case s.node != "":
		return p.follow(o, token, at+1, s.node, out, false)
	}
	return out
}
