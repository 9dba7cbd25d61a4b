package flox_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// runAlone runs wf in virtual time, for an hour at most.
func runAlone[S, O any](t *testing.T, wf *flox.Workflow[S, int, O], in int) (res flox.Result[S, O], err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		res, err = flox.Run(ctx, wf, in)
	})
	return res, err
}

// explosive is an error that cannot say what it is.
type explosive struct{}

func (explosive) Error() string { panic("in Error") }

// unreadable panics where it is read.
type unreadable struct{ N int }

func (u unreadable) MarshalJSON() ([]byte, error) { return json.Marshal(u.N) }
func (u *unreadable) UnmarshalJSON([]byte) error  { panic("in UnmarshalJSON") }

// TestPanicsBesideProcess panics in what is asked when an item has failed: it
// fails for good, the fallback takes it, and the worker lives.
func TestPanicsBesideProcess(t *testing.T) {
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		err    error
		policy flox.RetryPolicy
		want   string
	}{
		"If": {boom, flox.RetryPolicy{If: func(error) bool { panic("in If") }}, "boom; its retry policy: panic: in If"},
		"Backoff": {boom, flox.RetryPolicy{Backoff: func(n int) time.Duration {
			if n == 3 {
				panic("in Backoff")
			}
			return time.Second
		}}, "boom; its retry policy: panic: in Backoff"},
		"Error": {explosive{}, flox.RetryPolicy{}, "panic: in Error"},
	} {
		t.Run(name, func(t *testing.T) {
			b := flox.New[flox.NoState]("w")
			a := flox.Func(b, "a", func(context.Context, int) (string, error) { return "", c.err }).Retry(c.policy)
			h := flox.Func(b, "h", func(_ context.Context, f flox.Failure[int]) (string, error) { return f.Err.Message, nil })
			a.OnFailure(h)
			res, err := runAlone(t, build(t, b, a, a, h), 1)
			if err != nil || !strings.Contains(res.Output, c.want) {
				t.Errorf("got %q, %v, want the fallback's output with %q", res.Output, err, c.want)
			}
		})
	}
}

func TestPanicInFallbacksInput(t *testing.T) {
	b := flox.New[flox.NoState]("w")
	s := flox.Func(b, "s", func(_ context.Context, n int) (unreadable, error) { return unreadable{n}, nil })
	a := flox.Func(b, "a", conv[unreadable, int]).Retry(flox.RetryPolicy{MaxAttempts: 1})
	h := flox.Func(b, "h", conv[flox.Failure[unreadable], int])
	s.To(a)
	a.OnFailure(h)
	_, err := runAlone(t, build(t, b, s, a, h), 1)
	if e, ok := errors.AsType[*flox.RunError](err); !ok || e.Node != "a" || !strings.Contains(e.Cause, "(its fallback cannot take it: panic: in UnmarshalJSON)") {
		t.Errorf("got %v, want a failure of a that says why the fallback was not taken", err)
	}
}

func TestFailureLargerThanTheLimit(t *testing.T) {
	b := flox.New[flox.NoState]("w")
	s := flox.Func(b, "s", func(context.Context, int) ([]byte, error) { return make([]byte, flox.DefaultMaxPayload-20), nil })
	a := flox.Func(b, "a", func(context.Context, []byte) (int, error) {
		return 0, flox.Permanent(errors.New(strings.Repeat("é", flox.DefaultMaxPayload)))
	})
	h := flox.Func(b, "h", conv[flox.Failure[[]byte], int])
	s.To(a)
	a.OnFailure(h)
	_, err := runAlone(t, build(t, b, s, a, h), 1)
	if err == nil || !strings.Contains(err.Error(), "é… (2097152 bytes) (its fallback cannot take it: failure of ") || len(err.Error()) > 10_000 {
		t.Errorf("got %.9000v, want a short cause that says why the fallback was not taken", err)
	}
}
