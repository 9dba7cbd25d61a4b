package floxtest

import (
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

// The commits that a worker would make of an item.

func commitOf(l flox.Loaded, op flox.Op, outcome string) flox.Commit {
	item := l.Lease.Item()
	return flox.Commit{
		Lease: l.Lease, Op: op, Read: -1,
		Delta:  []byte("delta of " + item),
		Record: flox.EncodeStep(&flox.StepRecord{Item: item, Node: l.Item.Node, Outcome: outcome, Attempt: 1}),
	}
}

// next goes on at node, in the queue the item was in, without keeping the lease.
func next(l flox.Loaded, node string) flox.Commit {
	c := commitOf(l, flox.OpNext, "next")
	c.Node, c.Queue = node, l.Lease.Queue
	c.Input = []byte("input of " + node)
	return c
}

// keep is next with the lease kept.
func keep(l flox.Loaded, node string) flox.Commit {
	c := next(l, node)
	c.Keep = true
	return c
}

// kept is what the holder has after a kept commit.
func kept(l flox.Loaded, c flox.Commit) flox.Loaded {
	l.Lease.Step++
	l.Lease.Attempt = 0
	l.Item.Node = c.Node
	return l
}

func end(l flox.Loaded, output string) flox.Commit {
	c := commitOf(l, flox.OpEnd, "end")
	c.Output = []byte(output)
	return c
}

// endSilently ends with no output.
func endSilently(l flox.Loaded) flox.Commit {
	c := commitOf(l, flox.OpEnd, "end")
	c.JoinQueue = l.Lease.Queue
	return c
}

func deposit(l flox.Loaded, output string) flox.Commit {
	c := commitOf(l, flox.OpDeposit, "deposit")
	c.Output = []byte(output)
	c.JoinQueue = l.Lease.Queue
	return c
}

// fan fans out into n branches at node "branch" which no join closes.
func fan(l flox.Loaded, n int) flox.Commit {
	c := commitOf(l, flox.OpFan, "fan")
	c.Fan = &flox.Fan{Size: n}
	c.JoinQueue = l.Lease.Queue
	if n == 0 {
		return c
	}
	c.Node, c.Queue, c.Input = "branch", l.Lease.Queue, branchInput(0)
	var branches []flox.Branch
	for i := 1; i < n; i++ {
		branches = append(branches, flox.Branch{Node: "branch", Queue: l.Lease.Queue, Input: branchInput(i)})
	}
	if n > flox.ReleaseChunk {
		c.Fan.Blobs = flox.EncodeBranches(branches)
	} else {
		c.Fan.Branches = branches
	}
	return c
}

// fanJoin fans out into n branches that the join "join" closes.
func fanJoin(l flox.Loaded, n int) flox.Commit {
	c := fan(l, n)
	c.Fan.Frame = &flox.FrameSpec{Join: "join", Queue: l.Lease.Queue}
	return c
}

func branchInput(i int) []byte { return fmt.Appendf(nil, "branch %d", i) }

// release releases the chunk of a large fan-out that is due.
func release(l flox.Loaded) flox.Commit {
	branches, err := flox.DecodeBranches(l.Item.Release.Blob)
	if err != nil {
		panic(err)
	}
	return flox.Commit{Lease: l.Lease, Op: flox.OpRelease, Read: -1, Branches: branches}
}

func retry(l flox.Loaded) flox.Commit {
	return flox.Commit{Lease: l.Lease, Op: flox.OpRetry, Read: -1, Err: failure(l, false)}
}

func fail(l flox.Loaded, cause string) flox.Commit {
	return flox.Commit{Lease: l.Lease, Op: flox.OpFail, Read: -1, Cause: cause, Err: failure(l, true)}
}

func fallback(l flox.Loaded, node string) flox.Commit {
	c := next(l, node)
	c.Fallback = true
	c.Delta = nil
	c.Err = failure(l, true)
	return c
}

func failure(l flox.Loaded, final bool) []byte {
	return flox.EncodeRecord(flox.ErrorRecord{
		Item: l.Lease.Item(), Node: l.Item.Node, Attempt: l.Lease.Attempt + 1,
		Class: flox.ClassError, Message: "boom", Final: final,
	})
}
