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
	if verdict, refused := m.refuse(t, c); refused {
		return CommitResult{Verdict: verdict}, nil
	}
	t.run.record(c)
	switch verdict := m.apply(t, c); verdict {
	case VerdictKept:
		return t.run.kept(), nil
	default:
		return CommitResult{Verdict: verdict}, nil
	}
}

// refuse says why a commit by the token's holder does not apply.
func (m *Memory) refuse(t *memToken, c Commit) (Verdict, bool) {
	r := t.run
	failure := c.Op == OpRetry || c.Op == OpFail
	if failure && c.Attempt != t.attempt || c.Op == OpRelease && t.release == nil {
		return VerdictRepeat, true
	}
	counted := !failure && c.Op != OpRelease && !c.Fallback
	if counted && c.MaxSteps > 0 && r.counts.Committed >= c.MaxSteps {
		return VerdictLimit, true
	}
	if c.Read <= r.counts.Version {
		return 0, false
	}
	if r.status == StatusRunning {
		return VerdictStale, true
	}
	m.release(t)
	m.park(t)
	return VerdictParked, true
}

// record keeps the commit's delta and records.
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
	default:
		queue := t.queue
		t.advance(c.Node, c.Queue, c.Input)
		return m.goOn(t, c.Keep && c.Queue == queue)
	}
}

// goOn leaves the token with its holder if asked to, else hands it on.
func (m *Memory) goOn(t *memToken, keep bool) Verdict {
	if keep && t.run.status == StatusRunning {
		return VerdictKept
	}
	m.release(t)
	return m.place(t)
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
	if f := t.run.frames[t.frame]; f != nil {
		f.deposits = append(f.deposits, memDeposit{t.index, t.id, c.Output})
	}
	m.end(t)
	m.lower(t.run, t.frame)
	m.finish(t.run)
	return VerdictReleased
}

func (m *Memory) applyRetry(t *memToken, c Commit) Verdict {
	t.attempt++
	m.release(t)
	m.delay(t, time.Now().Add(c.Delay))
	return VerdictReleased
}

// applyFail keeps the token, its place in its frame included, for a retry.
func (m *Memory) applyFail(t *memToken, c Commit) Verdict {
	t.failed = true
	m.release(t)
	m.park(t)
	if !t.run.status.Terminal() {
		m.endRun(t.run, StatusFailed, c.Cause)
	}
	return VerdictReleased
}
