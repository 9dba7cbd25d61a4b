// Command nested shows workflows as nodes of others. Nest puts a workflow where
// a node could stand; its nodes are committed one by one, and add to the same
// state. NestWith does so with a workflow that has a state of its own: of that,
// only what lift makes of it comes out. A nest can have a fallback, like a node.
//
//	go run ./examples/nested
//
// prints
//
//	order 1: delivered in 2 parcels to Elm Street
//	  postage €14.00; checked, packed, labelled
//	order 2: refunded: no courier goes to the North Pole at deliver/courier
//	  postage €6.00; checked, packed, labelled
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// Order is the input; packing finds out how many parcels it is.
type Order struct {
	ID      int
	Address string
	Kilos   int
	Parcels int
}

// State is the order's, Weights the packing room's.
type (
	State struct {
		Postage flox.Sum
		Did     flox.List[string]
	}
	Weights struct{ Parcels, Kilos flox.Sum }
)

// note is a node that notes what it did, and hands its input on.
func note[T any](b *flox.Builder[State], name, text string) flox.Ref[T, T] {
	return flox.AddFunc(b, name, func(ctx *flox.Context[State], in T) (flox.Transition[T], error) {
		ctx.Merge(State{Did: flox.List[string]{text}})
		return flox.Next(in), nil
	})
}

// packing splits an order into parcels of at most 5 kg. It knows nothing of the
// orders' state, so that other workflows can use it too.
func packing() (*flox.Workflow[Weights, Order, Order], error) {
	b := flox.New[Weights]("packing")
	split := flox.Split(b, "split", func(o Order) []int {
		var parcels []int
		for left := o.Kilos; left > 0; left -= 5 {
			parcels = append(parcels, min(left, 5))
		}
		return parcels
	})
	weigh := flox.AddFunc(b, "weigh", func(ctx *flox.Context[Weights], kilos int) (flox.Transition[int], error) {
		ctx.Merge(Weights{Parcels: 1, Kilos: flox.Sum(kilos)})
		return flox.Next(kilos), nil
	})
	load := flox.AddFunc(b, "load", func(ctx *flox.Context[Weights], in flox.Joined[Order, int]) (flox.Transition[Order], error) {
		in.Input.Parcels = int(ctx.State().Parcels)
		return flox.Next(in.Input), nil
	})
	split.To(weigh)
	flox.JoinWith(split, weigh, load)
	return flox.Build(b, split, load)
}

// delivery shares the order's state.
func delivery() (*flox.Workflow[State, Order, string], error) {
	b := flox.New[State]("delivery")
	label := note[Order](b, "label", "labelled")
	courier := flox.Func(b, "courier", func(_ context.Context, o Order) (string, error) {
		if o.Address == "North Pole" {
			return "", flox.Permanent(errors.New("no courier goes to the North Pole"))
		}
		return fmt.Sprintf("delivered in %d parcels to %s", o.Parcels, o.Address), nil
	})
	label.To(courier)
	return flox.Build(b, label, courier)
}

func order() (*flox.Workflow[State, Order, string], error) {
	packing, err := packing()
	if err != nil {
		return nil, err
	}
	delivery, err := delivery()
	if err != nil {
		return nil, err
	}
	b := flox.New[State]("order")
	check := note[Order](b, "check", "checked")
	pack := flox.NestWith(b, "pack", packing, func(w Weights) State { // the final Weights of one visit
		return State{Postage: 200 * w.Kilos, Did: flox.List[string]{"packed"}}
	})
	deliver := flox.Nest(b, "deliver", delivery)
	refund := flox.Func(b, "refund", func(_ context.Context, f flox.Failure[Order]) (string, error) {
		return fmt.Sprintf("refunded: %s at %s", f.Err.Message, f.Node), nil
	})
	check.To(pack)
	pack.To(deliver)
	deliver.OnFailure(refund) // whatever fails in there
	return flox.Build(b, check, deliver, refund)
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := order()
	if err != nil {
		return err
	}
	for _, o := range []Order{{ID: 1, Address: "Elm Street", Kilos: 7}, {ID: 2, Address: "North Pole", Kilos: 3}} {
		res, err := flox.Run(ctx, wf, o)
		if err != nil {
			return err
		}
		cents := res.State.Postage
		fmt.Fprintf(out, "order %d: %s\n  postage €%d.%02d; %s\n",
			o.ID, res.Output, cents/100, cents%100, strings.Join(res.State.Did, ", "))
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
