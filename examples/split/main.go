// Command split shows a fan-out and its join: Split makes many tokens of one,
// which are worked on in parallel, on as many workers as there are; Join runs
// once, when all have come, with the results in the order of the input.
//
//	go run ./examples/split
//
// prints
//
//	offer for Ada:
//	  2 x lamp   58.00
//	  1 x table 120.00
//	  4 x chair 200.00
//	  total     378.00
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// Request is what a customer asks for.
type Request struct {
	Customer string
	Lines    []Line
}

// Line is one position of it, Priced the same with its price.
type (
	Line struct {
		Article string
		Count   int
	}
	Priced struct {
		Line  Line
		Cents int
	}
)

func lines(r Request) []Line { return r.Lines }

// Price looks prices up. It is asked for many lines at a time, so whatever it
// depends on must be safe for concurrent use; a map that nobody writes is.
type Price struct{ List map[string]int }

func (n *Price) Process(_ *flox.Context[flox.NoState], in Line) (flox.Transition[Priced], error) {
	cents, ok := n.List[in.Article]
	if !ok {
		return nil, flox.Permanent(fmt.Errorf("no price for %s", in.Article))
	}
	return flox.Next(Priced{in, cents * in.Count}), nil
}

// offer gets the prices, and what was split as well: that is what JoinWith adds
// to Join.
func offer(_ context.Context, in flox.Joined[Request, Priced]) (string, error) {
	var text strings.Builder
	fmt.Fprintf(&text, "offer for %s:\n", in.Input.Customer)
	total := 0
	for _, p := range in.Outputs {
		total += p.Cents
		fmt.Fprintf(&text, "  %d x %-5s %6s\n", p.Line.Count, p.Line.Article, money(p.Cents))
	}
	fmt.Fprintf(&text, "  total     %6s\n", money(total))
	return text.String(), nil
}

func money(cents int) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

func quote(prices map[string]int) (*flox.Workflow[flox.NoState, Request, string], error) {
	b := flox.New[flox.NoState]("quote")
	split := flox.Split(b, "split", lines)
	price := flox.Add(b, "price", &Price{List: prices})
	offer := flox.Func(b, "offer", offer)
	split.To(price)
	flox.JoinWith(split, price, offer) // price.Join(offer) would hand it the prices alone
	return flox.Build(b, split, offer)
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := quote(map[string]int{"lamp": 2900, "table": 12000, "chair": 5000})
	if err != nil {
		return err
	}
	res, err := flox.Run(ctx, wf, Request{"Ada", []Line{{"lamp", 2}, {"table", 1}, {"chair", 4}}})
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, res.Output)
	return err
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
