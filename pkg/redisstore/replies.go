package redisstore

import (
	"fmt"
	"strconv"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// What the scripts answer, and what it means. The numbers are named in their headers.

// needQueue asks for the stream of one more queue.
const needQueue = -1

// Replies of scripts that read or control a run.
const (
	replyDone    = 0
	replyRefused = 1
	replyNoRun   = 2
	replyInvalid = 9
)

// More replies of control.lua; the last is of signal.lua and delete.lua, too.
const (
	replyNotRetried = 3
	replyWhichToken = 4
	replyUpon       = 5
)

var verdicts = []flox.Verdict{
	flox.VerdictKept, flox.VerdictReleased, flox.VerdictParked, flox.VerdictRepeat, flox.VerdictStale,
	flox.VerdictLost, flox.VerdictCancelled, flox.VerdictLimit, flox.VerdictGone, flox.VerdictInvalid,
	flox.VerdictDropped,
}

var grants = []flox.Grant{
	flox.GrantOK, flox.GrantPoison, flox.GrantStray, flox.GrantLost, flox.GrantParked,
	flox.GrantCancelled, flox.GrantInvalid, flox.GrantDropped,
}

var retryRefusals = []flox.RetryRefusal{
	flox.RetryNothing, flox.RetryNotKept, flox.RetryUndone, flox.RetryFolded, flox.RetryUnderWay,
}

var healths = []flox.Health{
	flox.HealthOK, flox.HealthLost, flox.HealthCancelled, flox.HealthPaused, flox.HealthFailed,
	flox.HealthDropped,
}

// meaning looks a code up, so that no unknown code passes for an answer.
func meaning[T any](table []T, code int64) (T, error) {
	if code < 0 || code >= int64(len(table)) {
		var none T
		return none, fmt.Errorf("redis script answered with unknown code %d", code)
	}
	return table[code], nil
}

// commitResult reads the reply of a commit.
func commitResult(r []any) (flox.CommitResult, error) {
	verdict, err := meaning(verdicts, integer(r, 0))
	result := flox.CommitResult{Verdict: verdict, Settle: integer(r, 4) == 1}
	if err == nil && (verdict == flox.VerdictKept || verdict == flox.VerdictStale) {
		result.Again, result.Version, result.Committed = integer(r, 1) == 1, integer(r, 2), integer(r, 3)
	}
	if record := text(r, 7); record != "" {
		result.Note = writeNote(result.Committed, nil, record)
	}
	result.Ended, result.Lasted = flox.Status(text(r, 5)), time.Duration(integer(r, 6))*time.Millisecond
	return result, err
}

// ended reads what ended in lua/lib/status.lua says of the run; it is none or one.
func (s *Store) ended(run string, reply any) []flox.EndedRun {
	r := list(reply)
	if r == nil {
		return nil
	}
	return []flox.EndedRun{{
		Namespace: s.Namespace(), Run: run, Workflow: text(r, 2), Trace: text(r, 3),
		Status: flox.Status(text(r, 0)), Lasted: time.Duration(integer(r, 1)) * time.Millisecond, Cause: text(r, 4),
	}}
}

// errSpoilt says that a run's keys are not what flox made.
var errSpoilt = fmt.Errorf("%w: something else wrote to flox's keys", flox.ErrInvalid)

// shown is the status to show of a stored one.
func shown(status, granted string) flox.Status {
	if status == string(flox.StatusRunning) && granted == "" {
		return flox.StatusPending
	}
	return flox.Status(status)
}

// list reads a reply that is an array.
func list(reply any) []any {
	l, _ := reply.([]any)
	return l
}

// integer reads number i of an array; nil and what is not there are 0.
func integer(l []any, i int) int64 {
	if i >= len(l) {
		return 0
	}
	switch v := l[i].(type) {
	case int64:
		return v
	case string:
		n, _ := strconv.ParseInt(v, 10, 64)
		return n
	}
	return 0
}

// text reads string i of an array; nil and what is not there are "".
func text(l []any, i int) string {
	if i >= len(l) {
		return ""
	}
	v, _ := l[i].(string)
	return v
}

// blob reads bytes i of an array; nil is nil.
func blob(l []any, i int) []byte {
	if i >= len(l) || l[i] == nil {
		return nil
	}
	return []byte(text(l, i))
}
