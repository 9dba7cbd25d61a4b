package flox

import (
	"cmp"
	"slices"
	"time"
)

// The verbs of the protocol: what can happen to a token.

// release takes a queued token out of its queue. It stands nowhere then.
func (m *Memory) release(t *memToken) { m.removeEntry(t) }

// enqueue makes a token ready for any worker.
func (m *Memory) enqueue(t *memToken) {
	if t.place == PlaceParked {
		t.run.counts.Parked--
	}
	t.owner = ""
	t.place = PlaceQueued
	m.addEntry(t)
}

// park keeps a token until the run goes on.
func (m *Memory) park(t *memToken) {
	t.place = PlaceParked
	t.run.counts.Parked++
}

// grants reports whether the run's status lets the token begin a step.
func (t *memToken) grants() bool {
	return t.run.status == StatusRunning || t.run.status == StatusUndoing && t.undoes()
}

// place puts a token where the run's status says.
func (m *Memory) place(t *memToken) Verdict {
	if t.grants() {
		m.enqueue(t)
		return VerdictReleased
	}
	m.park(t)
	return VerdictParked
}

// placeAfter places a token after a delay, at once if there is none.
func (m *Memory) placeAfter(t *memToken, delay time.Duration) Verdict {
	if delay <= 0 {
		return m.place(t)
	}
	m.delay(t, delay)
	return VerdictReleased
}

// make adds a token to the run and places it after a delay.
func (m *Memory) make(t *memToken, delay time.Duration) {
	t.run.tokens[t.id] = t
	t.run.counts.Live++
	t.run.counts.Created++
	m.placeAfter(t, delay)
}

// drop removes a token that is not to go on, wherever it is.
func (m *Memory) drop(t *memToken) {
	switch t.place {
	case PlaceQueued:
		m.release(t)
	case PlaceDelayed:
		m.undelay(t)
	case PlaceWaiting:
		m.unwait(t)
	case PlaceParked:
		t.run.counts.Parked--
	}
	delete(t.run.tokens, t.id)
	t.run.counts.Live--
	t.run.counts.Dropped++
}

// end removes a token whose item was committed.
func (m *Memory) end(t *memToken) {
	m.release(t)
	delete(t.run.tokens, t.id)
	t.run.counts.Live--
}

// advance moves a token to the next step.
func (t *memToken) advance(node, queue string, input []byte) {
	t.stepOn()
	t.node, t.queue, t.input = node, queue, input
	t.answer = nil
	t.joins, t.deposits = "", nil
	t.run.counts.Created++
}

// stepOn begins the token's next step, with nothing held against it.
func (t *memToken) stepOn() {
	t.step++
	t.attempt, t.crashes, t.bounces = 0, 0, 0
	t.failed, t.retried = false, 0
	t.since = time.Time{}
}

// lower counts one branch of the frame, if there is one, as arrived or ended.
// The last makes the join's token.
func (m *Memory) lower(r *memRun, frame string) {
	f := r.frames[frame]
	if f == nil {
		return
	}
	if f.live--; f.live > 0 {
		return
	}
	delete(r.frames, frame)
	m.fire(r, f)
}

// fire makes the token of a frame's join, with the deposits in input order,
// unless the run undoes: what its branches did is not to be joined any more.
func (m *Memory) fire(r *memRun, f *memFrame) {
	if r.status == StatusUndoing {
		return
	}
	slices.SortFunc(f.deposits, func(a, b memDeposit) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.token, b.token))
	})
	m.make(&memToken{
		run: r, id: JoinToken(f.id), node: f.join, queue: f.queue,
		input: f.carry, joins: f.id, deposits: f.deposits,
		frame: f.parent, index: f.parentIndex, scope: f.outside,
	}, 0)
}

// finish ends a run that has no token left, or goes on to undo it.
func (m *Memory) finish(r *memRun) {
	switch {
	case r.counts.Live > 0 || r.status.Terminal():
		return
	case r.status == StatusUndoing:
		m.undoNext(r)
	case r.counts.Outputs > 0 || !r.needsOutput && r.ends > 0:
		m.endRun(r, StatusCompleted, "")
	default:
		m.failRun(r, r.noOutput(), nil, false)
	}
}

// endRun makes a run terminal.
func (m *Memory) endRun(r *memRun, s Status, cause string) {
	r.ended = time.Now()
	r.cause = cause
	if s != StatusFailed {
		r.visits = nil
	}
	m.liftDeadline(r)
	m.setStatus(r, s)
}
