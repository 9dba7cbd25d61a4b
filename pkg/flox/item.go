package flox

import "time"

// Entry points to a token that is ready. The token's record is the truth; an
// entry that the record does not point back to is a stray and grants nothing.
type Entry struct {
	Run, Token string
	Queue      string
	ID         string // the store's name for the entry
	Consumer   string // who claimed it
	Crashes    int    // how often its item was started and lost, if Reclaim found it
	// Since is when it was claimed, or a little before; zero if that is not known.
	Since time.Time
}

// freshClaim is how long after its claim an entry is as good as claimed now.
const freshClaim = 50 * time.Millisecond

// Fresh says whether the entry was claimed just now: then its lease, which lasts
// from there, need not be extended by Load.
func (e Entry) Fresh() bool { return !e.Since.IsZero() && time.Since(e.Since) < freshClaim }

// Lease is the proof that a worker holds a token at one step. Owner is written
// into the token's record by Load; owner and step are the fence of every write.
type Lease struct {
	Entry
	Owner   string
	Step    int // StepUnknown if a Load that may have granted it was not answered
	Attempt int // failed attempts so far; part of the fence of a failure
	// Note is the store's own: what it knows of the token, from Load or the last
	// kept commit. It may be lost.
	Note string
}

// StepUnknown is the step of a lease for which Renew and Handback ask the owner
// alone. No commit takes it.
const StepUnknown = -1

// Item names the work item the lease is for: "<token>.<step>".
func (l Lease) Item() string { return ItemID(l.Token, l.Step) }

// Grant says whether Load granted the token.
type Grant int

const (
	GrantOK        Grant = iota // execute it
	GrantPoison                 // yours, but it crashed its workers too often: fail it, do not execute it
	GrantStray                  // the entry pointed to nothing and is gone
	GrantLost                   // somebody else holds the token
	GrantParked                 // the run is paused, failed or undoing; the token was parked
	GrantCancelled              // the run was cancelled; the token was dropped
	GrantInvalid                // what the store has of the run or token cannot be read; nothing was changed
	GrantDropped                // the join of its branch fired without it; Settle drops the token
)

// Loaded is what Load returns. Item and Lease are set for GrantOK and GrantPoison.
type Loaded struct {
	Grant Grant
	Lease Lease
	Item  Item
}

// Item is a token at one step: what a worker executes.
type Item struct {
	Workflow    string
	Fingerprint string // of the graph the run was started with
	Node        string
	Input       Input
	Crashes     int           // times it was started and lost since the last commit
	Version     int64         // the run's state version when it was loaded
	Committed   int64         // items committed in the run so far
	Elapsed     time.Duration // since the first attempt at the item began; zero at the first
	Waited      time.Duration // from when the token became ready until it was claimed
	// Release is set while the token releases a large fan-out. Such an item
	// runs no user code: it is committed with OpRelease.
	Release *Release
	// Scope names the innermost frame with FrameSpec.Scope that the token
	// stands in, "" outside all; Joins the frame whose join the token is at,
	// until its next commit.
	Scope, Joins string
	Trace        string // StartRequest.Trace
	Retried      int    // how often the run was retried after it had failed of the item
}

// Input is what a node gets, encoded. A join's input is one payload a branch,
// in input order, and, if the fan-out asked for it, what the fan-out was given.
type Input struct {
	Payload  []byte
	Joined   bool
	Deposits [][]byte
	Sources  []string // the items that left the deposits
	// Answer is set at the step after OpAwait, which stands at the same node:
	// Payload is what was carried.
	Answer *Answered
	// Cause is set for an item that undoes: the Commit.Err of the failure that
	// the run undoes for, nil if it had none.
	Cause []byte
	// Spoilt says why what the store has of the input is not all of it, "" if it
	// is. The item fails of it.
	Spoilt string
}

// Answered is how a wait ended.
type Answered struct {
	Payload  []byte // of the signal
	TimedOut bool   // there was none
}

// Release is a part of a large fan-out that is due.
type Release struct {
	Chunk  int    // counted from 1
	Chunks int    // how many there are
	Blob   []byte // the branches of this chunk, see EncodeBranches
}

// Branch is one token that a fan-out makes.
type Branch struct {
	Node  string `json:"n"`
	Queue string `json:"q"`
	Input []byte `json:"i"`
}

// Health is the answer to a heartbeat.
type Health int

const (
	HealthOK        Health = iota // yours; go on
	HealthLost                    // somebody else holds the token, or it is gone: stop, commit nothing
	HealthCancelled               // the run was cancelled: stop, commit nothing
	HealthPaused                  // yours; finish and commit, but start no further step
	HealthFailed                  // as paused: the run failed elsewhere, or undoes
	HealthDropped                 // the join of the token's branch fired without it: stop, hand back
)
