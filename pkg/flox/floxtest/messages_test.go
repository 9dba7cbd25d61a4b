package floxtest_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/floxtest"
)

// recorder is a test that notes how it failed.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	messages []string
}

func (r *recorder) note(format string, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, fmt.Sprintf(format, args...))
}

func (r *recorder) Errorf(format string, args ...any) { r.note(format, args) }

func (r *recorder) Fatalf(format string, args ...any) {
	r.note(format, args)
	runtime.Goexit()
}

// failing runs f in a bubble and returns how the test that it was given failed.
func failing(t *testing.T, f func(t testing.TB)) (message string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { message = record(t, f) })
	return message
}

func record(t testing.TB, f func(t testing.TB)) string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	// A diff has spaces of either kind, so that nobody takes its text for granted.
	return strings.ReplaceAll(strings.Join(r.messages, "\n"), "\u00a0", " ")
}

// TestMessages checks how tests fail.
func TestMessages(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(t testing.TB, h *floxtest.Harness[Books, Order, Receipt])
		want string
	}{
		"unknown node": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			floxtest.FakeNode(h, "chrage", func(Quote) (Receipt, error) { return Receipt{}, nil })
		}, `floxtest: FakeNode("chrage"): workflow shop has no node of that name; it has split, price, total, ask, settle, charge, ship/pack, ship/send, refund, decline`},
		"fake of other types": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			floxtest.FakeNode(h, "charge", func(Line) (Receipt, error) { return Receipt{}, nil })
		}, `floxtest: FakeNode("charge"): node charge takes floxtest_test.Quote and yields floxtest_test.Receipt, the fake takes floxtest_test.Line and yields floxtest_test.Receipt`},
		"fake of a fan-out": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			floxtest.FakeNode(h, "split", func(Order) (Line, error) { return Line{}, nil })
		}, `floxtest: FakeNode("split"): node split takes floxtest_test.Order and fans out into floxtest_test.Line, the fake takes floxtest_test.Order and yields floxtest_test.Line; use FakeFanout or ReplaceFanout`},
		"fan-out for a fake": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			floxtest.FakeFanout(h, "price", func(Line) ([]int, error) { return nil, nil })
		}, `floxtest: FakeFanout("price"): node price takes floxtest_test.Line and yields int, the fake takes floxtest_test.Line and fans out into int; use FakeNode or Replace`},
		"fake of a nest": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			floxtest.FakeNode(h, "ship", func(in Receipt) (Receipt, error) { return in, nil })
		}, `floxtest: FakeNode("ship"): ship is a nested workflow; name one of its nodes: ship/pack, ship/send`},
		"node of another state": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			floxtest.Replace(h, "charge", flox.NodeFunc[flox.NoState, Quote, Receipt](nil))
		}, `floxtest: Replace("charge"): node charge sees a state of type floxtest_test.Books, the fake one of type flox.NoState`},
		"Fail of an unknown node": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			h.Fail("x", 1, errGateway)
		}, `floxtest: Fail("x", 1): workflow shop has no node of that name; it has split, price, total, ask, settle, charge, ship/pack, ship/send, refund, decline`},
		"Fail never": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			h.Fail("charge", 0, errGateway)
		}, `floxtest: Fail("charge", 0): want at least one time`},
		"Fail with nothing": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			h.Fail("charge", 1, nil)
		}, `floxtest: Fail("charge", 1): the error is nil`},
		"unknown signal": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			floxtest.SignalAfter(h, time.Hour, flox.NewSignal[bool]("aprove"), true)
		}, `floxtest: SignalAfter(1h0m0s, "aprove"): no node of workflow shop awaits it; they await approve`},
		"signal of another payload": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			floxtest.SignalAfter(h, time.Hour, flox.NewSignal[string]("approve"), "yes")
		}, `floxtest: SignalAfter(1h0m0s, "approve"): node ask awaits it with a payload of type bool, not string`},
		"signal too early": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			floxtest.SignalAfter(h, -time.Hour, approve, true)
		}, `floxtest: SignalAfter(-1h0m0s, "approve"): want a delay of zero or more`},
		"two signals": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			floxtest.FakeNode(h, "ask", func(in Quote) (Asked, error) {
				time.Sleep(time.Hour)
				return Asked{Carry: in}, nil
			})
			floxtest.SignalAfter(h, 0, approve, true)
			floxtest.SignalAfter(h, time.Second, approve, true)
			h.Run(orderOf(500))
		}, `floxtest: SignalAfter(1s): signal approve to run test: cannot signal approve to run test: an earlier one waits there to be awaited`},
		"no slots": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			h.Parallel(0)
		}, `floxtest: Parallel(0): want 1 or more`},
		"no run": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			h.WantPath("charge")
		}, `floxtest: WantPath: no run was started yet; call Run or TryRun before`},
		"refused start": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			h.StartWith(flox.WithID("a b")).Run(Order{})
		}, `floxtest: run id "a b": want`},
		"failed run": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			h.Fail("charge", 3, errGateway)
			h.Run(orderOf(10, 20))
		}, `floxtest: run test failed: node charge: attempt 3: gateway is down
path: split, price, price, total
errors:
  node charge: attempt 1: error: gateway is down
  node charge: attempt 2: error: gateway is down
  node charge: attempt 3: error: gateway is down`},
		"panic": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			floxtest.FakeFanout(h, "split", func(Order) ([]Line, error) { panic("oops") })
			h.Run(orderOf(10))
		}, `floxtest: run test failed: node split: attempt 3: panic: oops
path: nothing was committed
errors:
  node split: attempt 1: panic: panic: oops
goroutine `},
		"path": {func(_ testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			h.Run(orderOf(10))
			h.WantPath("split", "price", "total", "ask", "ship/pack", "ship/send")
		}, `floxtest: the path is not as wanted (-want +got):
  []string{
  	"split",
  	"price",
  	"total",
- 	"ask",
+ 	"charge",
  	"ship/pack",
  	"ship/send",
  }
path: split, price, total, charge, ship/pack, ship/send`},
		"state": {func(t testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			floxtest.Replace(h, "charge", Charge{func(int) error { return nil }})
			floxtest.WantState(t, h.Run(orderOf(10)), Books{Cents: 10, Dear: flox.MaxOf(11)})
		}, `floxtest: the state is not as wanted (-want +got):
  floxtest_test.Books{
  	Cents: 10,
- 	Notes: nil,
+ 	Notes: flox.List[string]{"charged"},
  	Dear: flox.Max[int]{
  		maybe: flox.maybe[int]{
- 			value: 11,
+ 			value: 10,
  			set:   true,
  		},
  	},
  }
`},
		"no end": {func(t testing.TB, h *floxtest.Harness[Books, Order, Receipt]) {
			floxtest.FakeFanout(h, "split", func(in Order) ([]Line, error) { return in.Lines, nil })
			floxtest.FakeNode(h, "price", func(in Line) (int, error) { runtime.Goexit(); return 0, nil })
			_, _ = h.TryRun(orderOf(1))
		}, `floxtest: the run does not end: 20 years after its start its tokens stand here:
  node price has not returned; it blocks, or ended its goroutine, as t.FailNow does
path: split`},
	} {
		t.Run(name, func(t *testing.T) {
			got := failing(t, func(t testing.TB) { c.f(t, harness(t)) })
			if !strings.HasPrefix(got, c.want) || got != c.want && !strings.Contains("refused start panic", name) {
				t.Errorf("the test failed with\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}
