package flox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Errors that callers branch on with errors.Is.
var (
	ErrNotFound  = errors.New("not found")          // no such run or workflow
	ErrRunExists = errors.New("run exists")         // what a *RunExistsError is
	ErrStepLimit = errors.New("step limit reached") // of a run that would have exceeded MaxSteps
	ErrDeadline  = errors.New("deadline exceeded")  // of a run that took longer than it may
	ErrCancelled = errors.New("run cancelled")      // of a run that was awaited, and the cause of its nodes' contexts
	ErrLeaseLost = errors.New("lease lost")         // the cause of a node's context whose item is another worker's now
	// ErrInvalid says that a key of a run is not what flox made of it.
	ErrInvalid = errors.New("a key of the run has a wrong type")
	// ErrRefused is what a *RefusedError and a *SignalError is.
	ErrRefused = errors.New("refused")
)

// RunExistsError says that a run id is taken. It is an ErrRunExists.
type RunExistsError struct {
	Run    string
	Status Status
}

func (e *RunExistsError) Error() string {
	return fmt.Sprintf("run %s exists already (%s); choose another id", e.Run, e.Status)
}

// Is makes errors.Is(err, ErrRunExists) true.
func (e *RunExistsError) Is(target error) bool { return target == ErrRunExists }

// RefusedError says that a run's status, or the Reason if there is one, does not
// allow an operation. It is an ErrRefused.
type RefusedError struct {
	Run    string
	Op     ControlOp
	Status Status
	Reason string
}

func (e *RefusedError) Error() string {
	if e.Reason != "" {
		return fmt.Sprintf("cannot %s run %s: %s", e.Op, e.Run, e.Reason)
	}
	return fmt.Sprintf("cannot %s run %s: it is %s", e.Op, e.Run, e.Status)
}

// Is makes errors.Is(err, ErrRefused) true.
func (e *RefusedError) Is(target error) bool { return target == ErrRefused }

// SignalError says that a run does not take a signal. It is an ErrRefused.
type SignalError struct {
	Run, Signal string
	Status      Status
	Full        bool // the run keeps an earlier one of that name, which nobody has awaited yet
}

func (e *SignalError) Error() string {
	if e.Full {
		return fmt.Sprintf("cannot signal %s to run %s: an earlier one waits there to be awaited", e.Signal, e.Run)
	}
	return fmt.Sprintf("cannot signal %s to run %s: it is %s", e.Signal, e.Run, e.Status)
}

// Is makes errors.Is(err, ErrRefused) true.
func (e *SignalError) Is(target error) bool { return target == ErrRefused }

// Classes of a NodeError.
const (
	ClassError     = "error"     // the node returned an error
	ClassPermanent = "permanent" // it returned a Permanent error
	ClassAbort     = "abort"     // it decided to fail
	ClassPanic     = "panic"     // it panicked
	ClassTimeout   = "timeout"   // it ran longer than its timeout
	ClassCrash     = "crash"     // its workers died too often
	ClassPayload   = "payload"   // its input or output cannot be decoded, encoded or routed
	ClassLimit     = "limit"     // the run's step limit was reached
	ClassDeadline  = "deadline"  // the run took longer than it may
	ClassQuorum    = "quorum"    // too few branches came to a join
)

// NodeError is why an item failed, as it is stored and handed to fallbacks.
type NodeError struct {
	Class   string `json:"class"`
	Message string `json:"message"`
}

func (e NodeError) Error() string { return e.Message }

// RunError says that a run did not complete.
type RunError struct {
	RunID  string
	Status Status // failed or cancelled
	Cause  string // in one line, "" if it was cancelled
	// Node and Attempt tell where it failed, Err why: a *NodeError. They are
	// zero if it was no node that failed.
	Node    string
	Attempt int
	Err     error
	// Undone names the nodes whose items were undone, in the order of that.
	Undone []string
}

// Unwrap returns the error of the node that failed, nil if there is none.
func (e *RunError) Unwrap() error { return e.Err }

func (e *RunError) Error() string {
	if e.Cause == "" {
		return fmt.Sprintf("run %s %s", e.RunID, e.Status)
	}
	return fmt.Sprintf("run %s %s: %s", e.RunID, e.Status, e.Cause)
}

// Is makes errors.Is(err, ErrCancelled) true for a cancelled run, and
// errors.Is true for ErrStepLimit and ErrDeadline if the run failed of them.
func (e *RunError) Is(target error) bool {
	class := ""
	if err, ok := e.Err.(*NodeError); ok {
		class = err.Class
	}
	return target == ErrCancelled && e.Status == StatusCancelled ||
		target == ErrStepLimit && class == ClassLimit ||
		target == ErrDeadline && class == ClassDeadline
}

// runError is the error of a run that ended otherwise than completed.
func (c *Control) runError(ctx context.Context, info RunInfo) error {
	e := &RunError{RunID: info.ID, Status: info.Status, Cause: info.Cause}
	if f := info.Failure; f != nil {
		e.Node, e.Attempt, e.Err = f.Node, f.Attempt, &NodeError{Class: f.Class, Message: f.Message}
	}
	const page = 1000
	for from := 0; info.Status == StatusFailed; from += page {
		steps, err := c.st.History(ctx, info.ID, from, page)
		if err != nil {
			return fmt.Errorf("history of run %s, which %s: %w", info.ID, info.Status, err)
		}
		for _, s := range steps {
			if s.Undoes != "" {
				e.Undone = append(e.Undone, strings.TrimSuffix(s.Undoes, closerName))
			}
		}
		if len(steps) < page {
			break
		}
	}
	return e
}

type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// Permanent marks err as one that a retry cannot mend: the node's retry policy
// does not apply, its delta is dropped, and the fallback is taken, else the run
// fails. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanentError{err}
}

type retryAfterError struct {
	error
	after time.Duration
}

func (e retryAfterError) Unwrap() error { return e.error }

// RetryAfter asks for the next attempt after d instead of the retry policy's
// back-off. The attempt still counts. RetryAfter(d, nil) is nil.
func RetryAfter(d time.Duration, err error) error {
	if err == nil {
		return nil
	}
	return retryAfterError{err, d}
}
