// Command timeout shows the two limits on time. Timeout is that of one attempt
// at a node: its context ends then, and what it fails of is tried again or goes
// to the fallback. Deadline is that of the whole run, waits included.
//
//	go run ./examples/timeout
//
// prints, within some seconds,
//
//	Oslo: rain
//	Atlantis: no forecast: the service took too long
//	Babel: deadline exceeded: nothing came within 3s
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

const deadline = 3 * time.Second

// forecast asks a service that never answers for Atlantis, and always asks to
// come back later for Babel. Like any call that may take long, it takes the
// context along.
func forecast(ctx context.Context, city string) (string, error) {
	switch city {
	case "Atlantis":
		<-ctx.Done()
		return "", ctx.Err()
	case "Babel":
		return "", flox.RetryAfter(time.Second, errors.New("ask again"))
	}
	return "rain", nil
}

// excuse is the fallback: it sees what kind of failure it was.
func excuse(_ context.Context, f flox.Failure[string]) (string, error) {
	if f.Err.Class == flox.ClassTimeout {
		return "no forecast: the service took too long", nil
	}
	return "no forecast: " + f.Err.Message, nil
}

func weather() (*flox.Workflow[flox.NoState, string, string], error) {
	b := flox.New[flox.NoState]("weather").Deadline(deadline)
	forecast := flox.Func(b, "forecast", forecast).
		Timeout(200 * time.Millisecond).
		Retry(flox.RetryPolicy{MaxAttempts: 10, If: func(err error) bool { return !errors.Is(err, context.DeadlineExceeded) }})
	excuse := flox.Func(b, "excuse", excuse)
	forecast.OnFailure(excuse)
	return flox.Build(b, forecast, forecast, excuse)
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := weather()
	if err != nil {
		return err
	}
	for _, city := range []string{"Oslo", "Atlantis", "Babel"} {
		res, err := flox.Run(ctx, wf, city)
		switch {
		case errors.Is(err, flox.ErrDeadline):
			fmt.Fprintf(out, "%s: %v: nothing came within %v\n", city, flox.ErrDeadline, deadline)
		case err != nil:
			return err
		default:
			fmt.Fprintf(out, "%s: %s\n", city, res.Output)
		}
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
