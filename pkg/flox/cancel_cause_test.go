package flox_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/floxrun/flox/pkg/flox"
)

// deaf is a store whose alerts do not arrive, which is allowed: they are hints.
type deaf struct{ flox.Store }

func (deaf) Alerts(ctx context.Context) (<-chan flox.Alert, error) {
	ch := make(chan flox.Alert)
	context.AfterFunc(ctx, func() { close(ch) })
	return ch, nil
}

// TestCancelCauseWithoutEvent: a node of a cancelled run must see ErrCancelled,
// also if its worker hears of it by a heartbeat only.
func TestCancelCauseWithoutEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, cause := make(chan struct{}), make(chan error, 1)
		b := flox.New[flox.NoState]("w")
		a := flox.Func(b, "a", func(ctx context.Context, in int) (int, error) {
			close(began)
			<-ctx.Done()
			cause <- context.Cause(ctx)
			return 0, ctx.Err()
		})
		st, wf := deaf{flox.NewMemory()}, build(t, b, a, a)
		defer stage{t, st}.worker(flox.WorkerConfig{}, wf)()
		orch := orchestrate(t, st, wf)
		id, err := orch.Start(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		<-began
		if err := orch.Control().Cancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if err := <-cause; !errors.Is(err, flox.ErrCancelled) {
			t.Errorf("the node's context ended because: %v, want %v", err, flox.ErrCancelled)
		}
	})
}
