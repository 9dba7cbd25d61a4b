package demo

import "fmt"

// OrderCase is an order and how it must end.
type OrderCase struct {
	Order  Order  `json:"order"`
	Status string `json:"status"`
	Cents  int64  `json:"cents"` // what it costs
}

// Orders returns n orders, always the same ones: of each ten one is over its
// limit, one is invalid, one cannot be shipped, and seven go through.
func Orders(n int) []OrderCase {
	cases := make([]OrderCase, n)
	for i := range cases {
		cases[i] = orderCase(i)
	}
	return cases
}

func orderCase(i int) OrderCase {
	c := OrderCase{
		Status: StatusShipped,
		Order: Order{
			ID:       fmt.Sprintf("order-%05d", i+1),
			Customer: fmt.Sprintf("customer-%02d", i%17),
			Address:  fmt.Sprintf("%d Harbour Street", i%90+1),
		},
	}
	for j := range i%7 + 1 {
		line, cents := orderLine(i, j)
		c.Order.Lines = append(c.Order.Lines, line)
		c.Cents += cents
	}
	switch i % 10 {
	case 3:
		c.Status, c.Order.Limit = StatusRejected, c.Cents-1
	case 6:
		c.Status, c.Cents = StatusInvalid, 0
		spoil(&c.Order, i/10%3)
	case 8:
		c.Status, c.Order.Address = StatusRefunded, NowhereAddress
	}
	return c
}

// orderLine returns line j of order i and what it costs: every third line is
// twenty pieces, of which eighteen are paid.
func orderLine(i, j int) (Line, int64) {
	price := int64(100 + (i*37+j*11)%400*10)
	line := Line{SKU: fmt.Sprintf("sku-%03d", (i*7+j)%250), Cents: price, Qty: int64(j%3 + 1)}
	if j%3 == 2 {
		line.Qty = 20
		return line, 18 * price
	}
	return line, line.Qty * price
}

// spoil makes an order invalid in one of three ways.
func spoil(o *Order, how int) {
	switch how {
	case 0:
		o.Lines = nil
	case 1:
		o.Customer = ""
	default:
		o.Lines[0].Qty = -1
	}
}
