package flox_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

// Stock is the state of the runs below: what each node adds merges field by
// field, and a map's values merge key by key.
type Stock struct {
	Customer flox.Fixed[string] // the first stays
	Step     flox.Last[string]  // the last wins
	Dearest  flox.Max[int]
	ByItem   flox.MapOf[string, Line]
}

type Line struct {
	Count flox.Sum
	Sizes flox.Set[string]
}

// A state of fields that merge: nodes add what they know, in any order, and
// nobody locks anything.
func ExampleMapOf() {
	b := flox.New[Stock]("order")
	first := flox.AddFunc(b, "first", func(ctx *flox.Context[Stock], in string) (flox.Transition[string], error) {
		ctx.Merge(Stock{
			Customer: flox.FixedOf(in), Step: flox.LastOf("first"), Dearest: flox.MaxOf(300),
			ByItem: flox.MapOf[string, Line]{"sock": {Count: 2, Sizes: flox.SetOf("M")}},
		})
		return flox.Next(in), nil
	})
	second := flox.AddFunc(b, "second", func(ctx *flox.Context[Stock], in string) (flox.Transition[string], error) {
		ctx.Merge(Stock{
			Customer: flox.FixedOf("somebody else"), Step: flox.LastOf("second"), Dearest: flox.MaxOf(200),
			ByItem: flox.MapOf[string, Line]{"sock": {Count: 1, Sizes: flox.SetOf("L")}, "hat": {Count: 1}},
		})
		return flox.Next(in), nil
	})
	first.To(second)
	wf, err := flox.Build(b, first, second)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := flox.Run(context.Background(), wf, "ann")
	if err != nil {
		fmt.Println(err)
		return
	}
	price, known := res.State.Dearest.Get()
	fmt.Println(price, known)
	text, _ := json.Marshal(res.State)
	fmt.Println(string(text))
	// Output:
	// 300 true
	// {"Customer":"ann","Step":"second","Dearest":300,"ByItem":{"hat":{"Count":1,"Sizes":[]},"sock":{"Count":3,"Sizes":["L","M"]}}}
}

// Unset is not the same as zero.
func ExampleMax() {
	var best flox.Max[int]
	fmt.Println(best)
	best = best.Merge(flox.MaxOf(-7))
	fmt.Println(best)
	best = best.Merge(flox.Max[int]{})
	fmt.Println(best.Get())
	// Output:
	// unset
	// -7
	// -7 true
}
