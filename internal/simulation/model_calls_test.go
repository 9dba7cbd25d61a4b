package simulation

import (
	"context"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// The model's calls. They are those of a flox.Store.

func (m *model) Start(_ context.Context, req flox.StartRequest) error {
	if r, ok := m.runs[req.Run]; ok {
		if r.born == req.Nonce {
			return nil
		}
		return &flox.RunExistsError{Run: req.Run, Status: r.shown()}
	}
	r := modelRun{
		status: flox.StatusRunning, born: req.Nonce, tokens: map[string]modelToken{}, frames: map[string]modelFrame{},
		kept: map[string]string{}, last: map[string]string{}, holds: map[string]int{},
	}
	m.make(&r, modelToken{id: flox.RootToken, node: req.Node, queue: req.Queue, in: flox.Input{Payload: req.Input}}, req.Delay)
	m.runs[req.Run] = r
	return nil
}

func (r modelRun) shown() flox.Status {
	if r.status == flox.StatusRunning && !r.granted {
		return flox.StatusPending
	}
	return r.status
}

// Claim takes all that there is, in no order.
func (m *model) Claim(_ context.Context, req flox.ClaimRequest) ([]flox.Entry, error) {
	var all []flox.Entry
	for id, r := range m.runs {
		for _, t := range r.tokens {
			if t.place == flox.PlaceQueued && !t.claimed && slices.Contains(req.Queues, t.queue) {
				t.claimed = true
				r.put(t)
				all = append(all, flox.Entry{Run: id, Token: t.id, Queue: t.queue, ID: t.entry, Consumer: req.Consumer})
			}
		}
	}
	return all, nil
}

// Reclaim takes all that was claimed: every lease is over.
func (m *model) Reclaim(_ context.Context, req flox.ReclaimRequest) ([]flox.Entry, error) {
	var all []flox.Entry
	for id, r := range m.runs {
		for _, t := range r.tokens {
			if t.place != flox.PlaceQueued || !t.claimed || !slices.Contains(req.Queues, t.queue) {
				continue
			}
			if r.status == flox.StatusCancelled {
				r.drop(t)
				continue
			}
			if t.owner != "" {
				t.crashes++
				t.owner = ""
			}
			r.put(t)
			all = append(all, flox.Entry{Run: id, Token: t.id, Queue: t.queue, ID: t.entry, Consumer: req.Consumer})
		}
		m.runs[id] = r
	}
	return all, nil
}

func (m *model) Load(_ context.Context, e flox.Entry, owner string, limit int) (flox.Loaded, error) {
	r, ok := m.runs[e.Run]
	t, lives := r.tokens[e.Token]
	defer func() {
		if ok {
			m.runs[e.Run] = r
		}
	}()
	switch {
	case !ok || !lives || t.place != flox.PlaceQueued || t.entry != e.ID:
		return flox.Loaded{Grant: flox.GrantStray}, nil
	case t.owner != "" && t.owner != owner:
		return flox.Loaded{Grant: flox.GrantLost}, nil
	case r.status == flox.StatusCancelled:
		r.drop(t)
		return flox.Loaded{Grant: flox.GrantCancelled}, nil
	case r.status != flox.StatusRunning:
		r.park(t)
		return flox.Loaded{Grant: flox.GrantParked}, nil
	}
	t.owner, t.claimed, r.granted = owner, true, true
	r.put(t)
	l := flox.Loaded{
		Lease: flox.Lease{Entry: e, Owner: owner, Step: t.step, Attempt: t.attempt},
		Item: flox.Item{
			Node: t.node, Input: t.in, Crashes: t.crashes, Version: r.n.Version, Committed: r.n.Committed, Retried: t.retried,
		},
	}
	if t.crashes >= limit {
		l.Grant = flox.GrantPoison
	}
	return l, nil
}

func (m *model) Renew(_ context.Context, l flox.Lease) (flox.Health, error) {
	r, t := m.runs[l.Run], m.runs[l.Run].tokens[l.Token]
	switch {
	case r.status == flox.StatusCancelled:
		return flox.HealthCancelled, nil
	case t.owner != l.Owner || t.place != flox.PlaceQueued:
		return flox.HealthLost, nil
	case r.status == flox.StatusRunning:
		return flox.HealthOK, nil
	case r.status == flox.StatusPaused:
		return flox.HealthPaused, nil
	}
	return flox.HealthFailed, nil
}

// fence returns whether a holder may go on, and the answer if not.
func (m *model) fence(r *modelRun, l flox.Lease) (modelToken, flox.CommitResult, bool) {
	t, lives := r.tokens[l.Token]
	refuse := func(v flox.Verdict) (modelToken, flox.CommitResult, bool) {
		return t, flox.CommitResult{Verdict: v}, false
	}
	switch {
	case r.status == flox.StatusCancelled:
		return refuse(flox.VerdictCancelled)
	case !lives:
		return refuse(flox.VerdictRepeat)
	case t.owner != l.Owner:
		return refuse(flox.VerdictLost)
	case t.place != flox.PlaceQueued || t.step != l.Step && t.step != l.Step+1:
		return refuse(flox.VerdictRepeat)
	case t.step == l.Step:
		return t, flox.CommitResult{}, true
	case r.status != flox.StatusRunning:
		r.park(t)
		return refuse(flox.VerdictParked)
	}
	return t, flox.CommitResult{Verdict: flox.VerdictKept, Again: true, Version: r.n.Version, Committed: r.n.Committed}, false
}

func (m *model) Handback(_ context.Context, l flox.Lease, _ bool) (flox.Verdict, error) {
	r, ok := m.runs[l.Run]
	if !ok {
		return flox.VerdictGone, nil
	}
	defer func() { m.runs[l.Run] = r }()
	t, res, ok := m.fence(&r, l)
	if !ok {
		return res.Verdict, nil
	}
	return m.place(&r, t, 0), nil
}

// Promote moves all that is due soon.
func (m *model) Promote(context.Context, int) (flox.Promoted, error) {
	moved := 0
	for id, r := range m.runs {
		for _, t := range r.tokens {
			if t.place != flox.PlaceDelayed && t.place != flox.PlaceWaiting || !t.soon {
				continue
			}
			moved++
			switch t.soon = false; {
			case r.status == flox.StatusCancelled:
				r.drop(t)
			case t.place == flox.PlaceWaiting:
				m.wake(&r, t, &flox.Answered{TimedOut: true})
			default:
				m.place(&r, t, 0)
			}
		}
		m.runs[id] = r
	}
	return flox.Promoted{Moved: moved}, nil
}

func (m *model) Settle(_ context.Context, run string) (flox.Settled, error) {
	r, ok := m.runs[run]
	if !ok {
		return flox.Settled{}, nil
	}
	for _, t := range r.tokens {
		switch {
		case r.status == flox.StatusCancelled:
			r.drop(t)
		case r.status == flox.StatusRunning && t.place == flox.PlaceParked:
			if t.failed {
				t.failed, t.attempt, t.crashes = false, 0, 0
				t.retried++
			}
			m.enqueue(&r, t)
		}
	}
	m.runs[run] = r
	return flox.Settled{}, nil
}
