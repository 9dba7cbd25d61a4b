// Command order shows a workflow that branches by a sum type: what the checkout
// decides is one of several types, and each has a node of its own that takes
// just that type. A case that leads to the wrong node does not compile, and
// Build refuses a decision that has no case.
//
//	go run ./examples/order
//
// prints
//
//	order 1: shipped as parcel P-1 to Ada (€58.00 charged, 2 lamps reserved)
//	order 2: declined: Bob's card has expired (€0.00 charged, 0 lamps reserved)
//	order 3: backordered: 40 more lamps by Friday (€0.00 charged, 0 lamps reserved)
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/floxrun/flox/pkg/flox"
)

// Order is the input.
type Order struct {
	ID       int
	Customer string
	Lamps    int
}

// Decision is what the checkout comes to: Accepted, Declined or Backordered.
// The marker methods make them so; that is all, no import of flox is needed.
type Decision interface{ VariantOf(Decision) }

type (
	Accepted    struct{ Order Order }
	Declined    struct{ Reason string }
	Backordered struct{ Missing int }
)

func (Accepted) VariantOf(Decision)    {}
func (Declined) VariantOf(Decision)    {}
func (Backordered) VariantOf(Decision) {}

// Paid is what charge yields, Outcome what the run comes to.
type (
	Paid struct {
		Order Order
		Cents int
	}
	Outcome struct{ Text string }
)

// State adds up what happened in the run.
type State struct{ Charged, Reserved flox.Sum }

const (
	price = 2900
	stock = 10
)

// checkout is a plain function: it neither needs the state nor chooses how the
// run goes on. The type of what it returns does that.
func checkout(_ context.Context, o Order) (Decision, error) {
	switch {
	case o.Lamps <= 0:
		return nil, flox.Permanent(errors.New("an order of nothing"))
	case o.Customer == "Bob":
		return Declined{Reason: "Bob's card has expired"}, nil
	case o.Lamps > stock:
		return Backordered{Missing: o.Lamps - stock}, nil
	}
	return Accepted{Order: o}, nil
}

func charge(ctx *flox.Context[State], in Accepted) (flox.Transition[Paid], error) {
	cents := in.Order.Lamps * price
	ctx.Merge(State{Charged: flox.Sum(cents)})
	return flox.Next(Paid{Order: in.Order, Cents: cents}), nil
}

func reserve(ctx *flox.Context[State], in Paid) (flox.Transition[Paid], error) {
	ctx.Merge(State{Reserved: flox.Sum(in.Order.Lamps)})
	return flox.Next(in), nil
}

func ship(_ context.Context, in Paid) (Outcome, error) {
	return Outcome{fmt.Sprintf("shipped as parcel P-%d to %s", in.Order.ID, in.Order.Customer)}, nil
}

func decline(_ context.Context, in Declined) (Outcome, error) {
	return Outcome{"declined: " + in.Reason}, nil
}

func backorder(_ context.Context, in Backordered) (Outcome, error) {
	return Outcome{fmt.Sprintf("backordered: %d more lamps by Friday", in.Missing)}, nil
}

func euros(cents flox.Sum) string { return fmt.Sprintf("€%d.%02d", cents/100, cents%100) }

// order is the workflow: nodes first, then edges, then where it begins and ends.
func order() (*flox.Workflow[State, Order, Outcome], error) {
	b := flox.New[State]("order")
	checkout := flox.Func(b, "checkout", checkout)
	charge := flox.AddFunc(b, "charge", charge)
	reserve := flox.AddFunc(b, "reserve", reserve)
	ship := flox.Func(b, "ship", ship)
	decline := flox.Func(b, "decline", decline)
	backorder := flox.Func(b, "backorder", backorder)

	flox.Variants[Decision](b, Accepted{}, Declined{}, Backordered{})
	checkout.Route(flox.Case(charge), flox.Case(decline), flox.Case(backorder))
	charge.To(reserve)
	reserve.To(ship)
	return flox.Build(b, checkout, ship, decline, backorder)
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := order()
	if err != nil {
		return err
	}
	for _, o := range []Order{{1, "Ada", 2}, {2, "Bob", 1}, {3, "Cyd", 50}} {
		res, err := flox.Run(ctx, wf, o)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "order %d: %s (%s charged, %d lamps reserved)\n",
			o.ID, res.Output.Text, euros(res.State.Charged), res.State.Reserved)
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
