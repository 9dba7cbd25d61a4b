package flox

import (
	"context"
	"sync"
	"time"
)

// drain waits for the items in hand, cancels those that take longer than three
// quarters of the grace period, and at its end hands back what is left.
func (w *Worker) drain(items context.Context, cancelItems context.CancelCauseFunc) {
	done := make(chan struct{})
	go func() {
		w.handlers.Wait()
		close(done)
	}()
	ctx := context.WithoutCancel(items)
	if sleepUntil(done, w.cfg.DrainGrace*3/4) {
		return
	}
	cancelItems(errDraining)
	if sleepUntil(done, w.cfg.DrainGrace/8) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, w.cfg.DrainGrace/8)
	defer cancel()
	var all sync.WaitGroup
	for _, s := range w.sessions.list(nil) {
		s.cancel(ErrLeaseLost)
		all.Go(func() {
			s.mu.Lock()
			lease := s.current
			s.mu.Unlock()
			if _, err := w.st.Handback(ctx, lease, false); err != nil {
				s.storeFailed("handback", err)
			}
		})
	}
	all.Wait()
}

// sleepUntil waits for done or d and reports whether done came.
func sleepUntil(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}
