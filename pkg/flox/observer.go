package flox

import "time"

// Observer is told what a worker does, for metrics. Observe is called from many
// goroutines, on the worker's path: it must be quick and must not block.
type Observer interface {
	Observe(e Event)
}

// EventKind says what an Event is about.
type EventKind int

const (
	EventClaimed    EventKind = iota // Count entries were claimed
	EventStarted                     // an item's node starts; Queued and Waited are set for the first step after a claim
	EventFinished                    // a node has returned; Outcome and Duration (of the node) are set
	EventCommitted                   // a commit was answered; Outcome and Duration (of the commit) are set
	EventLeaseLost                   // a lease was lost before its item was committed
	EventReclaimed                   // Count entries were taken over from workers that are gone
	EventPromoted                    // Count delayed tokens were moved to their queues, or deadlines passed
	EventStoreError                  // a call to the store failed; Outcome names the call
	EventRenewed                     // a lease was extended
	EventJoined                      // a join's item starts, with what Count branches left
	EventState                       // the state of a run was read; Count is its stored size in bytes
	EventRunEnded                    // the worker has ended a run, see Tracer; Outcome is its status, Duration the time since its start
	EventFailed                      // an attempt has failed; Class and Outcome (fallback, retry, fail) are set
	EventGivenUp                     // an item that was started came to no end here: it was cancelled, lost or handed back
)

// Event is one thing that a worker did. Its strings come from the registered
// graphs and from fixed sets, never from a run, so they can be metric labels.
type Event struct {
	Kind     EventKind
	Workflow string
	Node     string
	Queue    string
	// Outcome: next, end, deposit, fan, hold, await, fallback, retry, fail
	// (EventFinished, EventFailed); applied, repeated, stale, lost, cancelled, dropped, limit,
	// gone, invalid, error (EventCommitted); the name of the store's method
	// (EventStoreError).
	Outcome string
	// Class is why an attempt failed (EventFailed), see NodeError. An item fails also
	// if the commit of what its node decided is refused for good.
	Class    string
	Duration time.Duration
	Queued   bool          // the item comes from its queue
	Waited   time.Duration // it was ready there for so long
	Count    int
}

type noObserver struct{}

func (noObserver) Observe(Event) {}
