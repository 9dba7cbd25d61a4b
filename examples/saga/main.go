// Command saga shows how what was done is undone. Each booking has a node that
// undoes it. If a later one fails for good, flox runs these nodes one by one,
// the last booking first, each with its own retries, also when the worker dies
// in between; then the run has failed, and says what was undone.
//
//	go run ./examples/saga
//
// prints
//
//	Ada's trip to Rome: flight FL-1, hotel HO-2, car CA-3
//	Bob's trip to Oslo failed: there is no car in Oslo
//	  booked FL-4, booked HO-5, cancelled HO-5 (there is no car in Oslo), cancelled FL-4 (there is no car in Oslo)
//	  undone: hotel, flight
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"sync/atomic"

	"github.com/floxrun/flox/pkg/flox"
)

// Trip is what a run is given; each booking adds its number.
type Trip struct {
	Traveller, City    string
	Flight, Hotel, Car string
}

// State is the log that the traveller gets.
type State struct{ Log flox.List[string] }

func logged(format string, args ...any) State {
	return State{flox.List[string]{fmt.Sprintf(format, args...)}}
}

// Agency books and cancels. A real one would be given ctx.IdempotencyKey(), so
// that an item which is run again does not book a second time.
type Agency struct{ count atomic.Int64 }

func (a *Agency) book(what, city string) (string, error) {
	if what == "car" && city == "Oslo" {
		return "", flox.Permanent(fmt.Errorf("there is no car in %s", city))
	}
	return fmt.Sprintf("%s-%d", strings.ToUpper(what[:2]), a.count.Add(1)), nil
}

// Book is a node that books one thing; Set says where its number belongs.
type Book struct {
	Agency *Agency
	What   string
	Set    func(t *Trip, number string)
}

func (n *Book) Process(ctx *flox.Context[State], in Trip) (flox.Transition[Trip], error) {
	number, err := n.Agency.book(n.What, in.City)
	if err != nil {
		return nil, err
	}
	ctx.Merge(logged("booked %s", number))
	n.Set(&in, number)
	return flox.Next(in), nil
}

// Cancel undoes a Book. It gets what that was given, what it yielded, and why
// the run failed. If cancelling can fail, it is retried like any node.
type Cancel struct{ Get func(t Trip) (number string) }

func (n *Cancel) Process(ctx *flox.Context[State], done flox.Done[Trip, Trip]) (flox.Transition[flox.None], error) {
	ctx.Merge(logged("cancelled %s (%s)", n.Get(done.Output), done.Cause.Message))
	return flox.Next(flox.None{}), nil
}

func book(agency *Agency) (*flox.Workflow[State, Trip, Trip], error) {
	b := flox.New[State]("trip")
	flight := flox.Add(b, "flight", &Book{agency, "flight", func(t *Trip, no string) { t.Flight = no }})
	hotel := flox.Add(b, "hotel", &Book{agency, "hotel", func(t *Trip, no string) { t.Hotel = no }})
	car := flox.Add(b, "car", &Book{agency, "car", func(t *Trip, no string) { t.Car = no }})
	flight.To(hotel)
	hotel.To(car)
	flight.UndoWith(flox.Add(b, "cancel-flight", &Cancel{func(t Trip) string { return t.Flight }}))
	hotel.UndoWith(flox.Add(b, "cancel-hotel", &Cancel{func(t Trip) string { return t.Hotel }}))
	return flox.Build(b, flight, car)
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := book(&Agency{})
	if err != nil {
		return err
	}
	for _, trip := range []Trip{{Traveller: "Ada", City: "Rome"}, {Traveller: "Bob", City: "Oslo"}} {
		res, err := flox.Run(ctx, wf, trip)
		if failed, ok := errors.AsType[*flox.RunError](err); ok {
			fmt.Fprintf(out, "%s's trip to %s failed: %v\n  %s\n  undone: %s\n", trip.Traveller, trip.City,
				failed.Err, strings.Join(res.State.Log, ", "), strings.Join(failed.Undone, ", "))
			continue
		}
		if err != nil {
			return err
		}
		t := res.Output
		fmt.Fprintf(out, "%s's trip to %s: flight %s, hotel %s, car %s\n", t.Traveller, t.City, t.Flight, t.Hotel, t.Car)
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
