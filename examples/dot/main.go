// Command dot shows that a workflow is data: it draws itself for Graphviz (DOT)
// and for Markdown (Mermaid), always in the same words, so that a drawing can be
// kept beside the code and compared. What it draws is not run.
//
//	go run ./examples/dot                          # both
//	go run ./examples/dot | dot -Tsvg > order.svg  # dot reads the first
//
// It prints a "digraph" and a "flowchart". The command orchestrator graph does so
// for a workflow that workers have registered, draws SVG as well, and shows how a
// run stands.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/floxrun/flox/pkg/flox"
)

// What travels along the edges.
type (
	Order    struct{ Lines []Line }
	Line     struct{ Article string }
	Priced   struct{ Cents int }
	Decision interface{ VariantOf(Decision) }
	Accepted struct{ Cents int }
	Declined struct{ Reason string }
	Receipt  struct{ Number string }
)

func (Accepted) VariantOf(Decision) {}
func (Declined) VariantOf(Decision) {}

// todo stands for functions that somebody has yet to write: a drawing does not
// need them.
func todo[I, O any](_ context.Context, _ I) (out O, err error) { return out, nil }

func order() (*flox.Workflow[flox.NoState, Order, Receipt], error) {
	b := flox.New[flox.NoState]("order")
	split := flox.Split(b, "split", func(o Order) []Line { return o.Lines })
	price := flox.Func(b, "price", todo[Line, Priced])
	total := flox.Func(b, "total", todo[[]Priced, Decision])
	charge := flox.Func(b, "charge", todo[Accepted, Receipt])
	refund := flox.Func(b, "refund", todo[flox.Done[Accepted, Receipt], flox.None])
	ship := flox.Func(b, "ship", todo[Receipt, Receipt])
	mail := flox.Func(b, "mail", todo[Receipt, flox.None])
	apologise := flox.Func(b, "apologise", todo[flox.Failure[Accepted], Receipt])
	decline := flox.Func(b, "decline", todo[Declined, Receipt])

	flox.Variants[Decision](b, Accepted{}, Declined{})
	split.To(price)
	price.Join(total)
	total.Route(flox.Case(charge), flox.Case(decline))
	charge.To(ship, mail).OnFailure(apologise).UndoWith(refund)
	return flox.Build(b, split, ship, decline, apologise)
}

func run(_ context.Context, out io.Writer) error {
	wf, err := order()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n%s", wf.DOT(), wf.Mermaid())
	return err
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
