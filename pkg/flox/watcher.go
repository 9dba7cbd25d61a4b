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
	cancel context.CancelFunc
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

// listen passes events on until ctx ends. If the store cannot be watched the
// waiters' polls do: an error here would only repeat theirs.
func (w *watcher) listen(ctx context.Context) {
	events, err := w.st.Watch(ctx)
	if err != nil {
		return
	}
	for e := range events {
		w.mu.Lock()
		for ch := range w.byRun[e.Run] {
			select {
			case ch <- struct{}{}:
			default:
			}
		}
		w.mu.Unlock()
	}
}
