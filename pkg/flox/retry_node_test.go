package flox_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var errBusy = errors.New("busy")

// patient has no limit of attempts.
var patient = flox.RetryPolicy{MaxAttempts: -1}

// flaky fails with err until the nth attempt.
func flaky(n int, err func() error) elements {
	return func(ctx tctx, in int) (tnext, error) {
		ctx.Merge(step(fmt.Sprint(ctx.Attempt())))
		if ctx.Attempt() < n {
			return nil, err()
		}
		return flox.Next(in + ctx.Attempt()), nil
	}
}

func TestRetryNode(t *testing.T) {
	inAMinute := func() error { return flox.RetryAfter(time.Minute, errBusy) }
	for name, c := range map[string]struct {
		n      flox.Node[trail, int, int]
		output int
		want   string // of the error
		took   time.Duration
	}{
		"succeeds":     {flox.Retry(flaky(4, inAMinute), patient), 4, "", 3 * time.Minute},
		"at once":      {flox.Retry(flaky(1, inAMinute), patient), 1, "", 0},
		"gives up":     {flox.Retry(flaky(4, inAMinute), flox.RetryPolicy{MaxAttempts: 2}), 0, "attempt 2 within the item: busy", time.Minute},
		"default":      {flox.Retry(flaky(9, inAMinute), flox.RetryPolicy{}), 0, "attempt 5 within the item: busy", 4 * time.Minute},
		"over budget":  {flox.Retry(flaky(9, inAMinute), flox.RetryPolicy{MaxAttempts: -1, Budget: 150 * time.Second}), 0, "attempt 3 within", 2 * time.Minute},
		"permanent":    {flox.Retry(flaky(4, func() error { return flox.Permanent(errBusy) }), patient), 0, "attempt 1 within the item: busy", 0},
		"not worth it": {flox.Retry(flaky(4, inAMinute), flox.RetryPolicy{If: func(err error) bool { return !errors.Is(err, errBusy) }}), 0, "attempt 1", 0},
		"aborts": {flox.Retry(elements(func(tctx, int) (tnext, error) { return flox.Abort[int](errBusy), nil }), patient),
			0, "node: attempt 1: busy", 0},
		"panics":  {flox.Retry(elements(func(tctx, int) (tnext, error) { panic("ouch") }), patient), 0, "panic: ouch", 0},
		"nothing": {flox.Retry(elements(func(tctx, int) (tnext, error) { return nil, nil }), patient), 0, "neither a transition nor an error", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				res, err := runNode(t, c.n, 0)
				if c.want == "" && (err != nil || res.Output != c.output || !slices.Equal(res.State.Steps, []string{fmt.Sprint(c.output)})) {
					t.Errorf("Run = %+v, %v, want output %d and the last attempt's delta alone", res, err, c.output)
				}
				if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || res.State.Steps != nil) {
					t.Errorf("Run = %+v, %v, want an error with %q and no delta", res, err, c.want)
				}
				if took := time.Since(start); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
			})
		})
	}
}

// TestRetryNodeIsCutShort has the node's own timeout end a wait, and the outer
// policy try the item again, with the same key.
func TestRetryNodeIsCutShort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := map[string]int{}
		n := elements(func(ctx tctx, in int) (tnext, error) {
			keys[ctx.IdempotencyKey()]++
			return nil, flox.RetryAfter(time.Hour, errBusy)
		})
		b := flox.New[trail]("w").Timeout(time.Minute)
		r := flox.Add(b, "node", flox.Retry(n, patient)).Retry(flox.RetryPolicy{MaxAttempts: 2})
		start := time.Now()
		_, err := flox.Run(t.Context(), build(t, b, r, r), 1)
		if err == nil || !strings.Contains(err.Error(), "timed out after 1m0s: attempt 1 within the item: busy") {
			t.Errorf("Run = %v, want a timeout", err)
		}
		// A minute, the hour that the error asked for, and a minute again.
		if took := time.Since(start); took != time.Hour+2*time.Minute || len(keys) != 1 {
			t.Errorf("took %v with keys %v, want 1h2m0s and one key", took, keys)
		}
	})
}

func TestRetryNodePassesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := flox.New[trail]("w")
		fan := flox.NodeFunc[trail, int, flox.Many[int]](func(ctx tctx, in int) (flox.Fanout[int], error) {
			if ctx.Attempt() == 1 {
				return nil, errBusy
			}
			return flox.NextAll([]int{in, in + 1}), nil
		})
		split := flox.AddFanout(b, "split", flox.Retry(fan, flox.RetryPolicy{}))
		later := flox.Add(b, "later", flox.Retry(elements(func(_ tctx, in int) (tnext, error) {
			return flox.NextAfter(time.Hour, in), nil
		}), patient))
		work, all := flox.End[int](b, "work"), flox.End[[]int](b, "all")
		split.To(later)
		later.To(work)
		work.Join(all)
		start := time.Now()
		res, err := flox.Run(t.Context(), build(t, b, split, all), 1)
		if err != nil || !slices.Equal(res.Output, []int{1, 2}) || time.Since(start) < time.Hour {
			t.Errorf("Run = %v, %v after %v, want [1 2] after an hour", res.Output, err, time.Since(start))
		}
	})
}
