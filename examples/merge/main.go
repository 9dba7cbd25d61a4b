// Command merge shows the state of a run. Nodes do not write it, they add to it:
// each field says how two contributions combine. So parallel nodes need no lock
// and no order, and nothing is lost or counted twice when a worker dies.
//
//	go run ./examples/merge
//
// prints
//
//	6 requests by 3 visitors
//	/cart: 3, /help: 1, /home: 2
//	answered in 12ms to 480ms, 158ms on average
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
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Request is a line of a web server's log.
type Request struct {
	Visitor, Page string
	Took          time.Duration
}

// State is what the logs come to. A struct of fields that merge merges.
type State struct {
	Requests flox.Sum                     // adds up
	Visitors flox.Set[string]             // unites
	Pages    flox.MapOf[string, flox.Sum] // merges key by key
	Took     Times                        // a type of our own
}

// Times is the fastest, the slowest and the sum of some times.
type Times struct {
	Count            int
	Fastest, Slowest time.Duration
	Total            time.Duration
}

// Merge makes Times a field of a state. It must not matter how contributions are
// grouped, the zero value must be "nothing", and a and b stay as they are.
func (a Times) Merge(b Times) Times {
	switch {
	case a.Count == 0:
		return b
	case b.Count == 0:
		return a
	}
	return Times{
		Count:   a.Count + b.Count,
		Fastest: min(a.Fastest, b.Fastest), Slowest: max(a.Slowest, b.Slowest),
		Total: a.Total + b.Total,
	}
}

// count adds one file of the log to the state. Merge may be called often; what
// it is called with takes effect together, when the node is done.
func count(ctx *flox.Context[State], file []Request) (flox.Transition[flox.None], error) {
	for _, r := range file {
		ctx.Merge(State{
			Requests: 1,
			Visitors: flox.SetOf(r.Visitor),
			Pages:    flox.MapOf[string, flox.Sum]{r.Page: 1},
			Took:     Times{1, r.Took, r.Took, r.Took},
		})
	}
	return flox.Next(flox.None{}), nil
}

// analyse counts all files in parallel. The state is the result: there is no
// output, so there is nothing to join.
func analyse() (*flox.Workflow[State, [][]Request, []flox.None], error) {
	b := flox.New[State]("analyse")
	files := flox.Split(b, "files", func(all [][]Request) [][]Request { return all })
	count := flox.AddFunc(b, "count", count)
	files.To(count)
	return flox.BuildAll(b, files, count)
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := analyse()
	if err != nil {
		return err
	}
	monday := []Request{{"ada", "/home", 12 * time.Millisecond}, {"bob", "/cart", 90 * time.Millisecond}}
	tuesday := []Request{{"ada", "/cart", 480 * time.Millisecond}, {"ada", "/cart", 200 * time.Millisecond}}
	wednesday := []Request{{"cyd", "/home", 16 * time.Millisecond}, {"bob", "/help", 150 * time.Millisecond}}
	res, err := flox.Run(ctx, wf, [][]Request{monday, tuesday, wednesday})
	if err != nil {
		return err
	}
	s := res.State
	var pages []string
	for _, p := range slices.Sorted(maps.Keys(s.Pages)) {
		pages = append(pages, fmt.Sprintf("%s: %d", p, s.Pages[p]))
	}
	average := (s.Took.Total / time.Duration(s.Took.Count)).Round(time.Millisecond)
	_, err = fmt.Fprintf(out, "%d requests by %d visitors\n%s\nanswered in %v to %v, %v on average\n",
		s.Requests, len(s.Visitors), strings.Join(pages, ", "), s.Took.Fastest, s.Took.Slowest, average)
	return err
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
