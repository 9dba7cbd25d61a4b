package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/pkg/flox"
)

// job is the input of the test workflow: fan out over Width parts, two steps
// each, join, end.
type job struct {
	Width int `json:"width"`
}

type part struct {
	Index int `json:"index"`
	Width int `json:"width"`
}

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

// retries is how many attempts of a run of some width fail on purpose.
func retries(width int) int { return (width + 3) / 7 }

// crunch returns the test workflow. Its steps take 10 to 190 ms, so that
// kills land in the middle of them, and one in seven fails at its first attempt.
func crunch() (*flox.Workflow[tally, job, int], error) {
	b := flox.New[tally]("crunch").MaxSteps(10_000).
		Retry(flox.RetryPolicy{MaxAttempts: 6, Backoff: flox.Exponential(10*time.Millisecond, 100*time.Millisecond)})
	split := flox.AddFanout(b, "split", flox.NodeFunc[tally, job, flox.Many[part]](splitJob))
	first := flox.AddFunc(b, "first", firstStep)
	second := flox.AddFunc(b, "second", secondStep).Queue("crunch-second")
	sum := flox.AddFunc(b, "sum", sumUp)
	split.To(first)
	first.To(second)
	second.Join(sum)
	return flox.Build(b, split, sum)
}

func splitJob(ctx *flox.Context[tally], in job) (flox.Fanout[part], error) {
	defer logExecution(ctx)()
	add(ctx, "split", 0)
	parts := make([]part, in.Width)
	for i := range parts {
		parts[i] = part{i, in.Width}
	}
	return flox.NextAll(parts), nil
}

func firstStep(ctx *flox.Context[tally], in part) (flox.Transition[part], error) {
	defer logExecution(ctx)()
	if err := work(ctx, in.Index); err != nil {
		return nil, err
	}
	if in.Index%7 == 3 && ctx.Attempt() == 1 {
		return nil, errors.New("flaky at first")
	}
	add(ctx, "first", in.Index)
	return flox.Next(in), nil
}

func secondStep(ctx *flox.Context[tally], in part) (flox.Transition[result], error) {
	defer logExecution(ctx)()
	if err := work(ctx, in.Index); err != nil {
		return nil, err
	}
	add(ctx, "second", in.Index)
	return flox.Next(result{in.Index, ctx.ItemID()}), nil
}

func sumUp(ctx *flox.Context[tally], in []result) (flox.Transition[int], error) {
	defer logExecution(ctx, items(in)...)()
	add(ctx, "sum", 0)
	total := 0
	for i, r := range in {
		if r.Index != i {
			return flox.Abort[int](fmt.Errorf("result %d is in place %d", r.Index, i)), nil
		}
		total += r.Index
	}
	return flox.Next(total), nil
}

func items(in []result) []string {
	ids := make([]string, len(in))
	for i, r := range in {
		ids[i] = r.Item
	}
	return ids
}

func work(ctx context.Context, i int) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Duration(10+15*(i%13)) * time.Millisecond):
		return nil
	}
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
