package integration

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/pkg/flox"
)

// tally is the state: every item adds its id and its name once, so that a delta
// applied twice or lost shows.
type tally struct {
	Items flox.List[string] `json:"items"`
	Names flox.List[string] `json:"names"`
}

// add merges what an item adds.
func add(ctx *flox.Context[tally], name string, i int) {
	ctx.Merge(tally{Items: flox.List[string]{ctx.ItemID()}, Names: flox.List[string]{fmt.Sprintf("%s/%d", name, i)}})
}

// result is what a branch comes to its join with.
type result struct {
	Index int    `json:"index"`
	Item  string `json:"item"`
}

func items(in []result) []string {
	ids := make([]string, len(in))
	for i, r := range in {
		ids[i] = r.Item
	}
	return ids
}

// logExecution appends to the file that all workers share that a node begins; what
// it returns appends that it has ended.
func logExecution(ctx *flox.Context[tally], inputs ...string) func() {
	info, _ := flox.InfoFrom(ctx)
	e := checker.Execution{
		Event: checker.Start, Worker: os.Getenv("FLOX_NAME"), Run: ctx.RunID(), Item: ctx.ItemID(), Node: info.Node,
		Attempt: ctx.Attempt(), Inputs: inputs,
	}
	appendLog(e)
	return func() {
		e.Event = checker.End
		if ctx.Err() != nil {
			e.Err = context.Cause(ctx).Error()
		}
		appendLog(e)
	}
}

func appendLog(e checker.Execution) {
	f, err := os.OpenFile(os.Getenv(envLog), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	e.At = time.Now()
	_, _ = f.Write(e.Line())
}
