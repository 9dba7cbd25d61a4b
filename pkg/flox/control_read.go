package flox

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"
)

// Workflow returns a registered workflow. ErrNotFound if there is none of that name.
func (c *Control) Workflow(ctx context.Context, name string) (WorkflowInfo, error) {
	all, err := c.st.Workflows(ctx)
	if err != nil {
		return WorkflowInfo{}, fmt.Errorf("read workflows: %w", err)
	}
	for _, w := range all {
		if w.Name == name {
			return w, nil
		}
	}
	return WorkflowInfo{}, fmt.Errorf("workflow %q: %w", name, ErrNotFound)
}

// Show returns how a run stands. ErrNotFound if there is none of that id.
func (c *Control) Show(ctx context.Context, id string) (RunInfo, error) {
	if err := CheckName("run id", id); err != nil {
		return RunInfo{}, err
	}
	info, err := c.st.Info(ctx, id)
	if err != nil {
		return RunInfo{}, fmt.Errorf("run %s: %w", id, err)
	}
	return info, nil
}

// Errors returns the newest errors of a run, oldest first. ErrNotFound if there
// is none of that id.
func (c *Control) Errors(ctx context.Context, id string) ([]ErrorRecord, error) {
	if err := CheckName("run id", id); err != nil {
		return nil, err
	}
	errs, err := c.st.Errors(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("errors of run %s: %w", id, err)
	}
	return errs, nil
}

// History returns up to limit finished steps of a run in commit order, skipping
// the first from. ErrNotFound if there is none of that id.
func (c *Control) History(ctx context.Context, id string, from, limit int) ([]StepRecord, error) {
	if err := CheckName("run id", id); err != nil {
		return nil, err
	}
	steps, err := c.st.History(ctx, id, from, limit)
	if err != nil {
		return nil, fmt.Errorf("history of run %s: %w", id, err)
	}
	return steps, nil
}

// List returns a page of runs.
func (c *Control) List(ctx context.Context, req ListRequest) (RunPage, error) {
	if req.Limit < 1 {
		return RunPage{}, fmt.Errorf("list: limit %d: want 1 or more", req.Limit)
	}
	if err := req.check(); err != nil {
		return RunPage{}, fmt.Errorf("list: %w", err)
	}
	return c.st.List(ctx, req)
}

// Runs returns all runs that the filter selects, a page at a time: those that
// have not ended, then the completed, the failed, the cancelled, each newest
// first. An error ends it.
func (c *Control) Runs(ctx context.Context, f RunFilter) iter.Seq2[RunInfo, error] {
	return func(yield func(RunInfo, error) bool) {
		for page, err := range c.pages(ctx, f) {
			if err != nil {
				yield(RunInfo{}, err)
				return
			}
			for _, run := range page {
				if !yield(run, nil) {
					return
				}
			}
		}
	}
}

// runsPage is how many runs are read at a time.
const runsPage = 500

// pages are the pages of Runs.
func (c *Control) pages(ctx context.Context, f RunFilter) iter.Seq2[[]RunInfo, error] {
	return func(yield func([]RunInfo, error) bool) {
		for req := (ListRequest{RunFilter: f, Limit: runsPage}); ; {
			page, err := c.List(ctx, req)
			if !yield(page.Runs, err) || err != nil || page.Next == "" {
				return
			}
			req.Cursor = page.Next
		}
	}
}

// Wait blocks until the run has ended or ctx is done, and returns how it
// stands then. ErrNotFound if there is none of that id.
func (c *Control) Wait(ctx context.Context, id string) (RunInfo, error) {
	return c.wait(ctx, id, func() {})
}

// wait is Wait. When it was told that the run may have ended it looks, and calls
// beside at the same time.
func (c *Control) wait(ctx context.Context, id string, beside func()) (RunInfo, error) {
	if err := CheckName("run id", id); err != nil {
		return RunInfo{}, err
	}
	changed, stop := c.watch.run(id)
	defer stop()
	for told := false; ; {
		var side sync.WaitGroup
		if told {
			side.Go(beside)
		}
		info, err := c.st.Info(ctx, id)
		side.Wait()
		if err != nil {
			return info, fmt.Errorf("run %s: %w", id, err)
		}
		if info.Status.Terminal() {
			return info, nil
		}
		asleep := time.Now()
		if err := sleepOr(ctx, pollEvery, changed); err != nil {
			return info, fmt.Errorf("wait for run %s: %w", id, err)
		}
		told = time.Since(asleep) < pollEvery
	}
}

// pollEvery is how often a waiter asks in case an event was lost.
const pollEvery = time.Second

// sleepOr waits for d, changed or the end of ctx, whose error it returns.
func sleepOr(ctx context.Context, d time.Duration, changed <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
	case <-changed:
	}
	return nil
}
