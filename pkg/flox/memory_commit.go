package flox

import (
	"context"
	"time"
)

// How many records a run keeps.
const (
	memErrors  = 100
	memHistory = 10_000
)

// Commit implements CheckpointStore.
func (m *Memory) Commit(ctx context.Context, c Commit) (CommitResult, error) {
	if err := m.lock(ctx); err != nil {
		return CommitResult{}, err
	}
	defer m.mu.Unlock()
	t, result := m.fence(c.Lease)
	if t == nil {
		return result, nil
	}
	if result, refused := m.refuse(t, c); refused {
		return result, nil
	}
	r, closed, open := t.run, t.run.closed, !t.run.status.Terminal()
	visit, alone := t.visit()
	r.record(c)
	result = CommitResult{Verdict: m.apply(t, c)}
	if alone && c.leaves() {
		r.keepVisit(visit)
	}
	if result.Verdict == VerdictKept {
		result = r.stands(VerdictKept)
	}
	result.Settle = r.closed > closed || r.status == StatusUndoing && !t.undoes()
	if open && r.status.Terminal() {
		result.Ended, result.Lasted = r.status, r.ended.Sub(r.started)
	}
	return result, nil
}

// refuse says why a commit by the token's holder does not apply.
func (m *Memory) refuse(t *memToken, c Commit) (CommitResult, bool) {
	r := t.run
	failure := c.Op == OpRetry || c.Op == OpFail
	if failure && c.Attempt != t.attempt || c.Op == OpRelease && t.release == nil {
		return CommitResult{Verdict: VerdictRepeat}, true
	}
	counted := !failure && c.Op != OpRelease && !c.Fallback
	if counted && c.MaxSteps > 0 && r.counts.Committed >= c.MaxSteps {
		return CommitResult{Verdict: VerdictLimit}, true
	}
	if !r.stale(c) {
		return CommitResult{}, false
	}
	if t.grants() {
		return r.stands(VerdictStale), true
	}
	m.release(t)
	m.park(t)
	return CommitResult{Verdict: VerdictParked}, true
}

// leaves reports whether the token has gone from its node as one that may come to
// it again.
func (c Commit) leaves() bool {
	return c.Op != OpRetry && c.Op != OpFail && c.Op != OpRelease && !c.Close
}

// stale reports whether the item has read a state that is not the run's. Who
// holds must have seen all that came before it.
func (r *memRun) stale(c Commit) bool {
	if c.Op == OpHold {
		return c.Read != r.counts.Version
	}
	return c.Read > r.counts.Version
}

// stands is a verdict with how the run stands, for a holder who goes on.
func (r *memRun) stands(v Verdict) CommitResult {
	return CommitResult{Verdict: v, Version: r.counts.Version, Committed: r.counts.Committed}
}

// record keeps the commit's delta, its records and what would undo it.
func (r *memRun) record(c Commit) {
	now := time.Now()
	if c.Delta != nil {
		r.state = append(r.state, c.Delta)
		r.counts.Version++
	}
	if c.Record != nil {
		r.history = appendCapped(r.history, memRecord{now, c.Record}, memHistory)
	}
	if c.Err != nil {
		r.errors = appendCapped(r.errors, memRecord{now, c.Err}, memErrors)
	}
	if c.Undo != nil {
		r.undos = append(r.undos, *c.Undo)
	}
}

func appendCapped(records []memRecord, r memRecord, most int) []memRecord {
	records = append(records, r)
	return records[max(0, len(records)-most):]
}

// apply moves the token.
func (m *Memory) apply(t *memToken, c Commit) Verdict {
	switch c.Op {
	case OpRetry:
		return m.applyRetry(t, c)
	case OpFail:
		return m.applyFail(t, c)
	case OpRelease:
		return m.applyRelease(t, c)
	}
	if c.Fallback {
		t.run.counts.Failed++
	} else {
		t.run.counts.Committed++
	}
	switch c.Op {
	case OpDeposit:
		return m.applyDeposit(t, c)
	case OpFan:
		return m.applyFan(t, c)
	case OpEnd:
		return m.applyEnd(t, c.Output)
	case OpHold:
		return m.applyHold(t)
	case OpAwait:
		return m.applyAwait(t, c)
	default:
		queue := t.queue
		t.advance(c.Node, c.Queue, c.Input)
		return m.goOn(t, c.Keep && c.Queue == queue, c.Delay)
	}
}

// goOn leaves the token with its holder if asked to, else hands it on.
func (m *Memory) goOn(t *memToken, keep bool, delay time.Duration) Verdict {
	if keep && delay <= 0 && t.grants() {
		return VerdictKept
	}
	m.release(t)
	return m.placeAfter(t, delay)
}

func (m *Memory) applyEnd(t *memToken, output []byte) Verdict {
	r := t.run
	r.ends++
	if output != nil {
		r.outputs = append(r.outputs, output)
		r.counts.Outputs++
	}
	m.end(t)
	m.lower(r, t.frame)
	m.finish(r)
	return VerdictReleased
}

func (m *Memory) applyDeposit(t *memToken, c Commit) Verdict {
	f, index := t.depositFrame(c)
	if f != nil {
		f.deposits = append(f.deposits, memDeposit{index, t.id, ItemID(t.id, t.step), c.Output})
	}
	m.end(t)
	if f != nil && (c.Close || f.reached()) && t.run.status != StatusUndoing {
		m.closeFrame(t, f)
	} else {
		m.lower(t.run, t.frame)
	}
	m.finish(t.run)
	return VerdictReleased
}

func (m *Memory) applyRetry(t *memToken, c Commit) Verdict {
	t.attempt++
	if t.since.IsZero() {
		t.since = time.Now().Add(-c.Took)
	}
	m.release(t)
	m.delay(t, c.Delay)
	return VerdictReleased
}

// applyFail keeps the token, its place in its frame included, for a retry.
func (m *Memory) applyFail(t *memToken, c Commit) Verdict {
	t.failed = true
	m.release(t)
	m.park(t)
	switch r := t.run; {
	case t.undoes():
		m.endRun(r, StatusFailed, r.cause+"; "+c.Cause)
	case r.status == StatusRunning || r.status == StatusPaused:
		m.failRun(r, c.Cause, c.Err, r.counts.Live > 1)
	}
	return VerdictReleased
}
