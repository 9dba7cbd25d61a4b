package flox

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"sync"
)

// StartItem is a run for Control.StartMany to start.
type StartItem struct {
	// ID makes the run one that is started once, however often it is asked for;
	// "" is for a fresh one.
	ID      string
	Input   []byte // JSON
	Options []StartOption
	// Source says in errors where the item comes from, such as "line 12".
	Source string
	// Done, if it is set, is called when the store has answered: created is false
	// for an error, and if the run was there already. It must not block, and many
	// may be called at once. It is not called for items behind one that failed.
	Done func(created bool, err error)
}

// from adds to an error where the item comes from.
func (i StartItem) from(err error) error {
	if err == nil || i.Source == "" {
		return err
	}
	return fmt.Errorf("%s: %w", i.Source, err)
}

// StartManyConfig says how Control.StartMany goes about it.
type StartManyConfig struct {
	// Concurrency is how many starts are under way at once; zero is DefaultBulk.
	Concurrency int
	// Progress, if it is set, is called after each start, by one goroutine at a
	// time. It must not block.
	Progress func(StartManyResult)
}

// StartManyResult says what a StartMany came to.
type StartManyResult struct {
	Started int64 // runs started
	Existed int64 // ids that runs of the workflow had already
}

// StartMany starts a run of a registered workflow for each of items, see Start.
// An id that a run of the workflow has already is counted and starts nothing: so
// the same items may be given again after a stop, and only what is missing is
// started.
//
// StartMany stops at the first item that cannot be started, or that is an error:
// all before it are started then; of those behind it less than Concurrency may be,
// if only the store could tell that the item is bad. It ends early with the cause
// of ctx, as soon as items yields or ends. The result says in any case how far it
// came.
func (c *Control) StartMany(ctx context.Context, workflow string, items iter.Seq2[StartItem, error], cfg *StartManyConfig) (StartManyResult, error) {
	m := starter{c: c}
	if cfg != nil {
		m.cfg = *cfg
	}
	m.cfg.Concurrency = cmp.Or(m.cfg.Concurrency, DefaultBulk)
	if m.cfg.Concurrency < 0 {
		return m.result, fmt.Errorf("start many: concurrency %d: want zero or more", m.cfg.Concurrency)
	}
	var err error
	if m.info, err = c.Workflow(ctx, workflow); err != nil {
		return m.result, err
	}
	m.run(ctx, items)
	if ctx.Err() != nil {
		return m.result, context.Cause(ctx)
	}
	return m.result, m.err
}

// starter is one StartMany under way.
type starter struct {
	c    *Control
	info WorkflowInfo
	cfg  StartManyConfig

	mu     sync.Mutex
	result StartManyResult
	first  int // index of the first item that failed
	err    error
}

// run starts items in their order. An item waits for the one Concurrency before
// it, so that no start which takes long is left behind.
func (m *starter) run(ctx context.Context, items iter.Seq2[StartItem, error]) {
	var starts sync.WaitGroup
	defer starts.Wait()
	window := make([]chan struct{}, m.cfg.Concurrency)
	n := 0
	for item, err := range items {
		if err == nil {
			err = item.from(checkJSON(item.Input))
		}
		if err != nil {
			m.fail(n, err)
			return
		}
		if before := window[n%len(window)]; before != nil {
			<-before
		}
		if m.failed() || ctx.Err() != nil {
			return
		}
		at, done := n, make(chan struct{})
		window[n%len(window)] = done
		starts.Go(func() {
			defer close(done)
			m.one(ctx, at, item)
		})
		n++
	}
}

// one starts the item with index n.
func (m *starter) one(ctx context.Context, n int, item StartItem) {
	opts := item.Options
	if item.ID != "" {
		opts = append([]StartOption{WithID(item.ID), IfExists()}, opts...)
	}
	_, created, err := m.c.start(ctx, m.info, jsonPayload(item.Input), opts)
	if item.Done != nil {
		item.Done(created, err)
	}
	if err != nil {
		m.fail(n, item.from(err))
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if created {
		m.result.Started++
	} else {
		m.result.Existed++
	}
	if m.cfg.Progress != nil {
		m.cfg.Progress(m.result)
	}
}

// fail keeps the error of the first item that failed.
func (m *starter) fail(n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil || n < m.first {
		m.first, m.err = n, err
	}
}

func (m *starter) failed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err != nil
}
