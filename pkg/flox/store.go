package flox

import (
	"context"
	"time"
)

// Store is everything flox keeps outside a process: the six roles together.
//
// Every method is safe for concurrent use, blocks until the store has answered
// or ctx ends, and may be repeated with the same arguments: the repeat changes
// nothing more than the first call did and says what holds now. An error means
// that the store could not be asked or did not answer; answers that a caller
// must act on (a lost lease, a cancelled run) are values, not errors, unless a
// method says otherwise. Byte slices passed in or handed out are never
// modified afterwards by either side.
//
// An implementation must pass floxtest.TestStore.
type Store interface {
	WorkQueue
	CheckpointStore
	RunInfoStore
	MetricsStore
	ErrorStore
	LivenessStore
}

// WorkQueue hands ready tokens to workers and takes them back.
type WorkQueue interface {
	// Claim returns entries that nobody works on yet, at least one and at most
	// req.Max, waiting up to req.Wait for the first. No entries and no error
	// means that none came. A claimed entry grants nothing: see Load.
	Claim(ctx context.Context, req ClaimRequest) ([]Entry, error)
	// Load turns a claimed entry into a lease and returns the item to execute.
	// owner must be unique for ever: a Load that was not answered may be repeated. An item that was started and lost crashLimit
	// times without a commit is granted as GrantPoison.
	Load(ctx context.Context, e Entry, owner string, crashLimit int) (Loaded, error)
	// Renew extends the lease to its full length from now.
	Renew(ctx context.Context, l Lease) (Health, error)
	// Handback gives the token back unexecuted, to be taken by any worker: at
	// once, or, when the worker does not know the token's node, after a delay
	// that doubles from 0.5 s to 60 s with each such hand-back.
	Handback(ctx context.Context, l Lease, unknownNode bool) (Verdict, error)
	// Reclaim moves entries whose lease ran out to req.Consumer, which then
	// holds them as if it had claimed them.
	Reclaim(ctx context.Context, req ReclaimRequest) ([]Entry, error)
	// Promote moves delayed tokens that are due to their queues, at most limit,
	// and says how long it is until the next one is due. Runs whose deadline has
	// passed fail.
	Promote(ctx context.Context, limit int) (Promoted, error)
}

// CheckpointStore keeps what is needed to go on with a run: its state and its
// live tokens.
type CheckpointStore interface {
	// Commit applies everything a finished item changes, at once or not at all.
	// It is fenced by c.Lease: if somebody else holds the token, or the item was
	// committed already, nothing changes and the verdict says so.
	Commit(ctx context.Context, c Commit) (CommitResult, error)
	// State returns the run's state log after version since, see StateLog.
	// ErrNotFound if there is no such run.
	State(ctx context.Context, run string, since int64) (StateLog, error)
	// Checkpoint returns up to limit live tokens of a run in no order, from
	// cursor on ("" at first); next is "" after the last.
	// ErrNotFound if there is no such run.
	Checkpoint(ctx context.Context, run, cursor string, limit int) (tokens []TokenInfo, next string, err error)
	// Settle does a bounded part of the work that a resume, retry or cancel left
	// to do: queue parked tokens again, drop the tokens of a cancelled run; those
	// of a run that undoes, which then begins to undo; and branches whose join
	// fired without them. A run that is left with nothing to do ends. With run ""
	// it takes runs that have such work. With an error it says what it did do.
	Settle(ctx context.Context, run string) (Settled, error)
	// Rebuild queues tokens again whose queue entry or timer is gone (it was
	// lost with a part of the store's data), and returns how many. With run ""
	// it looks at some active runs, others at each call, until it has seen all.
	Rebuild(ctx context.Context, run string) (int, error)
	// Compact replaces the oldest deltas of a run's state by a snapshot. It
	// reports false, and changes nothing, if somebody else has compacted
	// meanwhile, the run has fewer deltas than that, or there is no such run.
	// The state version stays what it is.
	Compact(ctx context.Context, req CompactRequest) (bool, error)
}

