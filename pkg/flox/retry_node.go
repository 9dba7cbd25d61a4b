package flox

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// Retry is n, tried again by p inside one item: for short waits that are not
// worth a commit, such as a busy service. It is not durable: the item's worker
// waits, and if it dies the count begins anew. What p leaves open is
// DefaultRetry's. The deltas of failed attempts are dropped. A Permanent error,
// an Abort, a panic and the end of the context end it, the latter also while it
// waits; the last error is then the item's, to which the retry policy of the
// node itself applies: give that MaxAttempts 1 if Retry shall be all.
//
// Attempt is the inner attempt, counted from 1 for each attempt at the item;
// ItemID and IdempotencyKey are the item's. Any transition of n is passed on.
// A negative back-off is refused by Build.
func Retry[S, I, O any, N Node[S, I, O]](n N, p RetryPolicy) Node[S, I, O] {
	return retried[S, I, O]{n, p.orElse(DefaultRetry)}
}

type retried[S, I, O any] struct {
	n      Node[S, I, O]
	policy RetryPolicy
}

func (r retried[S, I, O]) problem() string {
	if why := r.policy.problem(); why != "" {
		return "Retry: " + why
	}
	return problemOf(r.n)
}

// Process tries until the policy ends it.
func (r retried[S, I, O]) Process(ctx *Context[S], in I) (Transition[O], error) {
	start := time.Now()
	info := *ctx.visit.info()
	for n := 1; ; n++ {
		info.Attempt = n
		try := ctx.part(ctx, info)
		try.visit.report = ctx.visit.report
		t, err := r.n.Process(try, in)
		if err == nil {
			try.keep()
			return t, nil
		}
		wait, again := r.policy.next(n, time.Since(start), err, rand.Float64())
		if _, permanent := errors.AsType[permanentError](err); permanent || !again || ctx.Err() != nil || sleepOr(ctx, wait, nil) != nil {
			return nil, fmt.Errorf("attempt %d within the item: %w", n, err)
		}
	}
}
