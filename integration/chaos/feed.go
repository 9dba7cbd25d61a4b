package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/floxrun/flox/integration/load"
	"github.com/floxrun/flox/pkg/flox"
)

// feed starts runs, one after the other, while a scenario does its harm.
type feed struct {
	t       *trial
	ctl     *flox.Control
	stop    context.CancelFunc
	running sync.WaitGroup
	started atomic.Int64
	err     error // of the first start that failed; read after end
}

// Feed starts perSecond runs of the mixed load each second, until End. No start
// may fail.
func (t *trial) Feed(ctx context.Context, perSecond int) (*feed, error) {
	ctl, err := t.Control(ctx)
	if err != nil {
		return nil, err
	}
	return t.feed(ctx, ctl, perSecond), nil
}

// feed is Feed with controls of the caller's.
func (t *trial) feed(ctx context.Context, ctl *flox.Control, perSecond int) *feed {
	inner, stop := context.WithCancel(ctx)
	f := &feed{t: t, ctl: ctl, stop: stop}
	f.running.Go(func() {
		ticker := time.NewTicker(time.Second / time.Duration(perSecond))
		defer ticker.Stop()
		for n := 0; inner.Err() == nil; n++ {
			// What is begun is brought to its end: else nobody knew whether it was.
			if f.err = f.t.Start(ctx, f.ctl, Mixed(n)); f.err != nil {
				return
			}
			f.started.Add(1)
			select {
			case <-ticker.C:
			case <-inner.Done():
			}
		}
	})
	return f
}

// Started is how many runs were started so far.
func (f *feed) Started() int { return int(f.started.Load()) }

// End stops the feed, after at least one run.
func (f *feed) End() error {
	f.stop()
	f.running.Wait()
	return f.err
}

// Mixed is the nth run of the mixed load: fan-outs and joins, chains in a worker's
// hands and with waits in the store, and Awaits that run into their timeout. A
// run takes about half a second.
func Mixed(n int) load.Run {
	id := func(what string) string { return fmt.Sprintf("%s-%d", what, n) }
	switch n % 6 {
	case 0, 1, 2:
		return load.Run{ID: id("mesh"), Workflow: load.MeshName, Input: load.Mesh{Width: 2 + n%9, Nap: 5 + n%20, Flaky: n%4 == 0}}
	case 3:
		return load.Run{ID: id("chain"), Workflow: load.ChainName, Input: load.Chain{Left: 8, Nap: 30}}
	case 4:
		return load.Run{ID: id("timer"), Workflow: load.ChainName, Input: load.Chain{Left: 3, Nap: 10, Wait: 100}}
	default:
		return load.Run{ID: id("ask"), Workflow: load.ApprovalName, Input: load.Ask{Timeout: 300}}
	}
}

// longNap is a run with a step that takes long.
func longNap(n int) load.Run {
	return load.Run{ID: fmt.Sprintf("long-%d", n), Workflow: load.ChainName, Input: load.Chain{Left: 2, Nap: 700}}
}

// Start starts a run and expects it to come to what it should.
func (t *trial) Start(ctx context.Context, ctl *flox.Control, r load.Run) error {
	if err := r.Start(ctx, ctl); err != nil {
		return fmt.Errorf("start of run %s: %w", r.ID, err)
	}
	t.Expect(r.ID, load.Want(r))
	return nil
}
