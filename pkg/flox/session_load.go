package flox

import (
	"context"
	"time"
)

// load asks for the lease of e until it is told, and says since when it lasts at
// least. Where the store grants it and does not say so for long, as before replicas
// have confirmed it, the lease is kept up, and given back at the end: what nobody
// has begun is no crash of its worker.
func (w *Worker) load(items context.Context, e Entry, owner string) (loaded Loaded, renewed time.Time, ok bool) {
	lease := Lease{Entry: e, Owner: owner, Step: StepUnknown}
	renewed = time.Now()
	if e.Fresh() { // then Load does not extend it
		renewed = e.Since
	}
	for {
		ctx := w.loads.from(time.Now())
		loaded, err := w.st.Load(ctx, e, owner, w.cfg.CrashLimit)
		if err == nil {
			return loaded, renewed, true
		}
		unanswered := ctx.Err() != nil
		log := w.cfg.Logger.With(logRun, e.Run, logItem, e.Token)
		w.storeFailedOf(log, "load", err)
		if !unanswered {
			return Loaded{}, renewed, false
		}
		if w.draining.Load() || items.Err() != nil {
			ctx, cancel := context.WithTimeout(w.life, w.cfg.Lease)
			defer cancel()
			if _, err := w.st.Handback(ctx, lease, false); err != nil {
				w.storeFailedOf(log, "handback", err)
			}
			return Loaded{}, renewed, false
		}
		asked := time.Now()
		ctx, cancel := context.WithTimeout(items, w.cfg.Lease/4)
		health, err := w.st.Renew(ctx, lease)
		cancel()
		if err != nil {
			w.storeFailedOf(log, "renew", err)
		} else if health != HealthLost { // else Load has not come there yet, or will say whose it is
			renewed = asked
		}
	}
}
