package floxtest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/floxtest"
)

// every does whatever a node can do, as it is told.
func every(ctx *flox.Context[Books], what string) (flox.Transition[Asked], error) {
	state := ctx.State()
	ctx.Merge(Books{Cents: 1})
	ctx.Merge(Books{Notes: flox.List[string]{fmt.Sprintf("%s %d of %d", what, ctx.State().Cents, state.Cents)}})
	switch what {
	case "next":
		return flox.Next(Asked{Payload: true}), nil
	case "later":
		return flox.NextAfter(time.Hour, Asked{Payload: true}), nil
	case "hold":
		return flox.Hold[Asked](), nil
	case "await":
		return flox.Await(approve, Quote{3}, 72*time.Hour), nil
	case "abort":
		return flox.Abort[Asked](errDeclined), nil
	case "permanent":
		return nil, fmt.Errorf("charge: %w", flox.Permanent(errDeclined))
	case "again":
		return nil, flox.RetryAfter(time.Minute, errGateway)
	case "key":
		return nil, errors.New(ctx.RunID() + " " + ctx.ItemID() + " " + ctx.IdempotencyKey() + fmt.Sprint(ctx.Attempt()))
	}
	return nil, nil
}

func TestProcess(t *testing.T) {
	type outcome = floxtest.Outcome[Books, Asked]
	for what, want := range map[string]outcome{
		"next":      {Kind: floxtest.KindNext, Output: Asked{Payload: true}},
		"later":     {Kind: floxtest.KindNext, Output: Asked{Payload: true}, After: time.Hour},
		"hold":      {Kind: floxtest.KindHold},
		"await":     {Kind: floxtest.KindAwait, Signal: "approve", Carry: Quote{3}, After: 72 * time.Hour},
		"abort":     {Kind: floxtest.KindAbort, Err: errDeclined},
		"permanent": {Kind: floxtest.KindPermanent, Err: errDeclined},
		"again":     {Kind: floxtest.KindError, Err: errGateway, After: time.Minute},
		"key":       {Kind: floxtest.KindError, Err: errors.New("test 0.0 memory/test/0.01")},
		"": {Kind: floxtest.KindPermanent, Err: errors.New(
			"the node returned neither a transition nor an error; return flox.Next or another transition")},
	} {
		t.Run(what, func(t *testing.T) {
			want.Delta = Books{Cents: 1, Notes: flox.List[string]{what + " 6 of 5"}}
			got := floxtest.Process(t, flox.NodeFunc[Books, string, Asked](every), Books{Cents: 5}, what)
			floxtest.WantOutcome(t, got, want)
		})
	}
}

func TestProcessFanout(t *testing.T) {
	split := flox.NodeFunc[flox.NoState, Order, flox.Many[Line]](func(_ *flox.Context[flox.NoState], in Order) (flox.Fanout[Line], error) {
		return flox.NextAll(in.Lines), nil
	})
	got := floxtest.Process(t, split, flox.NoState{}, orderOf(1, 2))
	floxtest.WantOutcome(t, got, floxtest.Outcome[flox.NoState, flox.Many[Line]]{
		Kind: floxtest.KindFan, Elements: []any{Line{1}, Line{2}},
	})
}

// Decision is a sum type, whose value may be nil.
type Decision interface{ decision() }

func TestProcessNil(t *testing.T) {
	decide := flox.NodeFunc[flox.NoState, int, Decision](func(*flox.Context[flox.NoState], int) (flox.Transition[Decision], error) {
		return flox.Next[Decision](nil), nil
	})
	got := floxtest.Process(t, decide, flox.NoState{}, 1)
	floxtest.WantOutcome(t, got, floxtest.Outcome[flox.NoState, Decision]{Kind: floxtest.KindNext})
}

func TestProcessMessages(t *testing.T) {
	type unmerged struct{ N int }
	for name, c := range map[string]struct {
		f    func(t testing.TB)
		want string
	}{
		"node": {func(t testing.TB) {
			floxtest.Process(t, flox.Batch(flox.NodeFunc[flox.NoState, int, int](nil), 0), flox.NoState{}, nil)
		}, `floxtest: Process: a batch of concurrency 0: want 1 or more`},
		"state": {func(t testing.TB) {
			floxtest.Process(t, flox.NodeFunc[unmerged, int, int](func(*flox.Context[unmerged], int) (flox.Transition[int], error) {
				return flox.Next(1), nil
			}), unmerged{}, 1)
		}, `floxtest: Process: state field unmerged.N: int does not merge; use flox.Sum, Max[int] or Last[int], or give the type a method Merge`},
		"outcome": {func(t testing.TB) {
			got := floxtest.Process(t, Charge{func(int) error { return errGateway }}, Books{}, Quote{1})
			floxtest.WantOutcome(t, got, floxtest.Outcome[Books, Receipt]{Kind: floxtest.KindNext, Output: Receipt{"paid"}})
		}, `floxtest: the outcome is not as wanted (-want +got):
  floxtest.Outcome[github.com/floxrun/flox/pkg/flox/floxtest_test.Books,github.com/floxrun/flox/pkg/flox/floxtest_test.Receipt]{
- 	Kind:     "next",
+ 	Kind:     "error",
- 	Output:   floxtest_test.Receipt{Text: "paid"},
+ 	Output:   floxtest_test.Receipt{},
  	Elements: nil,
  	After:    s"0s",
  	Signal:   "",
  	Carry:    nil,
- 	Err:      nil,
+ 	Err:      e"gateway is down",
  	Delta:    {},
  }
`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := record(t, c.f); got != c.want {
				t.Errorf("the test failed with\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
