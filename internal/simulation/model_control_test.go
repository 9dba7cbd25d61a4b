package simulation

import (
	"context"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// What is done to a run from outside.

func (m *model) Control(_ context.Context, req flox.ControlRequest) (flox.Status, error) {
	r, ok := m.runs[req.Run]
	if !ok {
		return "", flox.ErrNotFound
	}
	if slices.Contains(r.controls, req.Nonce) {
		return r.shown(), nil
	}
	if !slices.Contains(req.Op.Takes(), r.shown()) {
		return r.shown(), &flox.RefusedError{Run: req.Run, Op: req.Op, Status: r.shown()}
	}
	switch req.Op {
	case flox.ControlPause:
		r.status = flox.StatusPaused
	case flox.ControlResume:
		r.status = flox.StatusRunning
	case flox.ControlCancel:
		r.status, r.cause = flox.StatusCancelled, ""
	case flox.ControlRetry:
		if r.n.Live == 0 {
			return r.shown(), flox.RetryNothing.Refuse(req)
		}
		r.status, r.cause = flox.StatusRunning, ""
	}
	r.controls = append(r.controls[max(0, len(r.controls)-7):], req.Nonce)
	m.runs[req.Run] = r
	return r.shown(), nil
}

func (m *model) Signal(_ context.Context, req flox.SignalRequest) (bool, error) {
	r, ok := m.runs[req.Run]
	if !ok {
		return false, flox.ErrNotFound
	}
	_, kept := r.kept[req.Name]
	if id, ok := r.last[req.Name]; ok && id == req.ID {
		return !kept, nil
	}
	if r.status != flox.StatusRunning && r.status != flox.StatusPaused {
		return false, &flox.SignalError{Run: req.Run, Signal: req.Name, Status: r.shown()}
	}
	var first *modelToken
	for _, t := range r.tokens {
		if t.place == flox.PlaceWaiting && t.signal == req.Name && (first == nil || t.since < first.since) {
			first = &t
		}
	}
	switch {
	case first != nil:
		m.wake(&r, *first, &flox.Answered{Payload: req.Payload})
	case kept:
		return false, &flox.SignalError{Run: req.Run, Signal: req.Name, Status: r.shown(), Full: true}
	default:
		r.kept[req.Name] = string(req.Payload)
	}
	r.last[req.Name] = req.ID
	m.runs[req.Run] = r
	return first != nil, nil
}

func (m *model) Delete(_ context.Context, run string) (int, error) {
	r, ok := m.runs[run]
	switch {
	case !ok:
		return 0, flox.ErrNotFound
	case !r.status.Terminal():
		return 0, &flox.RefusedError{Run: run, Op: flox.ControlDelete, Status: r.shown()}
	}
	delete(m.runs, run)
	return 1, nil
}
