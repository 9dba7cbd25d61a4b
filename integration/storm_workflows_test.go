package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/pkg/flox"
)

// The workflows of the storm. A run's id ends with its number, which is its
// input too and says all that it does: see stormWants.

type ticket struct {
	Number int `json:"number"`
	Index  int `json:"index,omitempty"`
	Turn   int `json:"turn,omitempty"`
}

var approve = flox.NewSignal[string]("approve")

// breaker fails for good what has not failed yet, so that a run fails and can
// be retried. It remembers in Redis, beside flox's keys: workers come and go.
type breaker struct{ rdb *redis.Client }

func newBreaker() (breaker, error) {
	opts, err := redis.ParseURL(os.Getenv("FLOX_REDIS"))
	if err != nil {
		return breaker{}, err
	}
	return breaker{redis.NewClient(opts)}, nil
}

func (b breaker) once(ctx context.Context, what string) error {
	n, err := b.rdb.Incr(ctx, "storm:"+what).Result()
	if err == nil && n == 1 {
		err = flox.Permanent(errors.New("broken once"))
	}
	return err
}

// stormWorkflows returns the definitions that a worker of the storm serves.
func stormWorkflows() ([]flox.Definition, error) {
	b, err := newBreaker()
	if err != nil {
		return nil, err
	}
	var defs []flox.Definition
	for _, make := range []func(breaker) (flox.Definition, error){files, approval, agent, trip, sleeper} {
		def, err := make(b)
		if err != nil {
			return nil, err
		}
		defs = append(defs, def)
	}
	return defs, nil
}

func width(number int) int { return 2 + number%7 }

// step merges its name, and takes 10 to 100 ms.
func step(ctx *flox.Context[tally], name string, t ticket, inputs ...string) error {
	defer logExecution(ctx, inputs...)()
	add(ctx, name, t.Index)
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Duration(10+(31*t.Number+17*t.Index)%90) * time.Millisecond):
		return nil
	}
}

// plain makes a node that does a step and hands on its ticket.
func plain(name string) func(*flox.Context[tally], ticket) (flox.Transition[ticket], error) {
	return func(ctx *flox.Context[tally], t ticket) (flox.Transition[ticket], error) {
		return flox.Next(t), step(ctx, name, t)
	}
}

// files: check, then a fan-out whose branches break once each in some runs, the
// join, and an end.
func files(b breaker) (flox.Definition, error) {
	w := flox.New[tally]("files").Retry(flox.RetryPolicy{MaxAttempts: 3, Backoff: flox.Exponential(20*time.Millisecond, 100*time.Millisecond)})
	check := flox.AddFunc(w, "check", plain("check"))
	split := flox.Split(w, "split", func(t ticket) []ticket {
		parts := make([]ticket, width(t.Number))
		for i := range parts {
			parts[i] = ticket{Number: t.Number, Index: i}
		}
		return parts
	})
	scan := flox.AddFunc(w, "scan", func(ctx *flox.Context[tally], t ticket) (flox.Transition[result], error) {
		if t.Number%3 == 0 && t.Index == 1 {
			if err := b.once(ctx, ctx.RunID()); err != nil {
				return nil, err
			}
		}
		if t.Index == 0 && ctx.Attempt() == 1 {
			return nil, errors.New("flaky at first")
		}
		return flox.Next(result{t.Index, ctx.ItemID()}), step(ctx, "scan", t)
	})
	sum := flox.AddFunc(w, "sum", func(ctx *flox.Context[tally], in []result) (flox.Transition[ticket], error) {
		for i, r := range in {
			if r.Index != i {
				return flox.Abort[ticket](fmt.Errorf("result %d is in place %d", r.Index, i)), nil
			}
		}
		return flox.Next(ticket{Number: len(in)}), step(ctx, "sum", ticket{}, items(in)...)
	})
	end := flox.AddFunc(w, "end", plain("end"))
	check.To(split)
	split.To(scan)
	scan.Join(sum)
	sum.To(end)
	return flox.Build(w, check, end)
}

