package flox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

const (
	// DefaultBulk is how many runs Control.Bulk and StartMany work on at once.
	DefaultBulk = 32
	bulkErrors  = 8 // errors kept to be returned
)

// BulkConfig says how Control.Bulk goes about it. The zero value takes all runs
// that the filter selects.
type BulkConfig struct {
	// Limit is the most runs to take, the newest of each status first; zero is no limit.
	Limit int
	// Concurrency is how many runs are worked on at once; zero is DefaultBulk.
	Concurrency int
	// DryRun counts and changes nothing.
	DryRun bool
	// From is the node from which failed runs are retried, see Control.RetryFrom.
	From string
	// Progress, if it is set, is called after each page of runs read and each run
	// done, by one goroutine at a time. It must not block, nor keep Matched.
	Progress func(BulkResult)
}

// BulkResult says what a Bulk came to.
type BulkResult struct {
	Matched map[string]map[Status]int64 // runs found so far, by workflow and status
	Total   int64                       // runs found so far
	Done    int64                       // of these: changed or deleted
	Skipped int64                       // had changed meanwhile: they are gone, or of a status that the operation does not take
	Failed  int64                       // could not be changed
}

// Bulk does an operation to every run that the filter selects and whose status
// the operation takes: pause, resume, cancel, retry or delete. It goes from the
// newest to the oldest and so comes to an end on a live system, too: what comes
// into the selection behind it is not taken, such as a run that fails again as
// soon as it is retried.
//
// A run that cannot be changed is counted and keeps none from the others; the
// error joins those of the first few. Bulk ends early with the cause of ctx, or an
// error of reading the runs. The result says in any case how far it came.
func (c *Control) Bulk(ctx context.Context, op ControlOp, f RunFilter, cfg *BulkConfig) (BulkResult, error) {
	b := bulk{c: c, op: op, cfg: BulkConfig{}}
	if cfg != nil {
		b.cfg = *cfg
	}
	b.cfg.Concurrency = cmp.Or(b.cfg.Concurrency, DefaultBulk)
	b.result.Matched = map[string]map[Status]int64{}
	if err := b.check(); err != nil {
		return b.result, err
	}
	if err := f.check(); err != nil {
		return b.result, fmt.Errorf("bulk %s: %w", op, err)
	}
	f.Statuses = narrow(f.Statuses, op.Takes())
	if len(f.Statuses) == 0 {
		return b.result, nil
	}
	return b.run(ctx, f)
}

// narrow returns what is in both, all of takes if nothing is asked for.
func narrow(asked, takes []Status) []Status {
	if len(asked) == 0 {
		return takes
	}
	return slices.DeleteFunc(slices.Clone(takes), func(s Status) bool { return !slices.Contains(asked, s) })
}

// bulk is one Bulk under way.
type bulk struct {
	c   *Control
	op  ControlOp
	cfg BulkConfig

	mu     sync.Mutex
	result BulkResult
	errs   []error
}

func (b *bulk) check() error {
	switch {
	case len(b.op.Takes()) == 0:
		return fmt.Errorf("bulk %q: want pause, resume, cancel, retry or delete", b.op)
	case b.cfg.Limit < 0:
		return fmt.Errorf("bulk %s: limit %d: want zero or more", b.op, b.cfg.Limit)
	case b.cfg.Concurrency < 0:
		return fmt.Errorf("bulk %s: concurrency %d: want zero or more", b.op, b.cfg.Concurrency)
	case b.cfg.From != "" && b.op != ControlRetry:
		return fmt.Errorf("bulk %s: from node %q: want that of a retry alone", b.op, b.cfg.From)
	}
	return nil
}

func (b *bulk) run(ctx context.Context, f RunFilter) (BulkResult, error) {
	slots := make(chan struct{}, b.cfg.Concurrency)
	var runs sync.WaitGroup
	err := b.each(ctx, f, func(run RunInfo) {
		select {
		case <-ctx.Done():
		case slots <- struct{}{}:
			runs.Go(func() {
				defer func() { <-slots }()
				b.one(ctx, run.ID)
			})
		}
	})
	runs.Wait()
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if more := b.result.Failed - int64(len(b.errs)); more > 0 {
		b.errs = append(b.errs, fmt.Errorf("and %d more", more))
	}
	return b.result, errors.Join(append(b.errs, err)...)
}

// each takes the runs that f selects, as many as the limit allows.
func (b *bulk) each(ctx context.Context, f RunFilter, take func(RunInfo)) error {
	for page, err := range b.c.pages(ctx, f) {
		if err != nil {
			return fmt.Errorf("%s: %w", b.op, err)
		}
		if b.cfg.Limit > 0 {
			page = page[:min(int64(len(page)), int64(b.cfg.Limit)-b.result.Total)]
		}
		b.match(page)
		for _, run := range page {
			if !b.cfg.DryRun {
				take(run)
			}
		}
		if b.cfg.Limit > 0 && b.result.Total == int64(b.cfg.Limit) || ctx.Err() != nil {
			return nil
		}
	}
	return nil
}

// match counts the runs of a page.
func (b *bulk) match(page []RunInfo) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, run := range page {
		if b.result.Matched[run.Workflow] == nil {
			b.result.Matched[run.Workflow] = map[Status]int64{}
		}
		b.result.Matched[run.Workflow][run.Status]++
		b.result.Total++
	}
	b.report()
}

// one does the operation to a run. How it went with one during which ctx ended
// is not known.
func (b *bulk) one(ctx context.Context, run string) {
	err := b.c.apply(ctx, run, b.op, b.cfg.From)
	if err != nil && ctx.Err() != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case err == nil:
		b.result.Done++
	case b.moved(err):
		b.result.Skipped++
	default:
		b.result.Failed++
		if len(b.errs) < bulkErrors {
			b.errs = append(b.errs, err)
		}
	}
	b.report()
}

// moved reports whether err says that a run has changed since it was found.
func (b *bulk) moved(err error) bool {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return !slices.Contains(b.op.Takes(), refused.Status)
	}
	return errors.Is(err, ErrNotFound)
}

// report tells of progress. b.mu is held.
func (b *bulk) report() {
	if b.cfg.Progress != nil {
		b.cfg.Progress(b.result)
	}
}
