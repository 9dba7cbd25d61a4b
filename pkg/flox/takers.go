package flox

import (
	"context"
	"runtime"
	"time"
)

// claim takes ready tokens from the queues while there are free slots.
func (w *Worker) claim(ctx, items context.Context) {
	for ctx.Err() == nil {
		select { // hold one slot while asking, so that what comes finds one
		case <-ctx.Done():
			return
		case w.slots <- struct{}{}:
		}
		runtime.Gosched() // who is about to give a slot back may do so first
		entries, err := w.st.Claim(ctx, ClaimRequest{
			Consumer: w.consumer, Queues: *w.queues.Load(), Max: 1 + cap(w.slots) - len(w.slots), Wait: time.Second,
		})
		if len(entries) > 0 {
			w.start(items, entries[0], true)
			w.accept(ctx, items, entries[1:])
			w.cfg.Observer.Observe(Event{Kind: EventClaimed, Count: len(entries)})
		} else {
			<-w.slots
		}
		if err != nil && ctx.Err() == nil {
			w.storeFailed("claim", err)
			w.pause(ctx, 200*time.Millisecond)
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
		// A call that outlasts an outage would take over before the living can renew.
		short, cancel := context.WithTimeout(ctx, w.cfg.Lease/4)
		entries, err := w.st.Reclaim(short, ReclaimRequest{
			Consumer: w.consumer, Queues: *w.queues.Load(), Lease: w.cfg.Lease, Max: most,
		})
		cancel()
		if len(entries) > 0 {
			w.cfg.Logger.Warn("took over items of a worker that is gone", logCount, len(entries))
			w.cfg.Observer.Observe(Event{Kind: EventReclaimed, Count: len(entries)})
		}
		w.accept(ctx, items, w.tryAlone(ctx, items, entries))
		if err != nil && ctx.Err() == nil {
			w.storeFailed("reclaim", err)
		}
	}
}

// tryAlone picks the entries whose items have one start left: each was in hand of
// workers that died, all but one of them maybe only beside the one that kills.
// They are started one after the other, so that it takes none of the others with
// it. Those whose turn does not come soon are left alone, and come again when their
// lease is over. It returns the other entries.
func (w *Worker) tryAlone(ctx, items context.Context, entries []Entry) []Entry {
	var others []Entry
	for _, e := range entries {
		if e.Crashes == 0 || e.Crashes != w.cfg.CrashLimit-1 {
			others = append(others, e)
			continue
		}
		w.handlers.Go(func() {
			soon, cancel := context.WithTimeout(ctx, w.cfg.Lease/2)
			defer cancel()
			select {
			case w.alone <- struct{}{}:
				defer func() { <-w.alone }()
			case <-soon.Done():
				return
			}
			select {
			case w.slots <- struct{}{}:
				defer func() { <-w.slots }()
				w.handle(items, e, true)
			case <-soon.Done(): // another worker may have one
			}
		})
	}
	return others
}

// accept starts a handler for each entry as soon as there is a slot for it. A
// busy worker may have none for long: what finds none soon is handed back, so
// that whoever has one can take it.
func (w *Worker) accept(ctx, items context.Context, entries []Entry) {
	soon, cancel := context.WithTimeout(ctx, w.cfg.Lease/4)
	defer cancel()
	for _, e := range entries {
		select {
		case w.slots <- struct{}{}:
			w.start(items, e, true)
		case <-soon.Done():
			w.start(items, e, false)
		}
	}
}

// work is an entry on its way to a handler.
type work struct {
	Entry
	slot bool // that the handler gives back
}

// start gives an entry to a handler that has none, or to a new one: a handler's
// stack grows with its first entry, and that costs more than to keep it.
func (w *Worker) start(items context.Context, e Entry, slot bool) {
	next := work{e, slot}
	select {
	case w.idle <- next:
	default:
		w.handlers.Go(func() {
			for ok := true; ok; next, ok = <-w.idle {
				w.serve(items, next)
			}
		})
	}
}

// serve handles an entry. The slot is free after it also if a node ends its goroutine.
func (w *Worker) serve(items context.Context, one work) {
	if one.slot {
		defer func() { <-w.slots }()
	}
	w.handle(items, one.Entry, one.slot)
}
