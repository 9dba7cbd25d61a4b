package flox

import (
	"fmt"
	"slices"
	"time"
)

// Status is how a run stands.
type Status string

const (
	StatusPending   Status = "pending" // running, but nothing was loaded yet
	StatusRunning   Status = "running"
	StatusPaused    Status = "paused"    // no step starts until it is resumed
	StatusCompleted Status = "completed" // for good
	StatusFailed    Status = "failed"    // until it is retried
	StatusUndoing   Status = "undoing"   // it has failed, and what was done is being undone
	StatusCancelled Status = "cancelled" // for good
)

// Terminal reports whether the run has ended.
func (s Status) Terminal() bool {
	return s == StatusCompleted || s == StatusFailed || s == StatusCancelled
}

// RunInfo is what a run is and how it stands.
type RunInfo struct {
	ID          string    `json:"id"`
	Workflow    string    `json:"workflow"`
	Fingerprint string    `json:"fingerprint"`
	Status      Status    `json:"status"`
	Created     time.Time `json:"created"`
	Ended       time.Time `json:"ended,omitzero"`
	Deadline    time.Time `json:"deadline,omitzero"`
	// Labels are what its start was given to find it by.
	Labels map[string]string `json:"labels,omitempty"`
	Trace  string            `json:"trace,omitempty"` // StartRequest.Trace
	Cause  string            `json:"cause,omitempty"` // why it failed
	// Failure is the record of the error that the run failed of, if it was one.
	Failure *ErrorRecord `json:"failure,omitempty"`
	// Held says at which nodes how many items were held (see OpHold), as
	// "node=count", comma-separated.
	Held   string `json:"held,omitempty"`
	Counts Counts `json:"counts"`
}

// Counts is a run's ledger. Created = Committed + Failed + Dropped + Live.
type Counts struct {
	Created   int64 `json:"created"`   // items made
	Committed int64 `json:"committed"` // items finished
	Failed    int64 `json:"failed"`    // items that took their fallback
	Held      int64 `json:"held"`      // of the committed: absorbed
	Dropped   int64 `json:"dropped"`   // items that were not to be done any more: of a cancelled or undoing run, or late for their join
	Live      int64 `json:"live"`      // tokens that stand somewhere
	Parked    int64 `json:"parked"`    // of these: parked, because the run is paused or failed
	Outputs   int64 `json:"outputs"`
	Version   int64 `json:"version"` // of the state: grows by one with each delta, and by more with a retry from a node
}

// StartRequest creates a run.
type StartRequest struct {
	Run         string
	Nonce       string // fresh for each request, the same for its repeats
	Workflow    string
	Fingerprint string
	Node, Queue string // where the first token stands
	Input       []byte
	NeedsOutput bool // the run fails if it ends with no output
	// Undoes says that items of the run may come with an Undo. If it fails while
	// others than the failed one are out, it then undoes even if nothing can be
	// undone yet: they may commit what can.
	Undoes bool
	Delay  time.Duration // until the first token is ready
	At     time.Time     // when it is ready, by the store's clock; with a Delay the later of both
	// Deadline is how long the run may take from when its first token is ready;
	// zero is for ever. A run that has not ended then fails: Info's Failure is
	// an ErrorRecord of ClassDeadline with no item. Retry lifts the deadline.
	Deadline time.Duration
	Labels   map[string]string // to find the run by
	Trace    string            // where the run belongs to in a trace, see Tracer; "" for nowhere
}

// ControlOp is an operation on a run's status.
type ControlOp string

const (
	ControlPause  ControlOp = "pause"  // running -> paused
	ControlResume ControlOp = "resume" // paused -> running
	ControlCancel ControlOp = "cancel" // running, paused, undoing -> cancelled
	ControlRetry  ControlOp = "retry"  // failed -> running, or undoing if that is what failed
)

// ControlDelete is the operation of which a *RefusedError of Delete speaks.
const ControlDelete ControlOp = "delete"

// Takes returns the statuses of the runs that the operation takes.
func (op ControlOp) Takes() []Status {
	switch op {
	case ControlPause:
		return []Status{StatusPending, StatusRunning}
	case ControlResume:
		return []Status{StatusPaused}
	case ControlCancel:
		return ActiveStatuses()
	case ControlRetry:
		return []Status{StatusFailed}
	case ControlDelete:
		return []Status{StatusCompleted, StatusFailed, StatusCancelled}
	}
	return nil
}

