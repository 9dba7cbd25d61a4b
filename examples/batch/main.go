// Command batch shows a node that works on a whole list: for many short pieces
// of work that are not worth a token and a commit each. Batch fails if one piece
// does; BatchSome hands the failures on beside what succeeded.
//
//	go run ./examples/batch
//
// prints
//
//	3 of 4 addresses located:
//	  Abbey Road 3, 2 km from the depot
//	  Baker Street 221b, 1 km from the depot
//	  Downing Street 10, 4 km from the depot
//	not found: Diagon Alley 93 (no such street)
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// Place is an address and where it is.
type Place struct {
	Address  string
	Lat, Lon float64
}

// State collects what went wrong, for people to see to.
type State struct{ NotFound flox.List[string] }

// Locate finds one address. Batch and BatchSome make a node of lists of it.
type Locate struct{ Map map[string][2]float64 }

func (n *Locate) Process(_ *flox.Context[State], address string) (flox.Transition[Place], error) {
	at, ok := n.Map[address]
	if !ok {
		return nil, errors.New("no such street")
	}
	return flox.Next(Place{address, at[0], at[1]}), nil
}

// Leg is a place and how far it is from the depot, in whole kilometres.
type Leg struct {
	Place Place
	Km    int
}

// Distance measures one leg.
type Distance struct{ Lat, Lon float64 }

func (n *Distance) Process(_ *flox.Context[State], p Place) (flox.Transition[Leg], error) {
	const degree = 111.2 // km
	north, east := p.Lat-n.Lat, (p.Lon-n.Lon)*math.Cos(n.Lat*math.Pi/180)
	return flox.Next(Leg{p, int(math.Round(degree * math.Hypot(north, east)))}), nil
}

// sort goes on with the places found, and notes the others.
func sort(ctx *flox.Context[State], in flox.Batched[string, Place]) (flox.Transition[[]Place], error) {
	for _, f := range in.Failures {
		ctx.Merge(State{NotFound: flox.List[string]{fmt.Sprintf("%s (%s)", f.Input, f.Err.Message)}})
	}
	return flox.Next(in.Outputs), nil
}

func plan() (*flox.Workflow[State, []string, []Leg], error) {
	b := flox.New[State]("plan")
	streets := &Locate{Map: map[string][2]float64{
		"Abbey Road 3": {51.532, -0.177}, "Baker Street 221b": {51.523, -0.158}, "Downing Street 10": {51.503, -0.127},
	}}
	depot := &Distance{51.517, -0.177}
	locate := flox.Add(b, "locate", flox.BatchSome(streets, 8)) // at most 8 at a time
	sort := flox.AddFunc(b, "sort", sort)
	measure := flox.Add(b, "measure", flox.Batch(depot, 8))
	locate.To(sort)
	sort.To(measure)
	return flox.Build(b, locate, measure)
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := plan()
	if err != nil {
		return err
	}
	addresses := []string{"Abbey Road 3", "Baker Street 221b", "Diagon Alley 93", "Downing Street 10"}
	res, err := flox.Run(ctx, wf, addresses)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d of %d addresses located:\n", len(res.Output), len(addresses))
	for _, leg := range res.Output {
		fmt.Fprintf(out, "  %s, %d km from the depot\n", leg.Place.Address, leg.Km)
	}
	_, err = fmt.Fprintln(out, "not found:", strings.Join(res.State.NotFound, ", "))
	return err
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
