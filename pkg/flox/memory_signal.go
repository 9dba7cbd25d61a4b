package flox

import (
	"context"
	"slices"
)

// memSignals is what a run knows of signals, by name.
type memSignals struct {
	waiting map[string][]*memToken // who waits longest first
	kept    map[string][]byte      // came before anybody waited
	last    map[string]string      // id of the last one
}

func newMemSignals() memSignals {
	return memSignals{waiting: map[string][]*memToken{}, kept: map[string][]byte{}, last: map[string]string{}}
}

// applyAwait goes on at the same node with the answer: at once if the signal
// had come, else when it comes.
func (m *Memory) applyAwait(t *memToken, c Commit) Verdict {
	t.advance(t.node, t.queue, c.Input)
	signals := &t.run.signals
	if payload, ok := signals.kept[c.Signal]; ok {
		delete(signals.kept, c.Signal)
		t.answer = &Answered{Payload: payload}
		return m.goOn(t, c.Keep, 0)
	}
	m.release(t)
	t.place, t.signal = PlaceWaiting, c.Signal
	signals.waiting[t.signal] = append(signals.waiting[t.signal], t)
	if c.Delay > 0 {
		m.setTimer(t, c.Delay)
	}
	return VerdictReleased
}

// unwait takes a waiting token away from its signal and its timer.
func (m *Memory) unwait(t *memToken) {
	m.stopTimer(t)
	waiting := t.run.signals.waiting
	rest := slices.DeleteFunc(waiting[t.signal], func(w *memToken) bool { return w == t })
	if waiting[t.signal] = rest; len(rest) == 0 {
		delete(waiting, t.signal)
	}
	t.signal = ""
}

// wake ends a token's wait.
func (m *Memory) wake(t *memToken, answer *Answered) {
	m.unwait(t)
	t.answer = answer
	m.place(t)
}

// waiter is the token that has waited longest for a signal, nil for none. A late
// one, which Settle drops, would take the signal with it.
func (r *memRun) waiter(signal string) *memToken {
	for _, t := range r.signals.waiting[signal] {
		if !r.late(t) {
			return t
		}
	}
	return nil
}

// Signal implements RunInfoStore.
func (m *Memory) Signal(ctx context.Context, req SignalRequest) (delivered bool, err error) {
	r, err := m.lockRun(ctx, req.Run)
	if err != nil {
		return false, err
	}
	defer m.mu.Unlock()
	signals := &r.signals
	_, kept := signals.kept[req.Name]
	if id, ok := signals.last[req.Name]; ok && id == req.ID {
		return !kept, nil
	}
	refused := &SignalError{Run: r.id, Signal: req.Name, Status: r.shown()}
	if r.status != StatusRunning && r.status != StatusPaused {
		return false, refused
	}
	waiter := r.waiter(req.Name)
	switch {
	case waiter != nil:
		m.wake(waiter, &Answered{Payload: req.Payload})
	case kept:
		refused.Full = true
		return false, refused
	default:
		signals.kept[req.Name] = req.Payload
	}
	signals.last[req.Name] = req.ID
	return waiter != nil, nil
}
