package flox

import (
	"context"
	"fmt"
	"regexp"
	"time"
)

// Tracer makes spans of what a worker does, so that a run is one trace on
// whichever workers its items are executed. Package floxotel has one for
// OpenTelemetry. Its methods are called from many goroutines, on the worker's
// path: they must be quick and must not block.
type Tracer interface {
	// Begin is called before an attempt at an item. The context it returns, made
	// from ctx, is the node's.
	Begin(ctx context.Context, a Attempt) (context.Context, Span)
	// RunEnded is called when this worker has ended a run: by a commit, or because
	// its deadline passed or nothing was left of it. Nobody says it of a run that was
	// cancelled, or if the store's answer was lost.
	RunEnded(r EndedRun)
}

// Span is an attempt that was begun. Finish is called once, when the worker is
// done with it.
type Span interface {
	// IDs are the trace's and the span's in hexadecimal, for logs; "" if the
	// attempt is not recorded.
	IDs() (trace, span string)
	Finish(end AttemptEnd)
}

// Attempt is what a Tracer gets to know of an attempt at an item.
type Attempt struct {
	Namespace, Run, Workflow, Node, Queue string
	Item                                  string
	Number                                int    // counted from 1
	Retried                               int    // how often the run was retried after it had failed of the item
	Trace                                 string // StartRequest.Trace
	Worker                                string
	// Release is set for an item that makes branches of a large fan-out: it runs no
	// node, and its Node is that of the first branch.
	Release bool
	// After are the items that this one follows: the one before it, or those whose
	// branches a join brings together. It is empty for the first of a run, and
	// where they are not known.
	After  []string
	Waited time.Duration // see Item.Waited
}

// AttemptEnd is how an attempt ended.
type AttemptEnd struct {
	// Outcome is that of EventFinished, "release" for an item that releases a
	// fan-out, "" if the node was interrupted. Verdict is that of EventCommitted; it
	// is also cancelled or dropped if nothing was committed for that reason, and ""
	// if the attempt was given up for another one.
	Outcome, Verdict string
	Class            string // of Err
	Err              error
}

// Counts reports whether the attempt is the one that counts, or that nothing
// comes after. If not, the item is executed again with the same number, by this
// worker or by another one.
func (e AttemptEnd) Counts() bool {
	switch e.Verdict {
	case "applied", "repeated", "cancelled", "dropped", "gone":
		return true
	}
	return false
}

// outcomeRelease is the AttemptEnd.Outcome of a Release.
const outcomeRelease = "release"

// failedFor is the end of an attempt that fails for good whatever its node does.
func failedFor(out outcome) AttemptEnd {
	return AttemptEnd{Outcome: "fail", Class: out.class, Err: out.err}
}

// EndedRun is a run that has just ended.
type EndedRun struct {
	Namespace, Run, Workflow string
	Trace                    string
	Status                   Status
	Lasted                   time.Duration // from its start until now
	Cause                    string        // why it failed; "" if the commit does not tell, as that of the last undo
}

// WithTrace says where in a trace the run belongs: the traceparent of W3C Trace
// Context (https://www.w3.org/TR/trace-context/) of the span that starts it. The
// spans of the run's items are then beneath that span, if the workers have a
// Tracer. "" is for a trace of its own.
func WithTrace(traceparent string) StartOption {
	return func(o *startOptions) { o.trace = traceparent }
}

// traceparent is the form of version 00, which later versions begin with.
var traceparent = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

func checkTraceparent(s string) error {
	if s != "" && !traceparent.MatchString(s) {
		return fmt.Errorf("trace %.100q: want a traceparent such as 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", s)
	}
	return nil
}
