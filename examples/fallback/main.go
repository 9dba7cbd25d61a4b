// Command fallback shows where an item goes that failed for good: OnFailure
// leads it, with its input and the reason, to another node, and the run goes on.
// A fallback may have one of its own.
//
//	go run ./examples/fallback
//
// prints
//
//	EUR: 100 EUR are 108 USD (live)
//	GBP: 100 GBP are 125 USD (of yesterday, because: the exchange is closed)
//	XYZ: failed: no rate for XYZ, live or of yesterday
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

// Amount is so much of a currency, Rate what one of it is worth.
type (
	Amount struct {
		Currency string
		Count    float64
	}
	Rate struct {
		Amount Amount
		USD    float64
		Note   string
	}
)

// live asks the exchange. Permanent says that another attempt is of no use, and
// Abort that this is a decision, not an accident; both lead to the fallback.
func live(_ *flox.Context[flox.NoState], a Amount) (flox.Transition[Rate], error) {
	switch a.Currency {
	case "EUR":
		return flox.Next(Rate{a, 1.08, "live"}), nil
	case "GBP":
		return nil, flox.Permanent(errors.New("the exchange is closed"))
	}
	return flox.Abort[Rate](errors.New("not traded")), nil
}

// yesterday stands in for live. It takes what live was given, and why it failed.
func yesterday(_ context.Context, f flox.Failure[Amount]) (Rate, error) {
	if f.Input.Currency != "GBP" {
		return Rate{}, flox.Permanent(errors.New("no rate kept"))
	}
	return Rate{f.Input, 1.25, "of yesterday, because: " + f.Err.Message}, nil
}

func convert(_ context.Context, r Rate) (string, error) {
	return fmt.Sprintf("%g %s are %g USD (%s)", r.Amount.Count, r.Amount.Currency, r.Amount.Count*r.USD, r.Note), nil
}

// giveUp is the fallback of the fallback: it is given the failure of yesterday,
// whose input was the failure of live.
func giveUp(_ context.Context, f flox.Failure[flox.Failure[Amount]]) (string, error) {
	return fmt.Sprintf("failed: no rate for %s, live or of yesterday", f.Input.Input.Currency), nil
}

func exchange() (*flox.Workflow[flox.NoState, Amount, string], error) {
	b := flox.New[flox.NoState]("exchange")
	live := flox.AddFunc(b, "live", live)
	yesterday := flox.Func(b, "yesterday", yesterday)
	convert := flox.Func(b, "convert", convert)
	giveUp := flox.Func(b, "give-up", giveUp)
	live.To(convert).OnFailure(yesterday)
	yesterday.To(convert).OnFailure(giveUp)
	return flox.Build(b, live, convert, giveUp)
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := exchange()
	if err != nil {
		return err
	}
	for _, currency := range []string{"EUR", "GBP", "XYZ"} {
		res, err := flox.Run(ctx, wf, Amount{currency, 100})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %s\n", currency, res.Output)
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
