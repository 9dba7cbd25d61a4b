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

// place puts a token where the run's status says.
func (m *Memory) place(t *memToken) Verdict {
	if t.run.status == StatusRunning {
		m.enqueue(t)
		return VerdictReleased
	}
	m.park(t)
	return VerdictParked
}

// make adds a token to the run and places it.
func (m *Memory) make(t *memToken) {
	t.run.tokens[t.id] = t
	t.run.counts.Live++
	t.run.counts.Created++
	m.place(t)
}

// drop removes a token of a cancelled run, wherever it is.
func (m *Memory) drop(t *memToken) {
	switch t.place {
	case PlaceQueued:
		m.release(t)
	case PlaceDelayed:
		m.undelay(t)
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
	t.step++
	t.node, t.queue, t.input = node, queue, input
	t.attempt, t.crashes, t.bounces = 0, 0, 0
	t.failed = false
	t.joined, t.deposits = false, nil
	t.run.counts.Created++
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

// fire makes the token of a frame's join, with the deposits in input order.
func (m *Memory) fire(r *memRun, f *memFrame) {
	slices.SortFunc(f.deposits, func(a, b memDeposit) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.token, b.token))
	})
	m.make(&memToken{
		run: r, id: JoinToken(f.id), node: f.join, queue: f.queue,
		input: f.carry, joined: true, deposits: f.deposits,
		frame: f.parent, index: f.parentIndex,
	})
}

// finish ends a run that has no token left.
func (m *Memory) finish(r *memRun) {
	switch {
	case r.counts.Live > 0:
		return
	case r.counts.Outputs > 0 || !r.needsOutput && r.ends > 0:
		m.endRun(r, StatusCompleted, "")
	default:
		m.endRun(r, StatusFailed, "ended with no output")
	}
}

// endRun makes a run terminal.
func (m *Memory) endRun(r *memRun, s Status, cause string) {
	r.ended = time.Now()
	r.cause = cause
	m.setStatus(r, s)
}
