package demo

import "testing"

func TestOrders(t *testing.T) {
	counts := make(map[string]int)
	outages := make(map[outage]bool)
	for _, c := range Orders(200) {
		counts[c.Status]++
		outages[outageOf(OpCharge, c.Order.ID)] = true
		if err := c.Order.validate(); (err != nil) != (c.Status == StatusInvalid) {
			t.Errorf("validate(%s, to be %s) = %v", c.Order.ID, c.Status, err)
		}
	}
	want := map[string]int{StatusShipped: 140, StatusRejected: 20, StatusInvalid: 20, StatusRefunded: 20}
	if sprint(counts) != sprint(want) {
		t.Errorf("200 orders have %v, want %v", counts, want)
	}
	if len(outages) != 4 {
		t.Errorf("200 orders meet the outages %v, want all four kinds", outages)
	}
	if a, b := sprint(Orders(50)), sprint(Orders(50)); a != b {
		t.Error("Orders(50) differs from call to call")
	}
}

func TestOrderCost(t *testing.T) {
	for _, c := range Orders(30) {
		var cents int64
		for _, l := range c.Order.Lines {
			n := l.Qty * l.Cents
			if l.Qty >= bulkQty {
				n = n * 9 / 10
			}
			cents += n
		}
		if c.Status != StatusInvalid && cents != c.Cents {
			t.Errorf("%s costs %d, want %d", c.Order.ID, c.Cents, cents)
		}
	}
}
