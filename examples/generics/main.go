// Command generics shows one generic node used at two types. The compiler knows
// what each use takes and yields, so a log of orders cannot be led to the node
// that books refunds.
//
//	go run ./examples/generics
//
// prints
//
//	orders: 2 taken, the largest of €58.00; left out: ["line 2 (no customer is named)"]
//	refunds: 1 paid, €12.00 in all; left out: ["line 2 (unexpected end of JSON input)"]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// Checked is what Parse asks of a type.
type Checked interface{ Check() error }

// Order and Refund are two such types.
type (
	Order struct {
		Customer string
		Cents    int
	}
	Refund struct {
		Order int
		Cents int
	}
)

func (o Order) Check() error {
	if o.Customer == "" {
		return errors.New("no customer is named")
	}
	return nil
}

func (r Refund) Check() error {
	if r.Cents <= 0 {
		return fmt.Errorf("refund of %d cents", r.Cents)
	}
	return nil
}

// Parse is a node that makes values of any Checked type of lines of JSON.
type Parse[T Checked] struct{ MaxErrors int }

// Parsed is what it yields.
type Parsed[T any] struct {
	Values  []T
	LeftOut []string
}

func (n *Parse[T]) Process(_ *flox.Context[flox.NoState], lines []string) (flox.Transition[Parsed[T]], error) {
	var out Parsed[T]
	for i, line := range lines {
		var v T
		err := json.Unmarshal([]byte(line), &v)
		if err == nil {
			err = v.Check()
		}
		if err != nil {
			out.LeftOut = append(out.LeftOut, fmt.Sprintf("line %d (%v)", i+1, err))
			continue
		}
		out.Values = append(out.Values, v)
	}
	if len(out.LeftOut) > n.MaxErrors {
		return nil, flox.Permanent(fmt.Errorf("%d of %d lines are wrong", len(out.LeftOut), len(lines)))
	}
	return flox.Next(out), nil
}

func sell(_ context.Context, in Parsed[Order]) (string, error) {
	if len(in.Values) == 0 {
		return "no orders", nil
	}
	largest := slices.MaxFunc(in.Values, func(a, b Order) int { return a.Cents - b.Cents })
	return fmt.Sprintf("%d taken, the largest of %s; left out: %q", len(in.Values), euros(largest.Cents), in.LeftOut), nil
}

func payBack(_ context.Context, in Parsed[Refund]) (string, error) {
	total := 0
	for _, r := range in.Values {
		total += r.Cents
	}
	return fmt.Sprintf("%d paid, %s in all; left out: %q", len(in.Values), euros(total), in.LeftOut), nil
}

func euros(cents int) string { return fmt.Sprintf("€%d.%02d", cents/100, cents%100) }

// intake is a generic function that builds a workflow of a generic node.
func intake[T Checked](name string, book func(context.Context, Parsed[T]) (string, error)) (*flox.Workflow[flox.NoState, []string, string], error) {
	b := flox.New[flox.NoState](name)
	parse := flox.Add(b, "parse", &Parse[T]{MaxErrors: 1})
	done := flox.Func(b, "book", book)
	parse.To(done)
	return flox.Build(b, parse, done)
}

func run(ctx context.Context, out io.Writer) error {
	orders, err := intake("orders", sell)
	if err != nil {
		return err
	}
	refunds, err := intake("refunds", payBack)
	if err != nil {
		return err
	}
	for _, batch := range []struct {
		wf    *flox.Workflow[flox.NoState, []string, string]
		lines []string
	}{
		{orders, []string{`{"Customer":"Ada","Cents":5800}`, `{"Cents":100}`, `{"Customer":"Bob","Cents":900}`}},
		{refunds, []string{`{"Order":1,"Cents":1200}`, `{"Order":2,`}},
	} {
		res, err := flox.Run(ctx, batch.wf, batch.lines)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %s\n", batch.wf.Name(), res.Output)
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
