package flox

import "time"

// ReleaseChunk is the most branches one commit makes. A larger fan-out is
// recorded whole and released in chunks of this size.
const ReleaseChunk = 256

// Op says what a commit does with its token.
type Op int

const (
	OpNext    Op = iota // the token goes on at Node with Input
	OpEnd               // the token ends; Output, if not nil, is an output of the run
	OpDeposit           // the token ends at its frame's join, leaving Output there
	OpFan               // the token goes on as branch 0, Branches are made beside it
	OpRelease           // makes the branches of one chunk of a large fan-out
	OpRetry             // the attempt failed; the token is tried again after Delay
	OpFail              // the item failed for good and so does the run
	OpHold              // the token ends, absorbed; refused as stale if the state moved since Read
	OpAwait             // the token waits at its node until Signal comes, at most Delay
)

// Commit is everything a finished item changes. The store applies it at once
// or not at all.
type Commit struct {
	Lease
	Op Op

	// Node, Queue and Input of the successor (OpNext), or of branch 0 (OpFan).
	// OpAwait has an Input only: what is carried to the answer.
	Node, Queue string
	Input       []byte
	// Keep asks to go on with the successor under this lease. It is granted if
	// the run's status grants steps, the successor's queue is the lease's and no
	// Delay is set. After OpAwait it is granted if the signal had come already.
	Keep bool
	// Delay until the retry (OpRetry), until the successor is ready (OpNext) or
	// all branches are (OpFan); how long to wait at most
	// (OpAwait). Zero is none: at once, or to wait for ever.
	Delay time.Duration
	// Took is how long the failed attempt took (OpRetry), see Item.Elapsed.
	Took time.Duration
	// Signal is what OpAwait waits for.
	Signal string
	// Undo is what would undo the item, nil for nothing. It is kept until the
	// run ends, and run if the run fails. With OpNext, OpEnd, OpDeposit and OpFan.
	Undo *Undo
	// Output of OpEnd (nil: none) and OpDeposit.
	Output []byte
	// Close, with OpDeposit, leaves the output at the frame that is Up frames
	// outside the token's own, whose join fires at once; what else stands in
	// that frame is dropped, as after a quorum.
	Close bool
	Up    int

	// Fan (OpFan) and Branches (OpRelease).
	Fan      *Fan
	Branches []Branch

	// JoinQueue is the queue of the join that the token's frame leads to, ""
	// outside frames: a token that ends in a frame may make the join's token.
	JoinQueue string

	// Delta is the item's contribution to the run's state, nil for none.
	Delta []byte
	// Read is the state version the item has read, -1 if it read none. A commit
	// that read a version the store does not have (any more) is stale. With
	// OpHold it is never -1: the version at the item's load or last commit, if
	// it read none.
	Read int64

	// Record goes to the history (not for OpRetry, OpFail, OpRelease). Err goes
	// to the errors: with OpRetry, OpFail, and a commit that takes a fallback.
	Record []byte
	Err    []byte
	// Fallback marks an OpNext without a Delay that leads to the failed item's
	// fallback, or an OpDeposit that leads to that of the nested workflow it closes.
	Fallback bool
	// MaxSteps refuses the commit with VerdictLimit once the run has committed
	// as many items; zero is no limit. Not for OpRetry, OpFail and OpRelease.
	MaxSteps int64
	// Cause is the one-line reason of a failed run (OpFail).
	Cause string
}

// Fan describes a fan-out of Size branches. Of these branch 0 is the token
// itself (Commit.Node, Queue, Input).
type Fan struct {
	Size int // 0: the frame's join fires at once, or the token ends
	// Branches are 1..Size-1, if Size <= ReleaseChunk; else Blobs holds them in
	// chunks of ReleaseChunk, see EncodeBranches.
	Branches []Branch
	Blobs    [][]byte
	// Frame is opened if a join closes the fan-out; else nil, and the branches
	// stand in the frame the token stands in.
	Frame *FrameSpec
}

// FrameSpec is the join that closes a fan-out.
type FrameSpec struct {
	Join, Queue string
	Carry       []byte // what the fan-out was given, if the join asked for it, else nil
	// Quorum is how many arrivals fire the join; what comes later is dropped.
	// Zero: all branches are waited for.
	Quorum int
	// Scope says that the frame's tokens stand in a scope of their own, named
	// after the frame; see Item.Scope.
	Scope bool
}

// Undo is an item that undoes a committed one: it is queued at Node with Input.
type Undo struct {
	Node, Queue string
	Input       []byte
}

// Verdict is the store's answer to a commit or a hand-back.
type Verdict int

const (
	VerdictKept      Verdict = iota // applied; the token is still yours, at step+1
	VerdictReleased                 // applied; the token is out of your hands
	VerdictParked                   // applied, or stale; the run is paused or failed and the token was parked
	VerdictRepeat                   // had been applied before; nothing changed; the token is out of your hands
	VerdictStale                    // refused: execute the item again on the fresh state
	VerdictLost                     // refused: somebody else holds the token
	VerdictCancelled                // refused: the run was cancelled
	VerdictLimit                    // refused: MaxSteps is reached; fail the item
	VerdictGone                     // refused: there is no such run
	VerdictInvalid                  // refused: a key of the run has a wrong type
	VerdictDropped                  // refused: the join of the token's branch fired without it; Settle drops the token
)

// Applied reports whether the commit took effect, now or before.
func (v Verdict) Applied() bool { return v <= VerdictRepeat }

// CommitResult is what Commit returns.
type CommitResult struct {
	Verdict Verdict
	// Again says that a kept commit had been applied before (its answer was lost).
	Again bool
	// Version and Committed are the run's state version and committed items
	// after a kept commit, and now after a stale one.
	Version, Committed int64
	// Settle says that the commit left work that Settle does, which the caller
	// should call: a run that undoes, or branches that came too late. Any
	// worker's janitor does it otherwise.
	Settle bool
	// Ended is how the run ended, if this very commit has ended it, and Lasted how
	// long after its start; else "". The repeat of a commit does not say it again.
	Ended  Status
	Lasted time.Duration
	// Note is the Lease.Note after a kept commit.
	Note string
}

// StateLog is a part of a run's state: the deltas from Since on, in commit
// order. If Snapshot is not nil it stands for everything before the deltas and
// the reader starts over from it; an empty one stands for no state at all.
//
// A retry from a node cuts the log back. Versions never go back: the log then
// begins with a snapshot behind the newest version that anybody has read.
type StateLog struct {
	Snapshot []byte
	Folded   int64 // version of the run's snapshot, now; without a retry from a node: how many deltas it stands for
	Deltas   [][]byte
	Version  int64 // after the last delta
}

// CompactRequest asks to replace the oldest deltas of a run's state by a
// snapshot that stands for them.
type CompactRequest struct {
	Run      string
	Folded   int64 // StateLog.Folded when the deltas were read; another value now refuses
	Deltas   int64 // how many deltas after Folded the snapshot stands for, too; at least 1
	Snapshot []byte
}
