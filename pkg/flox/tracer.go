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
	// RunEnded is called when a commit of this worker has ended a run.
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
	Trace                                 string // StartRequest.Trace
	Worker                                string
	// After are the items that this one follows: the one before it, or those whose
	// branches a join brings together. It is empty for the first of a run, and
	// where they are not known.
	After  []string
	Waited time.Duration // see Item.Waited
}

// AttemptEnd is how an attempt ended.
type AttemptEnd struct {
	// Outcome is that of EventFinished, Verdict that of EventCommitted; both are ""
	// if the attempt was given up: the item is executed again, by this worker or
	// by another one.
	Outcome, Verdict string
	Class            string // of Err
	Err              error
}

// EndedRun is what a Tracer gets to know of a run that has ended.
type EndedRun struct {
	Namespace, Run, Workflow string
	Trace                    string
	Status                   Status
	Lasted                   time.Duration // from its start until now
	Cause                    string        // why it failed
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