// approval: waits for a signal; those of some runs time out.
func approval(breaker) (flox.Definition, error) {
	w := flox.New[tally]("approval")
	ask := flox.AddFunc(w, "ask", func(ctx *flox.Context[tally], t ticket) (flox.Awaiting[ticket, string], error) {
		wait := time.Hour
		if t.Number%4 == 0 {
			wait = 2 * time.Second
		}
		return flox.Await(approve, t, wait), step(ctx, "ask", t)
	}).Awaits(approve)
	act := flox.AddFunc(w, "act", func(ctx *flox.Context[tally], a flox.Answer[ticket, string]) (flox.Transition[ticket], error) {
		return flox.Next(a.Carry), step(ctx, "act", a.Carry)
	})
	end := flox.AddFunc(w, "end", plain("end"))
	ask.To(act)
	act.To(end)
	return flox.Build(w, ask, end)
}

// agent: a loop of some turns with timers between them; in some runs a turn
// breaks once.
func agent(b breaker) (flox.Definition, error) {
	w := flox.New[tally]("agent").MaxSteps(1000)
	think := flox.AddFunc(w, "think", func(ctx *flox.Context[tally], t ticket) (flox.Transition[ticket], error) {
		if t.Number%5 == 0 && t.Turn == 2 {
			if err := b.once(ctx, ctx.RunID()); err != nil {
				return nil, err
			}
		}
		err := step(ctx, "think", ticket{Number: t.Number, Index: t.Turn})
		t.Turn++
		return flox.NextAfter(time.Duration(t.Turn)*100*time.Millisecond, t), err
	})
	end := flox.AddFunc(w, "end", plain("end"))
	think.Route(flox.When(func(t ticket) bool { return t.Turn < width(t.Number) }, think), flox.Otherwise(end))
	return flox.Build(w, think, end)
}

// trip: two bookings that can be undone; some runs cannot be paid and undo them.
func trip(breaker) (flox.Definition, error) {
	w := flox.New[tally]("trip")
	undo := func(name string) func(*flox.Context[tally], flox.Done[ticket, ticket]) (flox.Transition[flox.None], error) {
		return func(ctx *flox.Context[tally], d flox.Done[ticket, ticket]) (flox.Transition[flox.None], error) {
			return flox.Next(flox.None{}), step(ctx, name, d.Input)
		}
	}
	flight := flox.AddFunc(w, "flight", plain("flight"))
	hotel := flox.AddFunc(w, "hotel", plain("hotel"))
	pay := flox.AddFunc(w, "pay", func(ctx *flox.Context[tally], t ticket) (flox.Transition[ticket], error) {
		if unpaid(t.Number) {
			return nil, flox.Permanent(errors.New("no money"))
		}
		return flox.Next(t), step(ctx, "pay", t)
	})
	flight.To(hotel)
	hotel.To(pay)
	flight.UndoWith(flox.AddFunc(w, "cancel-flight", undo("cancel-flight")))
	hotel.UndoWith(flox.AddFunc(w, "cancel-hotel", undo("cancel-hotel")))
	return flox.Build(w, flight, pay)
}

// sleeper: a node that sleeps until its run is cancelled.
func sleeper(breaker) (flox.Definition, error) {
	w := flox.New[tally]("sleeper")
	sleep := flox.AddFunc(w, "sleep", func(ctx *flox.Context[tally], t ticket) (flox.Transition[ticket], error) {
		defer logExecution(ctx)()
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(time.Minute):
			return flox.Next(t), nil
		}
	})
	return flox.Build(w, sleep, sleep)
}

func unpaid(number int) bool { return number%3 == 0 }

// stormWants returns the names that the state of a finished run holds, each once.
func stormWants(workflow string, number int) map[string]int {
	want := map[string]int{}
	names := func(name string, n int) {
		for i := range n {
			want[fmt.Sprintf("%s/%d", name, i)] = 1
		}
	}
	switch workflow {
	case "files":
		names("check", 1)
		names("scan", width(number))
		names("sum", 1)
		names("end", 1)
	case "approval":
		names("ask", 1)
		names("act", 1)
		names("end", 1)
	case "agent":
		names("think", width(number))
		names("end", 1)
	case "trip":
		names("flight", 1)
		names("hotel", 1)
		if unpaid(number) {
			names("cancel-flight", 1)
			names("cancel-hotel", 1)
		} else {
			names("pay", 1)
		}
	}
	return want
}
