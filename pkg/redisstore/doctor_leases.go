package redisstore

import (
	"context"
	"fmt"
	"time"
)

// Looks at leases that seem to begin now, and how far apart: one that is granted
// or renewed at this very moment does not seem so at each of them.
const (
	futureLooks = 4
	futureApart = 60 * time.Millisecond
)

// lease is a claimed entry.
type lease struct {
	id, consumer string
	idle         time.Duration
	there        bool // its entry is
}

// leases looks at what is claimed from a stream: by workers that are gone, at a
// time that has not come yet, or without being there.
func (e *examiner) leases(ctx context.Context, q queueKey, key string) error {
	abandoned := map[string]int{} // by consumer
	for from := "-"; ; {
		page, err := e.claimed(ctx, q, key, from, queuePart, e.mend)
		if err != nil {
			return err
		}
		var fresh []lease
		for _, l := range page {
			switch {
			case !l.there:
				e.fixable(Finding{Kind: "claim-without-entry", Severity: SeverityWarning, Subject: "queue " + q.name,
					Detail: fmt.Sprintf("entry %s is claimed by %s, but not there any more", l.id, l.consumer), Fix: "forget the claim"})
			case l.idle == 0:
				fresh = append(fresh, l)
			case l.idle > 2*e.cfg.Lease && !e.alive(l.consumer):
				abandoned[l.consumer]++
			}
		}
		if err := e.future(ctx, q, key, fresh); err != nil {
			return err
		}
		if len(page) < queuePart {
			break
		}
		from = "(" + page[len(page)-1].id
	}
	for consumer, count := range abandoned {
		e.abandoned(q, consumer, count)
	}
	return nil
}

// claimed reads a part of what is claimed.
func (e *examiner) claimed(ctx context.Context, q queueKey, key, from string, most, mend int) ([]lease, error) {
	reply, err := e.s.script(ctx, q.part, scriptLeases, []string{key}, from, most, mend)
	if err != nil {
		return nil, err
	}
	r := list(reply)
	var page []lease
	for i := 0; i+3 < len(r); i += 4 {
		page = append(page, lease{
			id: text(r, i), consumer: text(r, i+1), there: integer(r, i+3) == 1,
			idle: time.Duration(integer(r, i+2)) * time.Millisecond,
		})
	}
	return page, nil
}

func (e *examiner) abandoned(q queueKey, consumer string, count int) {
	f := Finding{Kind: "lease-abandoned", Severity: SeverityInfo, Subject: "queue " + q.name,
		Detail: fmt.Sprintf("%s with worker %s, which was not heard of: other workers of the queue take them over", plural(count, "entry"), consumer)}
	if !e.serves(q.name) {
		f.Severity = SeverityWarning
		f.Detail = fmt.Sprintf("%s with worker %s, which was not heard of, and no worker that is alive takes from this queue: start one",
			plural(count, "entry"), consumer)
	}
	e.report(f)
}

// future finds those of some leases that begin at a time which has not come: their
// idle time stays zero. Such a lease would not run out before the clock has caught
// up. It is made to begin now.
func (e *examiner) future(ctx context.Context, q queueKey, key string, fresh []lease) error {
	for look := 1; look < futureLooks && len(fresh) > 0; look++ {
		if err := sleep(ctx, futureApart); err != nil {
			return err
		}
		var err error
		fresh, err = e.stillFresh(ctx, q, key, fresh)
		if err != nil {
			return err
		}
	}
	for _, l := range fresh {
		f := Finding{Kind: "lease-in-future", Severity: SeverityError, Subject: "queue " + q.name,
			Detail: fmt.Sprintf("the lease of entry %s begins at a time that has not come: the server's clock was set back, "+
				"and if worker %s is gone nobody takes over", l.id, l.consumer),
			Fix: "let the lease begin now"}
		if e.cfg.Fix {
			done, err := e.asked(ctx, q.part, scriptRestamp, []string{key}, l.id, l.consumer)
			if err != nil {
				return err
			}
			f.Mended = done == 1
		}
		e.report(f)
	}
	return nil
}

func (e *examiner) stillFresh(ctx context.Context, q queueKey, key string, fresh []lease) ([]lease, error) {
	still := make([]bool, len(fresh))
	err := each(len(fresh), func(i int) error {
		page, err := e.claimed(ctx, q, key, fresh[i].id, 1, 0)
		still[i] = len(page) == 1 && page[0].id == fresh[i].id && page[0].consumer == fresh[i].consumer && page[0].idle == 0
		return err
	})
	var kept []lease
	for i, l := range fresh {
		if still[i] {
			kept = append(kept, l)
		}
	}
	return kept, err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
