package flox

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// claim takes ready tokens from the queues while there are free slots.
func (w *Worker) claim(ctx, items context.Context) {
	for {
		select { // hold one slot while asking, so that what comes finds one
		case <-ctx.Done():
			return
		case w.slots <- struct{}{}:
		}
		entries, err := w.st.Claim(ctx, ClaimRequest{
			Consumer: w.consumer, Queues: w.cfg.Queues, Max: 1 + cap(w.slots) - len(w.slots), Wait: time.Second,
		})
		<-w.slots
		w.accept(items, EventClaimed, entries)
		if err != nil && ctx.Err() == nil {
			w.storeFailed("claim", err)
			w.pause(ctx, 200*time.Millisecond)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// reclaim takes over what dead workers left. It does not wait for free slots,
// which a busy worker never has: what it takes over is next in line for one.
// After the store was away it waits half a lease first, so that the living can
// renew what they hold.
func (w *Worker) reclaim(ctx, items context.Context) {
	for w.pause(ctx, w.cfg.Lease/4) {
		if time.Since(time.Unix(0, w.outage.Load())) < w.cfg.Lease/2 {
			continue
		}
		most := max(cap(w.slots)-len(w.slots), (cap(w.slots)+3)/4)
		entries, err := w.st.Reclaim(ctx, ReclaimRequest{
			Consumer: w.consumer, Queues: w.cfg.Queues, Lease: w.cfg.Lease, Max: most,
		})
		if len(entries) > 0 {
			w.cfg.Logger.Warn("took over items of a worker that is gone", logCount, len(entries))
		}
		w.accept(items, EventReclaimed, entries)
		if err != nil && ctx.Err() == nil {
			w.storeFailed("reclaim", err)
		}
	}
}

func (w *Worker) accept(items context.Context, kind EventKind, entries []Entry) {
	if len(entries) == 0 {
		return
	}
	w.cfg.Observer.Observe(Event{Kind: kind, Count: len(entries)})
	now := time.Now()
	for _, e := range entries {
		w.handlers.Go(func() { w.handle(items, e, now) })
	}
}

// forward moves delayed tokens to their queues when they are due. It sleeps
// until the next one, at most a second, since others add some too.
func (w *Worker) forward(ctx context.Context) {
	const batch = 100
	for ctx.Err() == nil {
		p, err := w.st.Promote(ctx, batch)
		if err != nil && ctx.Err() == nil {
			w.storeFailed("promote", err)
			w.pause(ctx, time.Second)
			continue
		}
		if p.Moved > 0 {
			w.cfg.Observer.Observe(Event{Kind: EventPromoted, Count: p.Moved})
		}
		if p.Moved >= batch {
			continue
		}
		wait := time.Second
		if p.Next >= 0 {
			wait = min(wait, max(p.Next, time.Millisecond))
		}
		if sleepOr(ctx, wait, w.kick) != nil {
			return
		}
	}
}

func (w *Worker) wakeForwarder() {
	select {
	case w.kick <- struct{}{}:
	default:
	}
}

// heartbeat renews the leases in hand, and tells their sessions what it hears.
func (w *Worker) heartbeat(ctx context.Context) {
	for w.pause(ctx, w.cfg.Lease/8) {
		var all sync.WaitGroup
		for _, s := range w.sessions.list((*session).due) {
			all.Go(func() { w.renew(ctx, s) })
		}
		all.Wait()
	}
}

func (w *Worker) renew(ctx context.Context, s *session) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Lease/3)
	defer cancel()
	asked := time.Now()
	health, err := w.st.Renew(ctx, s.held)
	if err != nil {
		if ctx.Err() == nil || !s.valid() {
			w.storeFailed("renew", err)
		}
		if !s.valid() {
			s.cancel(ErrLeaseLost)
		}
		return
	}
	switch health {
	case HealthLost:
		s.cancel(ErrLeaseLost)
		return
	case HealthCancelled:
		s.cancel(ErrCancelled)
		return
	}
	s.mu.Lock()
	s.renewed = asked
	s.halt = health != HealthOK
	s.mu.Unlock()
}

// watchCancels ends the contexts of a cancelled run's nodes as soon as the
// store says so; heartbeats do it later if the event is lost.
func (w *Worker) watchCancels(ctx context.Context) {
	for ctx.Err() == nil {
		events, err := w.st.Watch(ctx)
		if err != nil {
			if ctx.Err() == nil {
				w.storeFailed("watch", err)
			}
			w.pause(ctx, time.Second)
			continue
		}
		for e := range events {
			if e.Status != StatusCancelled {
				continue
			}
			for _, s := range w.sessions.list(func(s *session) bool { return s.held.Run == e.Run }) {
				s.cancel(ErrCancelled)
			}
		}
	}
}

// janitor finishes what clients left half done, and looks for lost entries.
func (w *Worker) janitor(ctx context.Context) {
	for round := 0; w.pause(ctx, 5*time.Second); round++ {
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = w.st.Settle(ctx, ""); err != nil && ctx.Err() == nil {
				w.storeFailed("settle", err)
				break
			}
		}
		if round%3 != 0 {
			continue
		}
		n, err := w.st.Rebuild(ctx, "")
		if err != nil && ctx.Err() == nil {
			w.storeFailed("rebuild", err)
		}
		if n > 0 {
			w.cfg.Logger.Warn("queued tokens again whose entries were lost", logCount, n)
		}
	}
}

// beat tells the others that this worker is alive, and now and then what
// workflows it has, should the store have lost that.
func (w *Worker) beat(ctx context.Context) {
	for round := 0; ctx.Err() == nil; round++ {
		if err := w.st.Beat(ctx, w.Info()); err != nil && ctx.Err() == nil {
			w.storeFailed("beat", err)
		}
		for _, info := range w.infos {
			if round%6 != 5 {
				break
			}
			if err := w.st.Register(ctx, info); err != nil && ctx.Err() == nil {
				w.storeFailed("register", err)
			}
		}
		w.pause(ctx, 5*time.Second)
	}
}

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
				w.storeFailed("handback", err)
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

// pause sleeps for about d, so that many workers do not act in step, and
// reports whether ctx is still alive.
func (w *Worker) pause(ctx context.Context, d time.Duration) bool {
	return sleepOr(ctx, time.Duration(float64(d)*(0.75+rand.Float64()/4)), nil) == nil
}

// storeFailed notes a failed call to the store.
func (w *Worker) storeFailed(call string, err error) {
	w.outage.Store(time.Now().UnixNano())
	w.cfg.Observer.Observe(Event{Kind: EventStoreError, Outcome: call, Count: 1})
	w.cfg.Logger.Warn("store call failed", logCall, call, logError, err)
}
