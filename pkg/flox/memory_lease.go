package flox

import (
	"context"
	"time"
)

// Load implements WorkQueue.
func (m *Memory) Load(ctx context.Context, e Entry, owner string, crashLimit int) (Loaded, error) {
	if err := m.lock(ctx); err != nil {
		return Loaded{}, err
	}
	defer m.mu.Unlock()
	entry := m.entries[e.ID]
	if entry == nil || entry.token.run.id != e.Run || entry.token.id != e.Token {
		return Loaded{Grant: GrantStray}, nil
	}
	t := entry.token
	if t.owner != "" && t.owner != owner {
		return Loaded{Grant: GrantLost}, nil
	}
	if t.run.status == StatusCancelled {
		m.drop(t)
		return Loaded{Grant: GrantCancelled}, nil
	}
	if grant := t.refused(); grant != GrantOK {
		m.release(t)
		m.park(t)
		return Loaded{Grant: grant}, nil
	}
	t.owner = owner
	t.entry.consumer = e.Consumer
	t.entry.leaseStart = time.Now()
	t.run.granted = true
	grant := GrantOK
	if t.crashes >= crashLimit {
		grant = GrantPoison
	}
	lease := Lease{Entry: e, Owner: owner, Step: t.step, Attempt: t.attempt}
	return Loaded{Grant: grant, Lease: lease, Item: t.item()}, nil
}

// refused says why a token is parked instead of granted. What was started and
// lost in a run that undoes is granted: what it may have done is committed, to
// be undone.
func (t *memToken) refused() Grant {
	switch {
	case t.run.late(t):
		return GrantDropped
	case t.grants() || t.run.status == StatusUndoing && t.crashes > 0:
		return GrantOK
	}
	return GrantParked
}

// item is what the token's next commit is about.
func (t *memToken) item() Item {
	item := Item{
		Workflow:    t.run.workflow,
		Fingerprint: t.run.fingerprint,
		Node:        t.node,
		Input:       Input{Payload: t.input, Joined: t.joins != "", Answer: t.answer},
		Crashes:     t.crashes,
		Version:     t.run.counts.Version,
		Committed:   t.run.counts.Committed,
		Waited:      time.Since(t.entry.added),
		Scope:       t.scope,
		Joins:       t.joins,
		Trace:       t.run.trace,
		Retried:     t.retried,
	}
	if !t.since.IsZero() {
		item.Elapsed = time.Since(t.since)
	}
	if t.undoes() {
		item.Input.Cause = t.run.failure.data
	}
	for _, d := range t.deposits {
		item.Input.Deposits = append(item.Input.Deposits, d.payload)
		item.Input.Sources = append(item.Input.Sources, d.item)
	}
	if r := t.release; r != nil {
		item.Release = &Release{Chunk: r.next, Chunks: len(r.blobs), Blob: r.blobs[r.next-1]}
	}
	return item
}

// Renew implements WorkQueue.
func (m *Memory) Renew(ctx context.Context, l Lease) (Health, error) {
	if err := m.lock(ctx); err != nil {
		return HealthLost, err
	}
	defer m.mu.Unlock()
	if r := m.runs[l.Run]; r != nil && r.status == StatusCancelled {
		return HealthCancelled, nil // also if the token was dropped already
	}
	t := m.token(l.Run, l.Token)
	if t == nil || t.owner != l.Owner || t.place != PlaceQueued {
		return HealthLost, nil
	}
	if t.run.late(t) {
		return HealthDropped, nil
	}
	t.entry.consumer = l.Consumer
	t.entry.leaseStart = time.Now()
	switch {
	case t.grants():
		return HealthOK, nil
	case t.run.status == StatusPaused:
		return HealthPaused, nil
	}
	return HealthFailed, nil
}

// Delays of a token whose node is unknown to the workers it meets: they double
// from the first to the last.
const (
	firstBounce = 500 * time.Millisecond
	lastBounce  = time.Minute
)

// Handback implements WorkQueue.
func (m *Memory) Handback(ctx context.Context, l Lease, unknownNode bool) (Verdict, error) {
	if err := m.lock(ctx); err != nil {
		return VerdictLost, err
	}
	defer m.mu.Unlock()
	if t := m.token(l.Run, l.Token); t != nil && l.Step == StepUnknown {
		l.Step = t.step
	}
	t, refused := m.fence(l)
	if t == nil {
		return refused.Verdict, nil
	}
	m.release(t)
	if !unknownNode {
		return m.place(t), nil
	}
	delay := min(firstBounce<<min(t.bounces, 16), lastBounce)
	t.bounces++
	m.delay(t, delay)
	return VerdictReleased, nil
}

func (m *Memory) token(run, token string) *memToken {
	r := m.runs[run]
	if r == nil {
		return nil
	}
	return r.tokens[token]
}

// fence returns the token if l still holds it at its step, else nil and what
// became of it.
func (m *Memory) fence(l Lease) (*memToken, CommitResult) {
	r := m.runs[l.Run]
	if r == nil {
		return nil, CommitResult{Verdict: VerdictGone}
	}
	if r.status == StatusCancelled {
		return nil, CommitResult{Verdict: VerdictCancelled}
	}
	t := r.tokens[l.Token]
	switch {
	case t == nil && (r.purging != "" || restartOf(l.Token, r.restarts) < r.restarts):
		return nil, CommitResult{Verdict: VerdictLost} // a retry from a node dropped it
	case t == nil:
		// Only the holder, or who came after it, can have ended the token.
		return nil, CommitResult{Verdict: VerdictRepeat}
	case t.owner != l.Owner:
		return nil, CommitResult{Verdict: VerdictLost}
	case t.place != PlaceQueued || t.step != l.Step && t.step != l.Step+1:
		return nil, CommitResult{Verdict: VerdictRepeat}
	case r.late(t):
		m.release(t)
		m.park(t)
		return nil, CommitResult{Verdict: VerdictDropped, Settle: true}
	case t.step == l.Step:
		return t, CommitResult{}
	}
	return nil, m.repeatKept(t)
}

// repeatKept answers the repeat of a commit that kept the lease. It grants the
// next step, so it looks at the status as every grant does.
func (m *Memory) repeatKept(t *memToken) CommitResult {
	if t.grants() {
		result := t.run.stands(VerdictKept)
		result.Again = true
		return result
	}
	m.release(t)
	m.park(t)
	return CommitResult{Verdict: VerdictParked}
}
