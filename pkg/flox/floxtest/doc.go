// Package floxtest tests workflows, and stores.
//
// # Workflows
//
// A [Harness] runs a workflow in a test as it is, graph, retries, timers, joins
// and all, with the nodes that reach outside faked:
//
//	func TestDearOrder(t *testing.T) {
//		wf, err := orders.Workflow()
//		if err != nil {
//			t.Fatal(err)
//		}
//		h := floxtest.New(t, wf)
//		takes := func(cents int) error { return nil }
//		floxtest.Replace(h, "charge", orders.Charge{Gateway: takes}) // a node with other dependencies
//		floxtest.FakeNode(h, "ship/send", func(p orders.Parcel) (orders.Receipt, error) {
//			return orders.Receipt{Text: "sent"}, nil // a function for the node of a nested workflow
//		})
//		h.Fail("charge", 2, errors.New("the gateway is busy"))      // and then it works
//		floxtest.SignalAfter(h, 48*time.Hour, orders.Approve, true) // somebody approves after two days
//
//		res := h.Run(orders.Order{Lines: []orders.Line{{Cents: 400}, {Cents: 500}}})
//
//		h.WantPath("split", "price", "price", "total", "ask", "settle", "charge", "ship/pack", "ship/send")
//		floxtest.WantState(t, res, orders.Books{Cents: 900})
//		if took := 48*time.Hour + 3*time.Minute; res.Output.Text != "sent" || h.Elapsed() != took {
//			t.Errorf("Run = %+v after %v, want it sent after %v", res.Output, h.Elapsed(), took)
//		}
//	}
//
// Each Run is a new run on a store of its own, in a testing/synctest bubble of
// its own, so that days pass in no time: the clock stands while code runs, and
// jumps to the next timer when all wait. It begins at midnight UTC 2000-01-01,
// as every bubble does. A test that is in a bubble already keeps that: to begin at
// another time, call synctest.Test yourself and sleep until then. For the clock
// to move, nodes must wait for nothing outside the bubble: fake what talks to
// servers, and make channels that they wait for in the nodes or in the bubble.
//
// Every Run does the same. Items are executed one at a time in a fixed order,
// each token as far as it goes before the next ([Harness.Parallel] is for those
// who want more); the wait before a retry is what the back-off says at most; the
// run's id, and with it every idempotency key, is the same. Waits inside an item,
// of flox.Retry and flox.Composite, are drawn at random as ever. So
// [Harness.WantPath] and [Harness.Elapsed] are exact.
//
// What a node is made of can be replaced at three depths. Give its struct other
// dependencies where that is enough. [Fake], [FakeNode] and [FakeFanout] put a
// plain function in its place. [Replace] and [ReplaceFanout] put another node
// there, which can do what only nodes can: merge state, hold, await, abort. The
// edges, retries, timeouts, joins and undos of the node stay, and types are
// checked when the fake is set. Nodes of nested workflows are named "nest/node";
// what is inside a flox.Composite is code of the one node that it is.
//
// A run that must fail is made by [Harness.TryRun], which returns the error. One
// that never ends, as nobody answers what it awaits, fails the test with a list
// of where its tokens stand.
//
// # Nodes
//
// [Process] runs one node without a workflow, for tables of its decisions:
//
//	got := floxtest.Process(t, &Decide{Limit: 100}, State{}, Quote{Cents: 500})
//	floxtest.WantOutcome(t, got, floxtest.Outcome[State, flox.Answer[Quote, bool]]{
//		Kind: floxtest.KindAwait, Signal: "approve", Carry: Quote{Cents: 500}, After: 72 * time.Hour,
//	})
//
// # Stores
//
// [TestStore] is the definition of what a flox.Store must do, and runs all of it
// against an implementation:
//
//	func TestStore(t *testing.T) {
//		floxtest.TestStore(t, func(t *testing.T) floxtest.Backend {
//			return floxtest.Backend{Store: flox.NewMemory(), Advance: time.Sleep}
//		})
//	}
package floxtest