// RunInfoStore keeps what a run is and how it stands.
type RunInfoStore interface {
	// Start creates a run with one token. Repeated with the same nonce it
	// returns nil again; if the id is taken otherwise, a *RunExistsError.
	Start(ctx context.Context, req StartRequest) error
	// Control changes a run's status. ErrNotFound if there is no such run, a
	// *RefusedError if its status does not allow the operation, or already is
	// what the operation would make it. Call Settle afterwards. Repeated with the
	// nonce of one of the run's last 8 controls it changes nothing, whatever
	// others have done since. A refusal or ErrNotFound is final, here and of Signal
	// and Delete: no attempt that comes late does anything.
	Control(ctx context.Context, req ControlRequest) (Status, error)
	// Signal completes the wait of the run's token that has waited longest for
	// the signal and is not late (see GrantDropped), or keeps the signal for the
	// first token that will; delivered is false while it is kept. Repeated with
	// the ID of the name's last signal it changes nothing. ErrNotFound if there is
	// no such run; a *SignalError if it has ended or undoes, or keeps one of that
	// name already.
	Signal(ctx context.Context, req SignalRequest) (delivered bool, err error)
	// Info returns one run. ErrNotFound if there is none.
	Info(ctx context.Context, run string) (RunInfo, error)
	// List returns a page of the runs that a filter selects: those that have not
	// ended, then the completed, the failed, the cancelled; each by start (those
	// that have not ended) or end, newest first unless asked otherwise. It looks
	// at a bounded number of runs: a page may hold fewer than it could, even
	// none, and yet not be the last.
	List(ctx context.Context, req ListRequest) (RunPage, error)
	// Delete removes a run that has ended and all that is kept of it; tokens of a
	// failed run that are still with a worker are taken from it. ErrNotFound if
	// there is no such run, a *RefusedError if it has not ended. With run "" it
	// removes some of the runs whose retention is over, see
	// WorkflowInfo.Retention, and returns how many: call it again while there
	// were any.
	Delete(ctx context.Context, run string) (int, error)
}

// MetricsStore counts.
type MetricsStore interface {
	// Stats returns the number of runs by workflow and status.
	Stats(ctx context.Context) (map[string]map[Status]int64, error)
	// Queues returns how full each of the named queues is, in their order.
	Queues(ctx context.Context, names []string) ([]QueueStats, error)
	// Watch sends changes of run status until ctx ends, then closes the channel.
	// It is a hint: events may be missing after a lost connection, so a caller
	// also asks Info now and then. A slow reader loses events, never blocks.
	Watch(ctx context.Context) (<-chan RunEvent, error)
	// Alerts sends what workers act on until ctx ends, then closes the channel:
	// changes of status that concern who has a token of the run, which a start and
	// a completion do not; the same status again when a join has fired without
	// some; and those timers, at least, that are due before all others. It is a
	// hint, as Watch is: after a lost connection it sends a timer that is due at
	// once, to say so.
	Alerts(ctx context.Context) (<-chan Alert, error)
}

// ErrorStore keeps what went wrong, what was done and what came of it.
type ErrorStore interface {
	// Errors returns the newest errors of a run, oldest first (the store keeps
	// at least 100). ErrNotFound if there is no such run.
	Errors(ctx context.Context, run string) ([]ErrorRecord, error)
	// History returns up to limit finished steps of a run in commit order,
	// skipping the first from. ErrNotFound if there is no such run.
	History(ctx context.Context, run string, from, limit int) ([]StepRecord, error)
	// Outputs returns the run's outputs so far, in commit order.
	// ErrNotFound if there is no such run.
	Outputs(ctx context.Context, run string) ([][]byte, error)
}

// LivenessStore keeps who is there: workers, and the workflows they know.
type LivenessStore interface {
	// Namespace returns the name that keeps this deployment's keys apart.
	Namespace() string
	// Beat records that a worker is alive and what it does.
	Beat(ctx context.Context, w WorkerInfo) error
	// Leave removes a worker that stopped. What it claimed from its queues and
	// did not load is ready again.
	Leave(ctx context.Context, w WorkerInfo) error
	// Workers returns all workers that beat within the last day, by id.
	Workers(ctx context.Context) ([]WorkerInfo, error)
	// Register records a workflow, replacing an earlier one of its name, and
	// makes its queues.
	Register(ctx context.Context, w WorkflowInfo) error
	// Workflows returns all registered workflows by name.
	Workflows(ctx context.Context) ([]WorkflowInfo, error)
}

// ClaimRequest asks for work.
type ClaimRequest struct {
	Consumer string        // who claims: a name that is unique to the process
	Queues   []string      // queues to take from
	Max      int           // most entries to return, at least 1
	Wait     time.Duration // how long to wait for the first; zero does not wait
}

// ReclaimRequest asks for work that others left behind.
type ReclaimRequest struct {
	Consumer string
	Queues   []string
	Lease    time.Duration // how long a lease lasts without renewal
	Max      int
}

// Promoted is the result of Promote.
type Promoted struct {
	Moved int           // tokens that were moved to their queues, and deadlines that passed
	Next  time.Duration // until the next delayed token is due; negative if there is none
	Ended []EndedRun    // runs that this call has failed; a repeat does not say it again
}

// Settled is the result of Settle.
type Settled struct {
	// More says that work is left that Settle can do now: a token that is with a
	// worker is left to it.
	More  bool
	Ended []EndedRun // runs that this call has ended; a repeat does not say it again
}
