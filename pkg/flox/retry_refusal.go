package flox

import "fmt"

// RetryRefusal is why a run that has failed is not retried.
type RetryRefusal int

const (
	RetryNothing  RetryRefusal = iota // no token is left to go on from
	RetryNotKept                      // how the run stood at ControlRequest.From is not kept
	RetryUndone                       // steps were undone
	RetryFolded                       // the state was folded into a snapshot since
	RetryUnderWay                     // a retry from a node has not come to its end
)

// Refuse returns the error that every store refuses req with.
func (r RetryRefusal) Refuse(req ControlRequest) *RefusedError {
	reason := ""
	switch r {
	case RetryNothing:
		reason = "no step is left to go on from; retry it from a node"
	case RetryNotKept:
		reason = fmt.Sprintf("it cannot go back to node %s: it never came there, or only in branches of a fan-out or as their join", req.From)
	case RetryUndone:
		reason = "steps of it were undone; start it anew under another id"
	case RetryFolded:
		reason = fmt.Sprintf("it cannot go back to node %s: its state was folded into a snapshot since", req.From)
	case RetryUnderWay:
		reason = "a retry of it from a node is under way"
	}
	return &RefusedError{Run: req.Run, Op: req.Op, Status: StatusFailed, Reason: reason}
}
