// Package wrong is what the wrong programs of wrong.txt are written against; it
// compiles.
package wrong

import (
	"context"

	"github.com/floxrun/flox/pkg/flox"
)

type (
	State    struct{ Cents flox.Sum }
	Other    struct{ Names flox.List[string] }
	Order    struct{ Lines []Line }
	Line     struct{ SKU string }
	Priced   struct{ Cents int64 }
	Quote    struct{ Cents int64 }
	Approved struct{ Cents int64 }
	Rejected struct{ Reason string }
	Receipt  struct{ Ref string }
	Approval struct{ By string }
	Red      struct{ Shade int }

	Decision interface{ VariantOf(Decision) }
	Colour   interface{ VariantOf(Colour) }
)

func (Approved) VariantOf(Decision) {}
func (Rejected) VariantOf(Decision) {}
func (Red) VariantOf(Colour)        {}

type (
	SplitNode  struct{}
	PriceNode  struct{}
	ChargeNode struct{}
	OtherNode  struct{}
	PlainNode  struct{}
	CtxNode    struct{}
	ValueNode  struct{}
)

func (*SplitNode) Process(_ *flox.Context[State], in Order) (flox.Fanout[Line], error) {
	return flox.NextAll(in.Lines), nil
}

func (*PriceNode) Process(_ *flox.Context[State], _ Line) (flox.Transition[Priced], error) {
	return flox.Next(Priced{}), nil
}

func (*ChargeNode) Process(_ *flox.Context[State], _ Approved) (flox.Transition[Receipt], error) {
	return flox.Next(Receipt{}), nil
}

func (*OtherNode) Process(_ *flox.Context[Other], _ Line) (flox.Transition[Priced], error) {
	return flox.Next(Priced{}), nil
}

func (*PlainNode) Process(_ *flox.Context[State], _ Line) (Priced, error) { return Priced{}, nil }

func (*CtxNode) Process(_ context.Context, _ Line) (flox.Transition[Priced], error) {
	return flox.Next(Priced{}), nil
}

func (*ValueNode) Process(_ flox.Context[State], _ Line) (flox.Transition[Priced], error) {
	return flox.Next(Priced{}), nil
}

func plain[I, O any](context.Context, I) (o O, err error) { return o, nil }

var (
	b       = flox.New[State]("order")
	split   = flox.AddFanout(b, "split", &SplitNode{})
	price   = flox.Add(b, "price", &PriceNode{})
	sum     = flox.Func(b, "sum", plain[flox.Joined[Order, Priced], Quote])
	quotes  = flox.Func(b, "quotes", plain[flox.Joined[Quote, Priced], Quote])
	total   = flox.Func(b, "total", plain[[]Priced, Quote])
	lines   = flox.Func(b, "lines", plain[[]Line, Quote])
	audit   = flox.Func(b, "audit", plain[Priced, flox.None])
	decide  = flox.Func(b, "decide", plain[Quote, Decision])
	charge  = flox.Add(b, "charge", &ChargeNode{})
	decline = flox.Func(b, "decline", plain[Rejected, Receipt])
	paint   = flox.Func(b, "paint", plain[Red, Receipt])
	refund  = flox.Func(b, "refund", plain[flox.Failure[Approved], Receipt])
	broken  = flox.Func(b, "broken", plain[flox.Failure[Line], Priced])

	approve    = flox.NewSignal[Approval]("approve")
	ask        = flox.AddFunc(b, "ask", askApproval).Awaits(approve)
	answer     = flox.Func(b, "answer", plain[flox.Answer[Order, Approval], Receipt])
	textAnswer = flox.Func(b, "textAnswer", plain[flox.Answer[Order, string], Receipt])
	both       = flox.Func(b, "both", plain[flox.Pair[Priced, Quote], Receipt])
	reversed   = flox.Func(b, "reversed", plain[flox.Pair[Quote, Priced], Receipt])
	undoCharge = flox.Func(b, "undoCharge", plain[flox.Done[Approved, Receipt], flox.None])
	undoQuote  = flox.Func(b, "undoQuote", plain[flox.Done[Approved, Quote], flox.None])
	undoYields = flox.Func(b, "undoYields", plain[flox.Done[Approved, Receipt], Receipt])
)

func askApproval(_ *flox.Context[State], o Order) (flox.Awaiting[Order, Approval], error) {
	return flox.Await(approve, o, 0), nil
}

func right(ctx context.Context, st flox.Store) error {
	flox.Variants[Decision](b, Approved{}, Rejected{})
	split.To(price)
	flox.JoinWith(split, price, sum)
	price.OnFailure(broken)
	flox.JoinWith(split, broken, sum)
	sum.To(decide)
	decide.Route(
		flox.Case(charge).If(func(a Approved) bool { return a.Cents > 0 }),
		flox.Case(decline), flox.Otherwise(flox.End[Decision](b, "rest")))
	charge.OnFailure(refund)
	wf, err := flox.Build(b, split, charge, decline, refund)
	if err != nil {
		return err
	}
	ask.To(answer)
	charge.UndoWith(undoCharge)
	flox.Join2(price, total, both)
	if err := approve.Send(ctx, flox.NewControl(st), "run", Approval{}); err != nil {
		return err
	}
	_, err = flox.Run(ctx, wf, Order{})
	return err
}

var (
	_ = right
	_ = []any{quotes, total, lines, audit, paint, textAnswer, reversed, undoQuote, undoYields}
)
