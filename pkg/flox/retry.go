package flox

import (
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
// value is DefaultRetry.
type RetryPolicy struct {
	// MaxAttempts is the most times the item is executed, the first included.
	// Zero is DefaultRetry's; 1 never retries; negative has no limit.
	MaxAttempts int
	// Backoff is the wait between attempts; nil is DefaultRetry's.
	Backoff Backoff
	// If, when set, says whether err is worth another attempt.
	If func(err error) bool
}

// DefaultRetry is the policy of nodes that have none of their own, nor from
// their Builder: 5 attempts, from 1 s doubling to 1 min.
var DefaultRetry = RetryPolicy{MaxAttempts: 5, Backoff: Exponential(time.Second, time.Minute)}

// orElse fills what p leaves open from q.
func (p RetryPolicy) orElse(q RetryPolicy) RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = q.MaxAttempts
	}
	if p.Backoff == nil {
		p.Backoff = q.Backoff
	}
	if p.If == nil {
		p.If = q.If
	}
	return p
}

// next returns the wait before the next attempt after n failed ones, and
// whether there is one. jitter in [0,1) picks the point in the back-off.
func (p RetryPolicy) next(n int, err error, jitter float64) (time.Duration, bool) {
	if p.MaxAttempts > 0 && n >= p.MaxAttempts {
		return 0, false
	}
	if p.If != nil && !p.If(err) {
		return 0, false
	}
	return time.Duration(jitter * float64(p.Backoff(n))), true
}
