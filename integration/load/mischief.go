package load

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Mischief is the input of a mischief run: what its first node does each time
// that it is executed.
type Mischief struct {
	Do   string `json:"do"`             // Panics, Exits, ...; "" does no harm
	Size int    `json:"size,omitempty"` // of what Bloats returns, bytes
	Item string `json:"item,omitempty"` // that made it
}

// What a mischief run can do.
const (
	Panics = "panic" // panics
	Exits  = "exit"  // ends its process
	Spins  = "spin"  // goes on for ever and ignores its context
	Bloats = "bloat" // returns Size bytes
	Fails  = "fail"  // fails for good
)

// spinTimeout is what a node of a mischief run may take.
const spinTimeout = time.Second

// MischiefAttempts is how often a node of a mischief run is tried.
const MischiefAttempts = 3

func mischiefWorkflow() (flox.Definition, error) {
	b := flox.New[Trace](MischiefName).
		Retry(flox.RetryPolicy{MaxAttempts: MischiefAttempts, Backoff: flox.Exponential(10*time.Millisecond, 100*time.Millisecond)})
	act := flox.AddFunc(b, "act", node("act", func(ctx *flox.Context[Trace], in Mischief) (flox.Transition[Mischief], error) {
		out, err := misbehave(in)
		out.Item = ctx.ItemID()
		return flox.Next(out), err
	})).Timeout(spinTimeout)
	end := flox.AddFunc(b, "end", node("end", func(ctx *flox.Context[Trace], _ Mischief) (flox.Transition[Sum], error) {
		return flox.Next(Sum{Items: 1, Item: ctx.ItemID()}), nil
	}))
	act.To(end)
	return flox.Build(b, act, end)
}

func misbehave(in Mischief) (Mischief, error) {
	switch in.Do {
	case "":
		return in, nil
	case Panics:
		panic("told to panic")
	case Exits:
		os.Exit(exitCode)
	case Spins:
		for { // asleep, so that the machine's other work gets its time
			time.Sleep(time.Minute)
		}
	case Bloats:
		return Mischief{Do: string(make([]byte, in.Size))}, nil
	case Fails:
		return in, flox.Permanent(errors.New("told to fail"))
	}
	return in, flox.Permanent(fmt.Errorf("unknown mischief %q", in.Do))
}

// exitCode is that of a worker that was ended by a node.
const exitCode = 3
