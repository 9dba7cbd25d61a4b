package flox

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Backoff returns how long to wait at most after the nth failed attempt (from
// 1). The engine draws the real wait evenly from zero to that ("full jitter",
// AWS Architecture Blog, "Exponential Backoff And Jitter").
type Backoff func(n int) time.Duration

// Exponential doubles from first at each attempt, up to most.
func Exponential(first, most time.Duration) Backoff {
	return func(n int) time.Duration {
		d := float64(first) * math.Pow(2, float64(n-1))
		return time.Duration(min(d, float64(most)))
	}
}

// Linear grows by step at each attempt, up to most.
func Linear(step, most time.Duration) Backoff {
	return func(n int) time.Duration {
		return time.Duration(min(float64(step)*float64(n), float64(most)))
	}
}

// RetryPolicy says how often and when a failed item is tried again. Its zero
// value is DefaultRetry. The wait before an attempt is drawn evenly from zero to
// what Backoff says; an error made by RetryAfter sets it itself. A Permanent
// error and an Abort are never tried again.
type RetryPolicy struct {
	// MaxAttempts is the most times the item is executed, the first included.
	// Zero is DefaultRetry's 5; 1 never retries; negative has no limit.
	MaxAttempts int
	// Backoff is the longest wait after the nth failed attempt; nil is
	// DefaultRetry's, from 1 s doubling to 1 min.
	Backoff Backoff
	// Budget is the time from the start of the first attempt after which no
	// further one begins: an attempt that would have to wait beyond it is not
	// made. It does not cut an attempt short, see Ref.Timeout. Zero is
	// DefaultRetry's, which has none; negative has none.
	Budget time.Duration
	// If, when set, says whether err is worth another attempt.
	If func(err error) bool
}

// DefaultRetry is the policy of nodes that have none of their own, nor from
// their Builder: 5 attempts, from 1 s doubling to 1 min, however long they take.
var DefaultRetry = RetryPolicy{MaxAttempts: 5, Backoff: Exponential(time.Second, time.Minute)}

// orElse fills what p leaves open from q.
func (p RetryPolicy) orElse(q RetryPolicy) RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = q.MaxAttempts
	}
	if p.Backoff == nil {
		p.Backoff = q.Backoff
	}
	if p.Budget == 0 {
		p.Budget = q.Budget
	}
	if p.If == nil {
		p.If = q.If
	}
	return p
}

// next returns the wait before the next attempt after n failed ones, the last
// with err, and whether there is one. Elapsed is the time since the first
// attempt began; jitter in [0,1) picks the point in the back-off.
func (p RetryPolicy) next(n int, elapsed time.Duration, err error, jitter float64) (wait time.Duration, ok bool) {
	if p.MaxAttempts > 0 && n >= p.MaxAttempts || p.If != nil && !p.If(err) {
		return 0, false
	}
	wait = time.Duration(jitter * float64(p.Backoff(n)))
	if after, set := errors.AsType[retryAfterError](err); set {
		wait = after.after
	}
	wait = max(0, wait)
	if p.Budget > 0 && wait > p.Budget-elapsed {
		return 0, false
	}
	return wait, true
}

// problem says what is wrong with p, "" for nothing.
func (p RetryPolicy) problem() string {
	if p.Backoff == nil {
		return ""
	}
	for _, n := range []int{1, 2, 1000} {
		if d := p.Backoff(n); d < 0 {
			return fmt.Sprintf("the back-off after attempt %d is %v: want 0 or more", n, d)
		}
	}
	return ""
}
