// Command retry shows the two ways to try again. A RetryPolicy on a node is
// durable: the wait is kept by the store, no worker waits meanwhile, and the
// count survives them. The Retry wrapper tries again inside one item, which is
// cheaper, for waits so short that a commit is not worth it; if its worker dies,
// it counts anew.
//
//	go run ./examples/retry
//
// prints, within some seconds,
//
//	rate: answered at attempt 3 within the item
//	charge: went through at attempt 3 of the item
//	Ada paid 108.00
//	rate: answered at attempt 3 within the item
//	failed: node charge: attempt 1: the card is stolen
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Sale is the input, Payment what becomes of it.
type (
	Sale    struct{ Customer string }
	Payment struct {
		Customer string
		Cents    int
	}
)

var (
	errBusy   = errors.New("busy")
	errClosed = errors.New("closed")
	errStolen = errors.New("the card is stolen")
)

// Rates is busy at the first two attempts.
type Rates struct{ out io.Writer }

func (n *Rates) Process(ctx *flox.Context[flox.NoState], in Sale) (flox.Transition[Payment], error) {
	if ctx.Attempt() < 3 {
		return nil, errBusy
	}
	fmt.Fprintf(n.out, "rate: answered at attempt %d within the item\n", ctx.Attempt())
	return flox.Next(Payment{in.Customer, 10800}), nil
}

// Bank is closed at the first two attempts.
type Bank struct{ out io.Writer }

func (n *Bank) Process(ctx *flox.Context[flox.NoState], in Payment) (flox.Transition[string], error) {
	switch {
	case in.Customer == "Mallory":
		return nil, errStolen
	case ctx.Attempt() == 1:
		return nil, errClosed // waits as the policy says
	case ctx.Attempt() == 2:
		return nil, flox.RetryAfter(2*time.Second, errClosed) // waits as the bank says
	}
	fmt.Fprintf(n.out, "charge: went through at attempt %d of the item\n", ctx.Attempt())
	return flox.Next(fmt.Sprintf("%s paid %d.%02d", in.Customer, in.Cents/100, in.Cents%100)), nil
}

func sell(out io.Writer) (*flox.Workflow[flox.NoState, Sale, string], error) {
	b := flox.New[flox.NoState]("sell")
	soon := flox.RetryPolicy{MaxAttempts: 3, Backoff: flox.Linear(10*time.Millisecond, time.Second)}
	rate := flox.Add(b, "rate", flox.Retry(&Rates{out}, soon)).
		Retry(flox.RetryPolicy{MaxAttempts: 1}) // the wrapper is all
	charge := flox.Add(b, "charge", &Bank{out}).Retry(flox.RetryPolicy{
		MaxAttempts: 5,
		Backoff:     flox.Exponential(time.Second, time.Minute), // at most 1 s, 2 s, 4 s: the real wait is drawn
		Budget:      time.Hour,
		If:          func(err error) bool { return !errors.Is(err, errStolen) },
	})
	rate.To(charge)
	return flox.Build(b, rate, charge)
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := sell(out)
	if err != nil {
		return err
	}
	for _, customer := range []string{"Ada", "Mallory"} {
		res, err := flox.Run(ctx, wf, Sale{customer})
		failed, ok := errors.AsType[*flox.RunError](err)
		switch {
		case ok:
			fmt.Fprintln(out, "failed:", failed.Cause)
		case err != nil:
			return err
		default:
			fmt.Fprintln(out, res.Output)
		}
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
