package floxtest_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/floxtest"
)

// harness is one of the shop whose gateway takes any money.
func harness(t testing.TB) *floxtest.Harness[Books, Order, Receipt] {
	t.Helper()
	wf, nodes := shop()
	h := floxtest.New(t, wf)
	floxtest.Fake(h, nodes.charge, func(Quote) (Receipt, error) { return Receipt{"paid"}, nil })
	return h
}

func orderOf(cents ...int) Order {
	var o Order
	for _, c := range cents {
		o.Lines = append(o.Lines, Line{c})
	}
	return o
}

func TestRun(t *testing.T) {
	h := harness(t)
	for range 20 { // the same every time
		res := h.Run(orderOf(10, 20))
		if res.Output.Text != "paid and sent" || res.ID != "test" {
			t.Errorf("Run = %+v", res)
		}
		h.WantPath("split", "price", "price", "total", "charge", "ship/pack", "ship/send")
		if h.Elapsed() != 0 {
			t.Errorf("Elapsed = %v, want 0", h.Elapsed())
		}
	}
}

// A node that awaits is faked by its answer.
func TestFakeAwait(t *testing.T) {
	h := harness(t)
	floxtest.FakeNode(h, "ask", func(in Quote) (Asked, error) { return Asked{Carry: in, Payload: true}, nil })
	h.Run(orderOf(500))
	h.WantPath("split", "price", "total", "ask", "settle", "charge", "ship/pack", "ship/send")
}

func TestFakeNested(t *testing.T) {
	h := harness(t)
	floxtest.FakeNode(h, "ship/pack", func(in Receipt) (Parcel, error) { return Parcel{Receipt{in.Text + " faked"}}, nil })
	if res := h.Run(orderOf(10)); res.Output.Text != "paid faked and sent" {
		t.Errorf("Run = %+v", res)
	}
}

func TestFakeFanout(t *testing.T) {
	h := harness(t)
	floxtest.FakeFanout(h, "split", func(Order) ([]Line, error) { return []Line{{1}, {2}, {3}}, nil })
	var priced []int
	floxtest.FakeNode(h, "price", func(in Line) (int, error) {
		priced = append(priced, in.Cents)
		return in.Cents, nil
	})
	h.Run(Order{})
	if !slices.Equal(priced, []int{1, 2, 3}) {
		t.Errorf("priced %v, want 1 2 3", priced)
	}
	floxtest.FakeFanout(h, "split", func(Order) ([]Line, error) { return nil, flox.Permanent(errGateway) })
	if _, err := h.TryRun(Order{}); err == nil || err.Error() != "run test failed: node split: attempt 1: gateway is down" {
		t.Errorf("TryRun = %v", err)
	}
}

func TestReplace(t *testing.T) {
	h := harness(t)
	floxtest.Replace(h, "charge", Charge{func(int) error { return nil }})
	floxtest.ReplaceFanout(h, "split", flox.NodeFunc[Books, Order, flox.Many[Line]](func(ctx *flox.Context[Books], _ Order) (flox.Fanout[Line], error) {
		ctx.Merge(Books{Notes: flox.List[string]{"split"}})
		return flox.NextAll([]Line{{30}, {40}}), nil
	}))
	res := h.Run(Order{})
	floxtest.WantState(t, res, Books{Cents: 70, Notes: flox.List[string]{"split", "charged"}, Dear: flox.MaxOf(70)})
}

func TestFail(t *testing.T) {
	h := harness(t)
	h.Fail("charge", 2, errGateway)
	for range 2 { // anew in each run
		h.Run(orderOf(10))
		h.WantPath("split", "price", "total", "charge", "ship/pack", "ship/send")
		if want := 3 * time.Minute; h.Elapsed() != want { // the whole back-off: 1 and 2 minutes
			t.Errorf("Elapsed = %v, want %v", h.Elapsed(), want)
		}
	}
	h.Fail("charge", 1, flox.Permanent(errDeclined))
	_, err := h.TryRun(orderOf(10))
	if e, ok := errors.AsType[*flox.RunError](err); !ok || e.Node != "charge" || e.Attempt != 3 || e.Err.Error() != "not approved" {
		t.Errorf("TryRun = %v, want that the third attempt at charge is not approved", err)
	}
	h.WantPath("split", "price", "total")
}

func TestFailFallback(t *testing.T) {
	h := harness(t)
	floxtest.Replace(h, "charge", Charge{func(int) error { return nil }})
	h.Fail("ship/send", 3, errGateway)
	res := h.Run(orderOf(10))
	h.WantPath("split", "price", "total", "charge", "ship/pack", "ship/send", "refund")
	floxtest.WantState(t, res, Books{
		Notes: flox.List[string]{"charged", "refunded: gateway is down"}, Dear: flox.MaxOf(10),
	})
}

func TestRetryAfter(t *testing.T) {
	h := harness(t)
	h.Fail("charge", 1, flox.RetryAfter(time.Second, errGateway))
	h.Run(orderOf(10))
	if h.Elapsed() != time.Second {
		t.Errorf("Elapsed = %v, want 1s", h.Elapsed())
	}
}

func TestSignalAfter(t *testing.T) {
	h := harness(t)
	res := h.Run(orderOf(500)) // nobody answers
	if want := 72 * time.Hour; res.Output.Text != "not approved" || h.Elapsed() != want {
		t.Errorf("Run = %+v after %v, want that it is not approved after %v", res, h.Elapsed(), want)
	}
	floxtest.SignalAfter(h, 48*time.Hour, approve, true)
	res = h.Run(orderOf(500))
	if want := 48 * time.Hour; res.Output.Text != "paid and sent" || h.Elapsed() != want {
		t.Errorf("Run = %+v after %v, want that it is sent after %v", res, h.Elapsed(), want)
	}
	floxtest.SignalAfter(h, 0, approve, false) // the earlier one counts
	res = h.Run(orderOf(500))
	if res.Output.Text != "not approved" || h.Elapsed() != 0 {
		t.Errorf("Run = %+v after %v, want that it is refused at once", res, h.Elapsed())
	}
	h.Run(orderOf(10)) // which ends before
}

func TestStartWith(t *testing.T) {
	h := harness(t).StartWith(flox.WithID("o-1"), flox.WithDeadline(time.Hour), flox.After(time.Minute))
	res, err := h.TryRun(orderOf(500))
	if want := time.Hour + time.Minute; !errors.Is(err, flox.ErrDeadline) || res.ID != "o-1" || h.Elapsed() != want {
		t.Errorf("TryRun = %+v, %v after %v, want the deadline of run o-1 after %v", res, err, h.Elapsed(), want)
	}
	h.StartWith(flox.WithDeadline(-1))
	if _, err = h.TryRun(orderOf(500)); err == nil || err.Error() != "deadline -1ns: want zero or more" {
		t.Errorf("TryRun = %v, want that the deadline is refused", err)
	}
}
