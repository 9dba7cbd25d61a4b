package demo

import (
	"slices"
	"strconv"
	"strings"
)

// OrderRun is how the run of an order ended.
type OrderRun struct {
	Case    OrderCase
	Err     error // why it did not complete
	Outcome Outcome
	State   OrderState
}

// CheckOrders compares finished runs with the gateway's ledger and with how the
// orders had to end. It returns what is wrong: lost, repeated or false. The
// ledger must hold nothing but these orders.
func CheckOrders(runs []OrderRun, ledger Ledger) []string {
	var wrong faults
	byOrder := make(map[string]Ledger)
	for _, e := range ledger {
		byOrder[e.Order] = append(byOrder[e.Order], e)
	}
	seen := make(map[string]bool)
	for _, r := range runs {
		id := r.Case.Order.ID
		if seen[id] {
			wrong.add("repeated: order %s has two runs", id)
			continue
		}
		seen[id] = true
		for _, w := range checkOrder(r, byOrder[id]) {
			wrong.add("order %s: %s", id, w)
		}
		delete(byOrder, id)
	}
	for id := range byOrder {
		wrong.add("order %s: in the ledger, but not among the runs", id)
	}
	slices.Sort(wrong)
	return wrong
}

func checkOrder(r OrderRun, ledger Ledger) faults {
	var wrong faults
	if r.Err != nil {
		wrong.add("did not complete: %v", r.Err)
		return wrong
	}
	got, want := r.Outcome, r.Case
	if got.Order != want.Order.ID || got.Status != want.Status || got.Cents != want.Cents {
		wrong.add("outcome is %s %s %d, want %s %s %d", got.Order, got.Status, got.Cents, want.Order.ID, want.Status, want.Cents)
	}
	plan := planOf(want.Status)
	checkTotals(&wrong, r, plan)
	checkEvents(&wrong, r, plan)
	checkLedger(&wrong, r, plan, ledger)
	return wrong
}

// orderPlan is what must happen to an order of one status.
type orderPlan struct {
	events                      []string // in this order, but for the lines, which are priced in any
	priced, paid, given, packed bool
}

func planOf(status string) orderPlan {
	switch status {
	case StatusShipped:
		return orderPlan{[]string{"validated", "priced", "approved", "charged", "shipped", "closed"}, true, true, false, true}
	case StatusRefunded:
		return orderPlan{[]string{"validated", "priced", "approved", "charged", "refunded"}, true, true, true, false}
	case StatusRejected:
		return orderPlan{[]string{"validated", "priced", "rejected"}, true, false, false, false}
	default:
		return orderPlan{events: []string{"refused", "closed"}}
	}
}

func checkTotals(wrong *faults, r OrderRun, plan orderPlan) {
	when := func(cond bool, n int64) int {
		if cond {
			return int(n)
		}
		return 0
	}
	wrong.number("state: lines", int64(r.State.Lines), when(plan.priced, int64(len(r.Case.Order.Lines))))
	wrong.number("state: total", int64(r.State.Total), when(plan.priced, r.Case.Cents))
	wrong.number("state: charged", int64(r.State.Charged), when(plan.paid, r.Case.Cents))
	wrong.number("state: refunded", int64(r.State.Refunded), when(plan.given, r.Case.Cents))
}

// checkEvents wants every event once and in order.
func checkEvents(wrong *faults, r OrderRun, plan orderPlan) {
	refs := map[string]string{"charged": r.Outcome.Charge, "shipped": r.Outcome.Shipment, "refunded": r.Outcome.Refund}
	want := make(map[string]int)
	for _, name := range plan.events {
		if name != "priced" {
			want[eventFact(Event{name, refs[name]})]++
			continue
		}
		for i := range r.Case.Order.Lines {
			want[eventFact(Event{name, strconv.Itoa(i)})]++
		}
	}
	wrong.counts("event", countBy(r.State.Events, eventFact), want)
	var order []string
	for _, e := range r.State.Events {
		order = append(order, e.Name)
	}
	if order = slices.Compact(order); !slices.Equal(order, plan.events) {
		wrong.add("events came as %v, want %v", order, plan.events)
	}
}

func eventFact(e Event) string { return strings.TrimSpace(e.Name + " " + e.Ref) }

// checkLedger wants exactly the effects of the plan, under the references that
// the outcome names.
func checkLedger(wrong *faults, r OrderRun, plan orderPlan, ledger Ledger) {
	want := make(map[string]int)
	expect := func(cond bool, op, ref string, cents int64) {
		if cond {
			want[entryFact(Entry{Op: op, Ref: ref, Cents: cents})]++
		}
	}
	expect(plan.paid, OpCharge, r.Outcome.Charge, r.Case.Cents)
	expect(plan.given, OpRefund, r.Outcome.Refund, r.Case.Cents)
	expect(plan.packed, OpShip, r.Outcome.Shipment, 0)
	wrong.counts("ledger entry", countBy(ledger, entryFact), want)
}

func entryFact(e Entry) string {
	return e.Op + " " + strconv.FormatInt(e.Cents, 10) + " " + e.Ref
}
