package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/floxrun/flox/pkg/flox"
)

const (
	defaultLimit = 500_000 // cents
	maxLines     = 200
	maxCents     = 1_000_000_000
	maxQty       = 100_000
	// bulkQty of one article cost a tenth less.
	bulkQty = 10
)

func happened(name, ref string) flox.EventLog[Event] { return []Event{{Name: name, Ref: ref}} }

// validateOrder aborts for a wrong order; its fallback ends the run.
func validateOrder(ctx *flox.Context[OrderState], o Order) (flox.Transition[Order], error) {
	if err := o.validate(); err != nil {
		ctx.Merge(OrderState{Events: happened("refused", "")})
		return flox.Abort[Order](err), nil
	}
	ctx.Merge(OrderState{Events: happened("validated", "")})
	return flox.Next(o), nil
}

func (o Order) validate() error {
	switch {
	case o.ID == "":
		return errors.New("the order has no id")
	case o.Customer == "":
		return fmt.Errorf("order %s has no customer", o.ID)
	case o.Address == "":
		return fmt.Errorf("order %s has no address", o.ID)
	case len(o.Lines) == 0:
		return fmt.Errorf("order %s has no lines", o.ID)
	case len(o.Lines) > maxLines:
		return fmt.Errorf("order %s has %d lines: want at most %d", o.ID, len(o.Lines), maxLines)
	case o.Limit < 0:
		return fmt.Errorf("order %s: limit is %d: want 0 or more", o.ID, o.Limit)
	}
	for i, l := range o.Lines {
		if l.SKU == "" || l.Qty < 1 || l.Qty > maxQty || l.Cents < 0 || l.Cents > maxCents {
			return fmt.Errorf("order %s, line %d: want a sku, a qty of 1 to %d and 0 to %d cents, got %+v", o.ID, i+1, maxQty, maxCents, l)
		}
	}
	return nil
}

func invalidOrder(ctx *flox.Context[OrderState], f flox.Failure[Order]) (flox.Transition[Outcome], error) {
	ctx.Merge(OrderState{Events: happened("closed", "")})
	return flox.Next(Outcome{Order: f.Input.ID, Status: StatusInvalid, Reason: f.Err.Message}), nil
}

// SplitLines hands out the lines of an order.
type SplitLines struct{}

// Process yields one Item for each line.
func (SplitLines) Process(_ *flox.Context[OrderState], o Order) (flox.Fanout[Item], error) {
	items := make([]Item, len(o.Lines))
	for i, l := range o.Lines {
		items[i] = Item{No: i, Line: l}
	}
	return flox.NextAll(items), nil
}

func priceLine(ctx *flox.Context[OrderState], i Item) (flox.Transition[Priced], error) {
	cents := i.Line.Qty * i.Line.Cents
	if i.Line.Qty >= bulkQty {
		cents -= cents / 10
	}
	ctx.Merge(OrderState{Events: happened("priced", strconv.Itoa(i.No)), Lines: 1, Total: flox.Sum(cents)})
	return flox.Next(Priced{No: i.No, Cents: cents}), nil
}

// decideOrder approves orders within the customer's limit.
func decideOrder(ctx *flox.Context[OrderState], in flox.Joined[Order, Priced]) (flox.Transition[Decision], error) {
	var cents int64
	for _, p := range in.Outputs {
		cents += p.Cents
	}
	o, limit := in.Input, cmp.Or(in.Input.Limit, defaultLimit)
	if cents > limit {
		ctx.Merge(OrderState{Events: happened("rejected", "")})
		reason := fmt.Sprintf("costs %d cents, over the limit of %d", cents, limit)
		return flox.Next[Decision](Rejected{Order: o.ID, Cents: cents, Reason: reason}), nil
	}
	ctx.Merge(OrderState{Events: happened("approved", "")})
	return flox.Next[Decision](Approved{Order: o.ID, Address: o.Address, Cents: cents}), nil
}

func rejectOrder(_ context.Context, r Rejected) (Outcome, error) {
	return Outcome{Order: r.Order, Status: StatusRejected, Cents: r.Cents, Reason: r.Reason}, nil
}

// Charge takes the money.
type Charge struct{ Payments Payments }

// Process charges an order. The idempotency key is the same at each attempt,
// so an answer that was lost costs nobody twice.
func (n *Charge) Process(ctx *flox.Context[OrderState], in Approved) (flox.Transition[Charged], error) {
	ref, err := n.Payments.Charge(ctx, in.Order, in.Cents, ctx.IdempotencyKey())
	if err != nil {
		return nil, gatewayError(err)
	}
	ctx.Merge(OrderState{Events: happened("charged", ref), Charged: flox.Sum(in.Cents)})
	return flox.Next(Charged{Approved: in, Charge: ref}), nil
}

// Ship sends the goods.
type Ship struct{ Shipping Shipping }

// Process ships an order.
func (n *Ship) Process(ctx *flox.Context[OrderState], in Charged) (flox.Transition[Shipped], error) {
	ref, err := n.Shipping.Ship(ctx, in.Approved.Order, in.Approved.Address, ctx.IdempotencyKey())
	if err != nil {
		return nil, gatewayError(err)
	}
	ctx.Merge(OrderState{Events: happened("shipped", ref)})
	return flox.Next(Shipped{Charged: in, Shipment: ref}), nil
}

// gatewayError makes a refusal permanent: asking again would not change it.
func gatewayError(err error) error {
	if errors.Is(err, ErrRefused) {
		return flox.Permanent(err)
	}
	return err
}

func writeReceipt(ctx *flox.Context[OrderState], in Shipped) (flox.Transition[Outcome], error) {
	ctx.Merge(OrderState{Events: happened("closed", "")})
	a := in.Charged.Approved
	return flox.Next(Outcome{
		Order: a.Order, Status: StatusShipped, Cents: a.Cents, Charge: in.Charged.Charge, Shipment: in.Shipment,
	}), nil
}

// Refund gives the money back when shipping failed for good.
type Refund struct{ Payments Payments }

// Process refunds the charge and ends the run.
func (n *Refund) Process(ctx *flox.Context[OrderState], f flox.Failure[Charged]) (flox.Transition[Outcome], error) {
	a := f.Input.Approved
	ref, err := n.Payments.Refund(ctx, a.Order, a.Cents, ctx.IdempotencyKey())
	if err != nil {
		return nil, gatewayError(err)
	}
	ctx.Merge(OrderState{Events: happened("refunded", ref), Refunded: flox.Sum(a.Cents)})
	return flox.Next(Outcome{
		Order: a.Order, Status: StatusRefunded, Cents: a.Cents, Reason: f.Err.Message, Charge: f.Input.Charge, Refund: ref,
	}), nil
}