// ControlRequest asks for an operation. Nonce is fresh for each request and the
// same for its repeats; it satisfies CheckName.
type ControlRequest struct {
	Run   string
	Op    ControlOp
	Nonce string
	// From, of a retry, is the node from which the failed run is done again, as it
	// stood when it last came there alone: before the last commit there of a token
	// that was the run's only one, stood in no frame, and had an input of one value
	// (no join's deposits, no answer of a wait). The state, the outputs, the ends
	// and the holds are what they were; the ledger, the history, the errors, and
	// signals that nobody has taken are kept. Every token is dropped, also from its
	// worker, and RestartToken goes on. Until Settle has dropped the last one the
	// run is failed, and other retries are refused. If the run's only token stands
	// there now, as it came, it is a plain retry. See RetryRefusal for what is
	// refused. What is kept for this goes when the run completes, is cancelled or
	// begins to undo.
	From string
}

// SignalRequest sends a signal to a run. ID is fresh for each signal and the
// same for its repeats.
type SignalRequest struct {
	Run, Name, ID string
	Payload       []byte
}

// RunFilter selects the runs that pass all of its fields; the zero value selects
// every run.
type RunFilter struct {
	Statuses []Status          // any of these; none is any status, see also ActiveStatuses
	Workflow string            // "" for any
	Labels   map[string]string // labels that the run has, with these values
	// OlderThan and NewerThan bound a run's age: the time since it ended, or,
	// if it has not, since it was started. Zero is no bound.
	OlderThan, NewerThan time.Duration
}

// ActiveStatuses returns the statuses of runs that have not ended.
func ActiveStatuses() []Status {
	return []Status{StatusPending, StatusRunning, StatusPaused, StatusUndoing}
}

// Passes reports whether a run's status and labels are among those the filter
// selects; it does not look at the rest.
func (f RunFilter) Passes(status Status, labels map[string]string) bool {
	for key, value := range f.Labels {
		if got, ok := labels[key]; !ok || got != value {
			return false
		}
	}
	return len(f.Statuses) == 0 || slices.Contains(f.Statuses, status)
}

// check refuses what can only be a mistake and would select all runs, or none.
func (f RunFilter) check() error {
	if f.OlderThan < 0 || f.NewerThan < 0 {
		return fmt.Errorf("older than %v, newer than %v: want zero or more", f.OlderThan, f.NewerThan)
	}
	for _, s := range f.Statuses {
		if !s.Terminal() && !slices.Contains(ActiveStatuses(), s) {
			return fmt.Errorf("status %q: unknown", s)
		}
	}
	return nil
}

// ListRequest asks for a page of runs.
type ListRequest struct {
	RunFilter
	OldestFirst bool
	Cursor      string // "" for the first page, then RunPage.Next
	Limit       int    // most runs on the page, at least 1
}

// RunPage is a page of runs; Next is "" on the last.
type RunPage struct {
	Runs []RunInfo `json:"runs"`
	Next string    `json:"next,omitempty"`
}

// RunEvent says that a run's status has changed.
type RunEvent struct {
	Run    string `json:"run"`
	Status Status `json:"status"`
}

// Alert is what a worker acts on: a change of a run's status or, if Run is "", a
// timer.
type Alert struct {
	Run    string
	Status Status
	Due    time.Duration // until the timer is due
}

// TokenPlace is where a token stands.
type TokenPlace string

const (
	PlaceQueued  TokenPlace = "queued"  // in its queue, waiting for a worker
	PlaceLeased  TokenPlace = "leased"  // with a worker
	PlaceDelayed TokenPlace = "delayed" // until a retry or start is due
	PlaceWaiting TokenPlace = "waiting" // for a signal
	PlaceParked  TokenPlace = "parked"  // the run is paused, failed or undoing
)

// TokenInfo is one live token of a run.
type TokenInfo struct {
	Token   string     `json:"token"`
	Step    int        `json:"step"`
	Node    string     `json:"node"`
	Queue   string     `json:"queue"`
	Place   TokenPlace `json:"place"`
	Owner   string     `json:"owner,omitempty"`
	Attempt int        `json:"attempt"` // failed attempts so far
	Crashes int        `json:"crashes"`
	Failed  bool       `json:"failed"`           // it is what the run failed of
	Signal  string     `json:"signal,omitempty"` // it waits for
	Due     time.Time  `json:"due,omitzero"`
}

