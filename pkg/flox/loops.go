package flox

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// forward moves delayed tokens to their queues when they are due. It sleeps
// until the next one, at most a second, since others add some too.
func (w *Worker) forward(ctx context.Context) {
	const batch = 100
	for ctx.Err() == nil {
		p, err := w.st.Promote(ctx, batch)
		w.runsEnded(p.Ended)
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
	short, cancel := context.WithTimeout(ctx, w.cfg.Lease/3)
	defer cancel()
	asked := time.Now()
	health, err := w.st.Renew(short, s.held)
	if err != nil {
		if ctx.Err() == nil {
			s.storeFailed("renew", err)
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
	case HealthDropped:
		s.cancel(errDropped)
		return
	}
	s.mu.Lock()
	s.renewed = asked
	s.halt = health != HealthOK
	s.mu.Unlock()
	w.cfg.Observer.Observe(Event{Kind: EventRenewed, Workflow: s.workflowLabel(), Count: 1})
}

// watch ends the contexts of a cancelled run's nodes as soon as the store says
// so, and asks how leases stand when it says other news of their runs;
// heartbeats do it later if the event is lost.
func (w *Worker) watch(ctx context.Context) {
	defer w.news.Wait()
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
			for _, s := range w.sessions.of(e.Run) {
				if e.Status == StatusCancelled {
					s.cancel(ErrCancelled)
				} else if s.concerned(e.Status) {
					w.news.Go(func() { w.renew(ctx, s) })
				}
			}
		}
	}
}

// janitor finishes what clients left half done, and looks for lost entries.
func (w *Worker) janitor(ctx context.Context) {
	for round := 0; w.pause(ctx, 5*time.Second); round++ {
		for more := true; more && ctx.Err() == nil; {
			settled, err := w.st.Settle(ctx, "")
			w.runsEnded(settled.Ended)
			if err != nil && ctx.Err() == nil {
				w.storeFailed("settle", err)
				break
			}
			more = settled.More
		}
		if round%3 != 0 {
			continue
		}
		for lost := 1; lost > 0; { // where some are lost, there are more
			var err error
			if lost, err = w.st.Rebuild(ctx, ""); err != nil && ctx.Err() == nil {
				w.storeFailed("rebuild", err)
			}
			if lost > 0 {
				w.cfg.Logger.Warn("queued tokens again whose entries were lost", logCount, lost)
			}
		}
	}
}

// expire removes runs whose retention is over.
func (w *Worker) expire(ctx context.Context) {
	for w.pause(ctx, 15*time.Second) {
		for removed := 1; removed > 0 && ctx.Err() == nil; {
			var err error
			if removed, err = w.st.Delete(ctx, ""); err != nil && ctx.Err() == nil {
				w.storeFailed("delete", err)
				break
			}
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

// pause sleeps for about d, so that many workers do not act in step, and
// reports whether ctx is still alive.
func (w *Worker) pause(ctx context.Context, d time.Duration) bool {
	return sleepOr(ctx, time.Duration(float64(d)*(0.75+rand.Float64()/4)), nil) == nil
}

// storeFailed notes a failed call to the store. Those that look into runs may
// have failed because of what is there: they do not say that the store was away.
func (w *Worker) storeFailed(call string, err error) { w.storeFailedOf(w.cfg.Logger, call, err) }

func (w *Worker) storeFailedOf(log *slog.Logger, call string, err error) {
	switch call {
	case "load", "state", "commit", "handback", "settle", "rebuild", "delete", "register":
	default:
		w.outage.Store(time.Now().UnixNano())
	}
	w.cfg.Observer.Observe(Event{Kind: EventStoreError, Outcome: call, Count: 1})
	if alike, say := w.complaints.say(call, err); say {
		log.Warn("store call failed", logCall, call, logError, err, logAlike, alike)
	}
}
