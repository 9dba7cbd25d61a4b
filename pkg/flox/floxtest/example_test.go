package floxtest_test

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/floxtest"
)

// t is that of the test function in which the code of the examples stands.
var t = new(testing.T)

func TestMain(m *testing.M) {
	code := m.Run()
	if t.Failed() {
		fmt.Println("a check in an example has failed")
		code = 1
	}
	os.Exit(code)
}

// An order is split into lines, priced and shipped; the charge is faked.
func ExampleNew() {
	wf, _ := shop()
	h := floxtest.New(t, wf)
	floxtest.FakeNode(h, "charge", func(q Quote) (Receipt, error) { return Receipt{"paid"}, nil })

	res := h.Run(Order{Lines: []Line{{Cents: 10}, {Cents: 20}}})

	h.WantPath("split", "price", "price", "total", "charge", "ship/pack", "ship/send")
	fmt.Println(res.Output.Text)
	// Output: paid and sent
}

// The compiler checks a fake that is set by the node's Ref.
func ExampleFake() {
	wf, nodes := shop()
	h := floxtest.New(t, wf)
	floxtest.Fake(h, nodes.charge, func(q Quote) (Receipt, error) {
		return Receipt{fmt.Sprintf("%d paid", q.Cents)}, nil
	})
	fmt.Println(h.Run(Order{Lines: []Line{{Cents: 10}}}).Output.Text)
	// Output: 10 paid and sent
}

// A node of a nested workflow is named after its nest, too.
func ExampleFakeNode() {
	wf, _ := shop()
	h := floxtest.New(t, wf)
	floxtest.FakeNode(h, "charge", func(Quote) (Receipt, error) { return Receipt{"paid"}, nil })
	floxtest.FakeNode(h, "ship/send", func(p Parcel) (Receipt, error) {
		return Receipt{p.Receipt.Text + ", not really sent"}, nil
	})
	fmt.Println(h.Run(Order{Lines: []Line{{Cents: 10}}}).Output.Text)
	// Output: paid, not really sent
}

func ExampleFakeFanout() {
	wf, _ := shop()
	h := floxtest.New(t, wf)
	floxtest.FakeFanout(h, "split", func(Order) ([]Line, error) { return []Line{{Cents: 1}, {Cents: 2}}, nil })
	floxtest.FakeNode(h, "charge", func(q Quote) (Receipt, error) { return Receipt{fmt.Sprint(q.Cents)}, nil })
	fmt.Println(h.Run(Order{}).Output.Text)
	// Output: 3 and sent
}

// A whole node in place of another merges into the state.
func ExampleReplace() {
	wf, _ := shop()
	h := floxtest.New(t, wf)
	floxtest.Replace(h, "charge", Charge{Gateway: func(cents int) error { return nil }})

	res := h.Run(Order{Lines: []Line{{Cents: 10}, {Cents: 20}}})

	floxtest.WantState(t, res, Books{Cents: 30, Notes: flox.List[string]{"charged"}, Dear: flox.MaxOf(30)})
	fmt.Println(res.State.Cents)
	// Output: 30
}

// The first two attempts fail; the waits before the retries pass in no time.
func ExampleHarness_Fail() {
	wf, _ := shop()
	h := floxtest.New(t, wf)
	floxtest.FakeNode(h, "charge", func(Quote) (Receipt, error) { return Receipt{"paid"}, nil })
	h.Fail("charge", 2, errors.New("the gateway is busy"))

	res := h.Run(Order{Lines: []Line{{Cents: 10}}})

	fmt.Println(res.Output.Text, "after", h.Elapsed())
	// Output: paid and sent after 3m0s
}

// A run that is to fail returns its error.
func ExampleHarness_TryRun() {
	wf, _ := shop()
	h := floxtest.New(t, wf)
	h.Fail("charge", 1, flox.Permanent(errors.New("card is stolen")))

	_, err := h.TryRun(Order{Lines: []Line{{Cents: 10}}})

	h.WantPath("split", "price", "total")
	fmt.Println(err)
	// Output: run test failed: node charge: attempt 1: card is stolen
}

// Approved after two days, or not at all within three.
func ExampleSignalAfter() {
	wf, _ := shop()
	dear := Order{Lines: []Line{{Cents: 500}}}

	h := floxtest.New(t, wf)
	floxtest.FakeNode(h, "charge", func(Quote) (Receipt, error) { return Receipt{"paid"}, nil })
	fmt.Println(h.Run(dear).Output.Text, "after", h.Elapsed())

	floxtest.SignalAfter(h, 48*time.Hour, approve, true)
	fmt.Println(h.Run(dear).Output.Text, "after", h.Elapsed())
	// Output:
	// not approved after 72h0m0s
	// paid and sent after 48h0m0s
}

// Options of the start hold for every run.
func ExampleHarness_StartWith() {
	wf, _ := shop()
	h := floxtest.New(t, wf).StartWith(flox.WithDeadline(time.Hour))

	_, err := h.TryRun(Order{Lines: []Line{{Cents: 500}}}) // which waits for approval

	fmt.Println(errors.Is(err, flox.ErrDeadline), h.Elapsed())
	// Output: true 1h0m0s
}

// Two lines at a time are priced, each in an hour.
func ExampleHarness_Parallel() {
	wf, _ := shop()
	h := floxtest.New(t, wf).Parallel(2)
	floxtest.FakeNode(h, "charge", func(Quote) (Receipt, error) { return Receipt{"paid"}, nil })
	floxtest.FakeNode(h, "price", func(in Line) (int, error) {
		time.Sleep(time.Hour) // of virtual time
		return in.Cents, nil
	})
	h.Run(Order{Lines: []Line{{Cents: 1}, {Cents: 2}, {Cents: 3}, {Cents: 4}}})
	fmt.Println(h.Elapsed())
	// Output: 2h0m0s
}

// What a fallback leaves of the state.
func ExampleWantState() {
	wf, _ := shop()
	h := floxtest.New(t, wf)
	floxtest.Replace(h, "charge", Charge{Gateway: func(cents int) error { return nil }})
	h.Fail("ship/send", 1, flox.Permanent(errors.New("no such street")))

	res := h.Run(Order{Lines: []Line{{Cents: 10}}})

	floxtest.WantState(t, res, Books{
		Cents: 0, Notes: flox.List[string]{"charged", "refunded: no such street"}, Dear: flox.MaxOf(10),
	})
	fmt.Println(res.Output.Text)
	// Output: money back
}
