package demo

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

// goodRuns are runs of one order of each status, and their ledger.
func goodRuns() ([]OrderRun, Ledger) {
	events := func(list ...string) (log flox.EventLog[Event]) {
		for _, s := range list {
			name, ref, _ := strings.Cut(s, " ")
			log = append(log, Event{name, ref})
		}
		return log
	}
	run := func(id, status string, cents int64) OrderRun {
		return OrderRun{
			Case:    OrderCase{Order: Order{ID: id, Lines: make([]Line, 2)}, Status: status, Cents: cents},
			Outcome: Outcome{Order: id, Status: status, Cents: cents},
			State:   OrderState{Lines: 2, Total: flox.Sum(cents)},
		}
	}
	shipped := run("a", StatusShipped, 10)
	shipped.Outcome.Charge, shipped.Outcome.Shipment, shipped.State.Charged = "c-a", "s-a", 10
	shipped.State.Events = events("validated", "priced 1", "priced 0", "approved", "charged c-a", "shipped s-a", "closed")
	refunded := run("b", StatusRefunded, 20)
	refunded.Outcome.Charge, refunded.Outcome.Refund = "c-b", "r-b"
	refunded.State.Charged, refunded.State.Refunded = 20, 20
	refunded.State.Events = events("validated", "priced 0", "priced 1", "approved", "charged c-b", "refunded r-b")
	rejected := run("c", StatusRejected, 30)
	rejected.State.Events = events("validated", "priced 0", "priced 1", "rejected")
	invalid := run("d", StatusInvalid, 0)
	invalid.State = OrderState{Events: events("refused", "closed")}
	return []OrderRun{shipped, refunded, rejected, invalid}, Ledger{
		{Op: OpCharge, Order: "a", Key: "1", Ref: "c-a", Cents: 10, Calls: 3},
		{Op: OpShip, Order: "a", Key: "2", Ref: "s-a", Calls: 1},
		{Op: OpCharge, Order: "b", Key: "3", Ref: "c-b", Cents: 20, Calls: 1},
		{Op: OpRefund, Order: "b", Key: "4", Ref: "r-b", Cents: 20, Calls: 2},
	}
}

func TestCheckOrders(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(runs *[]OrderRun, ledger *Ledger)
		want  []string
	}{
		{"all well", func(*[]OrderRun, *Ledger) {}, nil},
		{"a failed run", func(r *[]OrderRun, l *Ledger) { (*r)[2].Err = errors.New("failed: boom") },
			[]string{"order c: did not complete: failed: boom"}},
		{"charged twice", func(_ *[]OrderRun, l *Ledger) {
			*l = append(*l, Entry{Op: OpCharge, Order: "a", Key: "9", Ref: "c-a2", Cents: 10})
		}, []string{"order a: unexpected: ledger entry charge 10 c-a2"}},
		{"charge lost", func(_ *[]OrderRun, l *Ledger) { *l = (*l)[1:] },
			[]string{"order a: lost: ledger entry charge 10 c-a"}},
		{"charged, but rejected", func(_ *[]OrderRun, l *Ledger) {
			*l = append(*l, Entry{Op: OpCharge, Order: "c", Ref: "c-c", Cents: 30})
		}, []string{"order c: unexpected: ledger entry charge 30 c-c"}},
		{"not refunded", func(_ *[]OrderRun, l *Ledger) { *l = (*l)[:3] },
			[]string{"order b: lost: ledger entry refund 20 r-b"}},
		{"refunded twice", func(_ *[]OrderRun, l *Ledger) { *l = append(*l, (*l)[3]) },
			[]string{"order b: repeated: ledger entry refund 20 r-b: 2 times, want 1"}},
		{"an unknown order", func(_ *[]OrderRun, l *Ledger) { *l = append(*l, Entry{Op: OpShip, Order: "x"}) },
			[]string{"order x: in the ledger, but not among the runs"}},
		{"a delta applied twice", func(r *[]OrderRun, _ *Ledger) {
			s := &(*r)[0].State
			s.Total, s.Lines, s.Events = 15, 3, slices.Insert(s.Events, 2, s.Events[1])
		}, []string{"order a: repeated: event priced 1: 2 times, want 1", "order a: state: lines is 3, want 2", "order a: state: total is 15, want 10"}},
		{"a delta lost", func(r *[]OrderRun, _ *Ledger) {
			s := &(*r)[1].State
			s.Events, s.Refunded = s.Events[:5], 0
		}, []string{
			"order b: events came as [validated priced approved charged], want [validated priced approved charged refunded]",
			"order b: lost: event refunded r-b", "order b: state: refunded is 0, want 20"}},
		{"out of order", func(r *[]OrderRun, _ *Ledger) {
			e := (*r)[2].State.Events
			e[0], e[1] = e[1], e[0]
		}, []string{"order c: events came as [priced validated priced rejected], want [validated priced rejected]"}},
		{"another outcome", func(r *[]OrderRun, _ *Ledger) { (*r)[3].Outcome.Status = StatusRejected },
			[]string{"order d: outcome is d rejected 0, want d invalid 0"}},
		{"two runs of an order", func(r *[]OrderRun, _ *Ledger) { *r = append(*r, (*r)[0]) },
			[]string{"repeated: order a has two runs"}},
	} {
		runs, ledger := goodRuns()
		tt.spoil(&runs, &ledger)
		if got := CheckOrders(runs, ledger); !slices.Equal(got, tt.want) {
			t.Errorf("%s: CheckOrders =\n%s\nwant\n%s", tt.name, strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
		}
	}
}
