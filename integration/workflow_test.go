package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

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

// tally is the state: every item adds its name once, so that a delta applied
// twice or lost shows.
type tally struct {
	Items flox.List[string] `json:"items"`
	Count flox.Sum          `json:"count"`
}

func (t tally) of(name string, i int) tally {
	return tally{Items: flox.List[string]{fmt.Sprintf("%s/%d", name, i)}, Count: 1}
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
	logExecution(ctx.RunID(), ctx.ItemID())
	ctx.Merge(tally{}.of("split", 0))
	parts := make([]part, in.Width)
	for i := range parts {
		parts[i] = part{i, in.Width}
	}
	return flox.NextAll(parts), nil
}

func firstStep(ctx *flox.Context[tally], in part) (flox.Transition[part], error) {
	logExecution(ctx.RunID(), ctx.ItemID())
	if err := work(ctx, in.Index); err != nil {
		return nil, err
	}
	if in.Index%7 == 3 && ctx.Attempt() == 1 {
		return nil, errors.New("flaky at first")
	}
	ctx.Merge(tally{}.of("first", in.Index))
	return flox.Next(in), nil
}

func secondStep(ctx *flox.Context[tally], in part) (flox.Transition[int], error) {
	logExecution(ctx.RunID(), ctx.ItemID())
	if err := work(ctx, in.Index); err != nil {
		return nil, err
	}
	ctx.Merge(tally{}.of("second", in.Index))
	return flox.Next(in.Index), nil
}

func sumUp(ctx *flox.Context[tally], in []int) (flox.Transition[int], error) {
	logExecution(ctx.RunID(), ctx.ItemID())
	ctx.Merge(tally{}.of("sum", 0))
	total := 0
	for i, v := range in {
		if v != i {
			return flox.Abort[int](fmt.Errorf("result %d is in place %d", v, i)), nil
		}
		total += v
	}
	return flox.Next(total), nil
}

func work(ctx context.Context, i int) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Duration(10+15*(i%13)) * time.Millisecond):
		return nil
	}
}

// logExecution appends a line to the file that all workers share. One write of
// a short line to a file opened with O_APPEND is not torn.
func logExecution(run, item string) {
	f, err := os.OpenFile(os.Getenv(envLog), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "%s %s\n", run, item)
}
