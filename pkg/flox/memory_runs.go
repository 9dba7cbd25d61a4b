package flox

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Start implements RunInfoStore.
func (m *Memory) Start(ctx context.Context, req StartRequest) error {
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.mu.Unlock()
	if r := m.runs[req.Run]; r != nil {
		if r.born == req.Nonce {
			return nil
		}
		return &RunExistsError{Run: r.id, Status: r.shown()}
	}
	r := &memRun{
		id: req.Run, workflow: req.Workflow, fingerprint: req.Fingerprint,
		needsOutput: req.NeedsOutput, mayUndo: req.Undoes, born: req.Nonce, started: time.Now(),
		labels: maps.Clone(req.Labels), trace: req.Trace,
		tokens: map[string]*memToken{}, frames: map[string]*memFrame{}, signals: newMemSignals(),
	}
	m.runs[r.id] = r
	r.status = StatusRunning
	m.watchers.tell(RunEvent{Run: r.id, Status: StatusRunning})
	delay := max(req.Delay, time.Until(req.At))
	m.setDeadline(r, delay, req.Deadline)
	m.make(&memToken{run: r, id: RootToken, node: req.Node, queue: req.Queue, input: req.Input}, delay)
	return nil
}

// setStatus changes a run's status and tells the watchers, and the workers, who lose
// nothing by a completion.
func (m *Memory) setStatus(r *memRun, s Status) {
	r.status = s
	m.watchers.tell(RunEvent{Run: r.id, Status: s})
	if s != StatusCompleted {
		m.tellStatus(r)
	}
}

// Control implements RunInfoStore.
func (m *Memory) Control(ctx context.Context, req ControlRequest) (Status, error) {
	if err := m.lock(ctx); err != nil {
		return "", err
	}
	defer m.mu.Unlock()
	r := m.runs[req.Run]
	if r == nil {
		return "", ErrNotFound
	}
	if slices.Contains(r.controls, req.Nonce) {
		return r.shown(), nil
	}
	if !r.allows(req.Op) {
		return r.shown(), &RefusedError{Run: r.id, Op: req.Op, Status: r.shown()}
	}
	if err := m.control(r, req); err != nil {
		return r.shown(), err
	}
	r.controls = append(r.controls[max(0, len(r.controls)-7):], req.Nonce)
	return r.shown(), nil
}

// allows reports whether the run's status allows op.
func (r *memRun) allows(op ControlOp) bool {
	switch op {
	case ControlPause:
		return r.status == StatusRunning
	case ControlResume:
		return r.status == StatusPaused
	case ControlCancel:
		return !r.status.Terminal()
	case ControlRetry:
		return r.status == StatusFailed
	}
	return false
}

// control does what the status allows, and leaves the tokens to Settle.
func (m *Memory) control(r *memRun, req ControlRequest) error {
	switch req.Op {
	case ControlPause:
		m.setStatus(r, StatusPaused)
		return nil
	case ControlResume:
		m.setStatus(r, StatusRunning)
	case ControlCancel:
		m.endRun(r, StatusCancelled, "")
	case ControlRetry:
		if err := m.retry(r, req); err != nil {
			return err
		}
	}
	m.todo[r.id] = true
	return nil
}

// retryRun goes on with a failed run, in the direction in which it failed.
func (m *Memory) retryRun(r *memRun, req ControlRequest) error {
	switch {
	case r.purging != "":
		return RetryUnderWay.Refuse(req)
	case r.counts.Live == 0 && r.undoing:
		return RetryUndone.Refuse(req)
	case r.counts.Live == 0:
		return RetryNothing.Refuse(req)
	case r.undoing:
		m.revive(r, StatusUndoing)
	default:
		m.revive(r, StatusRunning)
	}
	return nil
}

// revive lets a failed run go on.
func (m *Memory) revive(r *memRun, s Status) {
	r.ended, r.deadline = time.Time{}, time.Time{}
	if s == StatusRunning {
		r.cause, r.failure = "", memRecord{}
	}
	m.setStatus(r, s)
}

// Info implements RunInfoStore.
func (m *Memory) Info(ctx context.Context, run string) (RunInfo, error) {
	r, err := m.lockRun(ctx, run)
	if err != nil {
		return RunInfo{}, err
	}
	defer m.mu.Unlock()
	return r.info()
}

func (r *memRun) info() (RunInfo, error) {
	info := RunInfo{
		ID: r.id, Workflow: r.workflow, Fingerprint: r.fingerprint,
		Status: r.shown(), Created: r.started, Ended: r.ended, Deadline: r.deadline, Labels: maps.Clone(r.labels),
		Trace: r.trace, Cause: r.cause, Held: r.held(","), Counts: r.counts,
	}
	if r.failure.data == nil {
		return info, nil
	}
	info.Failure = &ErrorRecord{}
	if err := DecodeRecord(r.failure.data, info.Failure); err != nil {
		return RunInfo{}, fmt.Errorf("failure of run %s: %w", r.id, err)
	}
	info.Failure.Time = r.failure.at
	return info, nil
}

// Outputs implements ErrorStore.
func (m *Memory) Outputs(ctx context.Context, run string) ([][]byte, error) {
	r, err := m.lockRun(ctx, run)
	if err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	return r.outputs[:len(r.outputs):len(r.outputs)], nil
}
