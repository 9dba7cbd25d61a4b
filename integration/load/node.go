package load

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/pkg/flox"
)

// Trace is the state of every run: each item adds its own id once, so that a
// delta that is lost or applied twice shows.
type Trace struct {
	Items flox.List[string] `json:"items"`
}

// node makes a node of what it does: it logs each execution, and each that went
// well adds the item to the state.
func node[I, O any](name string, do flox.NodeFunc[Trace, I, O]) flox.NodeFunc[Trace, I, O] {
	return func(ctx *flox.Context[Trace], in I) (t flox.Transition[O], err error) {
		line := checker.Execution{
			At: now(), Event: checker.Start, Worker: os.Getenv(envProcess),
			Run: ctx.RunID(), Item: ctx.ItemID(), Node: name, Attempt: ctx.Attempt(), Inputs: branches(in),
		}
		write(line)
		ended := false
		defer func() {
			line.At, line.Event, line.Inputs = now(), checker.End, nil
			switch {
			case !ended:
				line.Err = "panic"
			case err != nil:
				line.Err = fmt.Sprintf("%.100s", err)
			}
			write(line)
		}()
		t, err = do(ctx, in)
		if err == nil && Merges("", name) {
			ctx.Merge(Trace{Items: flox.List[string]{ctx.ItemID()}})
		}
		ended = true
		return t, err
	}
}

// Merges reports whether the items of a node add their ids to the state: all but
// those of the one that awaits, whose answer is an item without an execution.
func Merges(_, node string) bool { return node != awaiting }

// now is the time by a clock that is right.
func now() time.Time {
	wrong, _ := strconv.Atoi(os.Getenv(EnvClock))
	return time.Now().Add(-time.Duration(wrong) * time.Second)
}

// branches returns the items that a join was given.
func branches(in any) []string {
	parts, ok := in.([]Part)
	if !ok {
		return nil
	}
	items := make([]string, len(parts))
	for i, p := range parts {
		items[i] = p.Item
	}
	return items
}

// executionLog is the file that all workers of a fleet write to.
var executionLog = sync.OnceValue(func() *os.File {
	f, err := os.OpenFile(os.Getenv(envLog), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		panic(fmt.Sprintf("execution log: %v", err))
	}
	return f
})

func write(line checker.Execution) {
	if _, err := executionLog().Write(line.Line()); err != nil {
		panic(fmt.Sprintf("execution log: %v", err))
	}
}
