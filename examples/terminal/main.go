// Command terminal shows the ways in which a token may end. A node that yields
// None ends it quietly: it gives the run no output, and need not be named as an
// end. So a payment can be shipped, written to the books and made known at once,
// and the run still has one output; it is complete when all three are done.
//
//	go run ./examples/terminal
//
// prints
//
//	output: parcel 7 for Ada
//	done on the side: booked €35.00, newsletter to Ada
//	output: parcel 8 for Bob
//	done on the side: booked €12.00
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// Payment is the input.
type Payment struct {
	Number     int
	Customer   string
	Cents      int
	Newsletter bool
}

// State notes what was done.
type State struct{ Did flox.Set[string] }

func check(_ context.Context, p Payment) (Payment, error) {
	if p.Cents <= 0 {
		return p, flox.Permanent(fmt.Errorf("payment %d is of %d cents", p.Number, p.Cents))
	}
	return p, nil
}

// ship is an end: what it yields is the run's output.
func ship(_ context.Context, p Payment) (string, error) {
	return fmt.Sprintf("parcel %d for %s", p.Number, p.Customer), nil
}

// book and advertise yield None: they are done for what they do.
func book(ctx *flox.Context[State], p Payment) (flox.Transition[flox.None], error) {
	ctx.Merge(State{flox.SetOf(fmt.Sprintf("booked €%d.%02d", p.Cents/100, p.Cents%100))})
	return flox.Next(flox.None{}), nil
}

func advertise(ctx *flox.Context[State], p Payment) (flox.Transition[flox.None], error) {
	if p.Newsletter {
		ctx.Merge(State{flox.SetOf("newsletter to " + p.Customer)})
	}
	return flox.Next(flox.None{}), nil
}

func payment() (*flox.Workflow[State, Payment, string], error) {
	b := flox.New[State]("payment")
	check := flox.Func(b, "check", check)
	ship := flox.Func(b, "ship", ship)
	book := flox.AddFunc(b, "book", book)
	advertise := flox.AddFunc(b, "advertise", advertise)
	check.To(ship, book, advertise) // a copy to each
	return flox.Build(b, check, ship)
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := payment()
	if err != nil {
		return err
	}
	for _, p := range []Payment{{7, "Ada", 3500, true}, {8, "Bob", 1200, false}} {
		res, err := flox.Run(ctx, wf, p)
		if err != nil {
			return err
		}
		did := slices.Sorted(maps.Keys(res.State.Did)) // a Set is a map
		fmt.Fprintf(out, "output: %s\ndone on the side: %s\n", res.Output, strings.Join(did, ", "))
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
