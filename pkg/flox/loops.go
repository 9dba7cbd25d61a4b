package flox

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// How long the forwarder sleeps at most: when delays were added or were over just
// now, and when all is quiet. It is told of the next one, unless the news got lost.
const (
	forwardBusy  = time.Second
	forwardQuiet = 5 * time.Second
)

// forward moves delayed tokens to their queues when they are due.
func (w *Worker) forward(ctx context.Context) {
	const batch = 100
	for most := forwardBusy; ctx.Err() == nil; {
		w.timers.clear()
		p, err := w.st.Promote(ctx, batch)
		w.runsEnded(p.Ended)
		if err != nil && ctx.Err() == nil {
			w.storeFailed("promote", err)
			w.pause(ctx, time.Second)
			most = forwardBusy
			continue
		}
		if p.Moved > 0 {
			w.cfg.Observer.Observe(Event{Kind: EventPromoted, Count: p.Moved})
			most = forwardBusy
		}
		if p.Moved >= batch {
			continue
		}
		wait := most
		if p.Next >= 0 {
			wait = min(wait, max(p.Next, time.Millisecond))
		}
		early, ok := w.timers.sleep(ctx, wait)
		if !ok {
			return
		}
		if most = min(2*most, forwardQuiet); early {
			most = forwardBusy
		}
	}
}

func (w *Worker) wakeForwarder() { w.timers.in(0) }

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
		if !s.valid(time.Now()) {
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
// so, asks how leases stand when it says other news of their runs, and lets the
// forwarder know of timers; heartbeats and the forwarder's own looks do it later if
// the news is lost.
func (w *Worker) watch(ctx context.Context) {
	defer w.news.Wait()
	for ctx.Err() == nil {
		alerts, err := w.st.Alerts(ctx)
		if err != nil {
			if ctx.Err() == nil {
				w.storeFailed("watch", err)
			}
			w.pause(ctx, time.Second)
			continue
		}
		w.wakeForwarder() // for what was added before
		for a := range alerts {
			if a.Run == "" {
				w.timers.in(a.Due)
				continue
			}
			for _, s := range w.sessions.of(a.Run) {
				if a.Status == StatusCancelled {
					s.cancel(ErrCancelled)
				} else if s.concerned(a.Status) {
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
				w.wakeForwarder()
				w.cfg.Logger.Warn("queued tokens again whose entries were lost", logCount, lost)
			}
		}
	}
}

// How often runs are looked for whose retention is over: while there are some, and
// while there are none.
const (
	expireBusy  = 15 * time.Second
	expireQuiet = 30 * time.Second
)

// expire removes runs whose retention is over.
func (w *Worker) expire(ctx context.Context) {
	for wait := expireBusy; w.pause(ctx, wait); {
		wait = min(2*wait, expireQuiet)
		for removed := 1; removed > 0 && ctx.Err() == nil; {
			var err error
			if removed, err = w.st.Delete(ctx, ""); err != nil && ctx.Err() == nil {
				w.storeFailed("delete", err)
				break
			}
			if removed > 0 {
				wait = expireBusy
			}
		}
	}
}

// registerBeats is with how many beats a worker repeats what workflows it has.
const registerBeats = 24

// beat tells the others that this worker is alive, and now and then what
// workflows it has, should the store have lost that.
func (w *Worker) beat(ctx context.Context) {
	for round := 0; ctx.Err() == nil; round++ {
		if err := w.st.Beat(ctx, w.Info()); err != nil && ctx.Err() == nil {
			w.storeFailed("beat", err)
		}
		for _, info := range w.infos {
			if round%registerBeats != registerBeats-1 {
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
