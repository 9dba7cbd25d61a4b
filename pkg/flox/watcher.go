package flox

import (
	"context"
	"sync"
)

// watcher shares one subscription to the store's events among any number of
// waiters; it is subscribed only while somebody waits.
type watcher struct {
	st     MetricsStore
	mu     sync.Mutex
	byRun  map[string]map[chan struct{}]bool
	cancel context.CancelFunc // of the subscription, nil if there is none
}

func newWatcher(st MetricsStore) *watcher {
	return &watcher{st: st, byRun: map[string]map[chan struct{}]bool{}}
}

// run returns a channel that receives when the run's status may have changed.
// The caller calls stop when it waits no more.
func (w *watcher) run(id string) (changed <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byRun[id] == nil {
		w.byRun[id] = map[chan struct{}]bool{}
	}
	w.byRun[id][ch] = true
	if w.cancel == nil {
		var ctx context.Context
		ctx, w.cancel = context.WithCancel(context.Background())
		go w.listen(ctx)
	}
	return ch, func() { w.leave(id, ch) }
}

func (w *watcher) leave(id string, ch chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.byRun[id], ch)
	if len(w.byRun[id]) == 0 {
		delete(w.byRun, id)
	}
	if len(w.byRun) == 0 && w.cancel != nil {
		w.cancel()
		w.cancel = nil
	}
}

// listen passes events on until ctx ends. When it begins to hear, every waiter
// looks again, for what happened before. A store that cannot be watched is
// tried again; the waiters poll meanwhile, and an error would only repeat theirs.
func (w *watcher) listen(ctx context.Context) {
	for ctx.Err() == nil {
		events, err := w.st.Watch(ctx)
		if err != nil {
			_ = sleepOr(ctx, pollEvery, nil)
			continue
		}
		w.mu.Lock()
		for run := range w.byRun {
			w.wake(run)
		}
		w.mu.Unlock()
		for e := range events {
			w.mu.Lock()
			w.wake(e.Run)
			w.mu.Unlock()
		}
	}
}

// wake tells the waiters for a run to look. w.mu is held.
func (w *watcher) wake(run string) {
	for ch := range w.byRun[run] {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
