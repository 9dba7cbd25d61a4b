package floxtest_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/floxtest"
)

func ExampleProcess() {
	got := floxtest.Process(t, flox.NodeFunc[Books, Quote, Asked](ask), Books{}, Quote{Cents: 500})
	fmt.Println(got.Kind, got.Signal, got.Carry, got.After)
	// Output: await approve {500} 72h0m0s
}

// A table of what a node decides.
func ExampleWantOutcome() {
	type outcome = floxtest.Outcome[Books, Receipt]
	busy := errors.New("the gateway is busy")
	for _, c := range []struct {
		gateway error
		want    outcome
	}{
		{nil, outcome{
			Kind: floxtest.KindNext, Output: Receipt{"paid"},
			Delta: Books{Cents: 5, Notes: flox.List[string]{"charged"}, Dear: flox.MaxOf(5)},
		}},
		{busy, outcome{Kind: floxtest.KindError, Err: busy}},
		{flox.RetryAfter(time.Minute, busy), outcome{Kind: floxtest.KindError, Err: busy, After: time.Minute}},
		{flox.Permanent(busy), outcome{Kind: floxtest.KindPermanent, Err: busy}},
	} {
		node := Charge{Gateway: func(int) error { return c.gateway }}
		floxtest.WantOutcome(t, floxtest.Process(t, node, Books{}, Quote{5}), c.want)
	}
	fmt.Println(t.Failed())
	// Output: false
}

// The test that the package's documentation shows.
func TestDearOrder(t *testing.T) {
	wf, _ := shop()
	h := floxtest.New(t, wf)
	takes := func(cents int) error { return nil }
	floxtest.Replace(h, "charge", Charge{Gateway: takes})
	floxtest.FakeNode(h, "ship/send", func(p Parcel) (Receipt, error) { return Receipt{"sent"}, nil })
	h.Fail("charge", 2, errors.New("the gateway is busy"))
	floxtest.SignalAfter(h, 48*time.Hour, approve, true)

	res := h.Run(Order{Lines: []Line{{Cents: 400}, {Cents: 500}}})

	h.WantPath("split", "price", "price", "total", "ask", "settle", "charge", "ship/pack", "ship/send")
	floxtest.WantState(t, res, Books{Cents: 900, Notes: flox.List[string]{"charged"}, Dear: flox.MaxOf(900)})
	if took := 48*time.Hour + 3*time.Minute; res.Output.Text != "sent" || h.Elapsed() != took {
		t.Errorf("Run = %+v after %v, want it sent after %v", res.Output, h.Elapsed(), took)
	}
}