// StepRecord is one finished step, as the history keeps it.
type StepRecord struct {
	Item     string        `json:"item"`
	Node     string        `json:"node"`
	Outcome  string        `json:"outcome"` // next, end, deposit, fan, fallback, hold, await, answered, undone
	Attempt  int           `json:"attempt"` // counted from 1
	Worker   string        `json:"worker"`
	Duration time.Duration `json:"duration"`         // of the node, in nanoseconds
	Time     time.Time     `json:"time"`             // of the commit, by the store's clock
	Undoes   string        `json:"undoes,omitempty"` // the node whose item this one undid
}

// ErrorRecord is one failed attempt.
type ErrorRecord struct {
	Item    string    `json:"item"`
	Node    string    `json:"node"`
	Attempt int       `json:"attempt"`
	Class   string    `json:"class"` // see NodeError
	Message string    `json:"message"`
	Stack   string    `json:"stack,omitempty"` // of a panic
	Final   bool      `json:"final"`           // no retry follows
	Worker  string    `json:"worker"`
	Time    time.Time `json:"time"` // by the store's clock
}

// QueueStats is how full a queue is.
type QueueStats struct {
	Name   string `json:"name"`
	Ready  int64  `json:"ready"`  // waiting for a worker
	Leased int64  `json:"leased"` // with a worker
	// Delayed are the tokens that will be ready at some time, or are waiting for a
	// signal until then. The store counts at least the 10,000 that are due next.
	Delayed int64 `json:"delayed"`
	// Taken is how many entries were ever handed to a worker, or more: two
	// readings give a rate. It is negative if the store cannot tell.
	Taken  int64         `json:"taken"`
	Oldest time.Duration `json:"oldest"` // age of the oldest entry, ready or leased
	// OldestReady is the age of the oldest entry that no worker has taken, 0 if
	// there is none.
	OldestReady time.Duration `json:"oldestReady"`
}

// WorkerInfo is one worker process.
type WorkerInfo struct {
	ID        string        `json:"id"`   // the consumer's name
	Name      string        `json:"name"` // as configured, the host's name by default
	PID       int           `json:"pid"`
	Started   time.Time     `json:"started"`
	Version   string        `json:"version"`
	Workflows []string      `json:"workflows"`
	Queues    []string      `json:"queues"`
	Slots     int           `json:"slots"`
	Active    []ActiveItem  `json:"active"`
	Draining  bool          `json:"draining"`
	Age       time.Duration `json:"age"` // since the last beat, set by Workers
}

// ActiveItem is what a worker is doing.
type ActiveItem struct {
	Run  string        `json:"run"`
	Item string        `json:"item"`
	Node string        `json:"node"`
	For  time.Duration `json:"for"`
	// Share and Note are what the node last said with Context.Progress.
	Share float64 `json:"share,omitempty"`
	Note  string  `json:"note,omitempty"`
}

// WorkflowInfo is a registered workflow: all that is needed to start a run of
// it and to draw it, without its nodes.
type WorkflowInfo struct {
	Name        string        `json:"name"`
	Fingerprint string        `json:"fingerprint"`
	StartNode   string        `json:"startNode"`
	StartQueue  string        `json:"startQueue"`
	NeedsOutput bool          `json:"needsOutput"`
	ListOutput  bool          `json:"listOutput"` // any number of outputs: made by BuildAll
	Queues      []string      `json:"queues"`
	Undoes      bool          `json:"undoes,omitempty"`   // it has nodes that undo
	Deadline    time.Duration `json:"deadline,omitempty"` // of every run that is not given another
	// Retention is how long runs are kept after their end, by how they ended. A
	// status that it lacks, and a workflow that is not registered, has
	// DefaultRetention.
	Retention  map[Status]time.Duration `json:"retention,omitempty"`
	Graph      []byte                   `json:"graph"`            // Workflow.JSON
	Schema     []byte                   `json:"schema,omitempty"` // JSON Schema of the input
	Registered time.Time                `json:"registered"`       // set by the store
}
