package floxtest_test

import (
	"context"
	"errors"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// The workflow that the tests and examples here test: an order is priced line
// by line; one that costs much must be approved within three days; then it is
// charged, packed and sent, and the money given back if that fails.

type (
	Order   struct{ Lines []Line }
	Line    struct{ Cents int }
	Quote   struct{ Cents int }
	Receipt struct{ Text string }
	Parcel  struct{ Receipt Receipt }
	Asked   = flox.Answer[Quote, bool]

	Books struct {
		Cents flox.Sum          `json:"cents"`
		Notes flox.List[string] `json:"notes"`
		Dear  flox.Max[int]     `json:"dear"`
	}
)

var approve = flox.NewSignal[bool]("approve")

var (
	errGateway  = errors.New("gateway is down")
	errDeclined = errors.New("not approved")
)

// Charge is a node with a dependency.
type Charge struct{ Gateway func(cents int) error }

func (n Charge) Process(ctx *flox.Context[Books], in Quote) (flox.Transition[Receipt], error) {
	if err := n.Gateway(in.Cents); err != nil {
		return nil, err
	}
	ctx.Merge(Books{Cents: flox.Sum(in.Cents), Notes: flox.List[string]{"charged"}, Dear: flox.MaxOf(in.Cents)})
	return flox.Next(Receipt{"paid"}), nil
}

func ask(_ *flox.Context[Books], in Quote) (flox.Transition[Asked], error) {
	return flox.Await(approve, in, 72*time.Hour), nil
}

func settle(_ *flox.Context[Books], in Asked) (flox.Transition[Quote], error) {
	if !in.Payload {
		return flox.Abort[Quote](errDeclined), nil
	}
	return flox.Next(in.Carry), nil
}

func total(_ context.Context, in flox.Joined[Order, int]) (Quote, error) {
	sum := 0
	for _, cents := range in.Outputs {
		sum += cents
	}
	return Quote{sum}, nil
}

func price(_ context.Context, in Line) (int, error) { return in.Cents, nil }

func pack(_ context.Context, in Receipt) (Parcel, error) {
	return Parcel{in}, nil
}

func send(_ context.Context, in Parcel) (Receipt, error) {
	return Receipt{in.Receipt.Text + " and sent"}, nil
}

func refund(ctx *flox.Context[Books], in flox.Failure[Receipt]) (flox.Transition[Receipt], error) {
	ctx.Merge(Books{Cents: -ctx.State().Cents, Notes: flox.List[string]{"refunded: " + in.Err.Message}})
	return flox.Next(Receipt{"money back"}), nil
}

func decline(_ context.Context, in flox.Failure[Asked]) (Receipt, error) {
	return Receipt{in.Err.Message}, nil
}

// nodes are Refs of the workflow, for Fake.
type nodes struct {
	charge flox.Ref[Quote, Receipt]
	pack   flox.Ref[Receipt, Parcel] // of the nested workflow
	ship   flox.Ref[Receipt, Receipt]
}

// shop builds the workflow. Its gateway always fails: tests fake it.
func shop() (*flox.Workflow[Books, Order, Receipt], nodes) {
	bad := func(int) error { return errors.New("a test must not reach the real gateway") }
	d := flox.New[Books]("delivery")
	packing, sending := flox.Func(d, "pack", pack), flox.Func(d, "send", send)
	packing.To(sending)
	delivery, err := flox.Build(d, packing, sending)
	if err != nil {
		panic(err)
	}
	b := flox.New[Books]("shop").Retry(flox.RetryPolicy{MaxAttempts: 3, Backoff: flox.Linear(time.Minute, time.Hour)})
	split := flox.Split(b, "split", func(in Order) []Line { return in.Lines })
	each := flox.Func(b, "price", price)
	sum := flox.Func(b, "total", total)
	asking := flox.AddFunc(b, "ask", ask).Awaits(approve)
	settling := flox.AddFunc(b, "settle", settle)
	charge := flox.Add(b, "charge", Charge{bad})
	ship := flox.Nest(b, "ship", delivery)
	back := flox.AddFunc(b, "refund", refund)
	no := flox.Func(b, "decline", decline)
	split.To(each)
	flox.JoinWith(split, each, sum)
	sum.Route(flox.When(func(q Quote) bool { return q.Cents > 100 }, asking), flox.Otherwise(charge))
	asking.To(settling)
	settling.To(charge).OnFailure(no)
	charge.To(ship)
	ship.OnFailure(back)
	wf, err := flox.Build(b, split, ship, back, no)
	if err != nil {
		panic(err)
	}
	return wf, nodes{charge, packing, ship}
}
