package flox

import (
	"context"
	"errors"
	"fmt"
)

// stateLog reads a run's state, by scope.
type stateLog interface {
	in(scope string) stateReader
}

// runState reads the state of one run for a session, and only what it has not
// read yet.
type runState struct {
	st      CheckpointStore
	run     string
	graph   *graph
	parts   stateParts
	version int64
	// What would be folded by a compaction, in bytes, and the snapshot that is.
	deltas, snapshot int
	folded           int64         // deltas that the snapshot stands for
	observe          stateObserver // nil for nobody
}

// stateObserver is told the bytes of what is stored at each read.
type stateObserver interface{ observeState(size int) }

func newRunState(st CheckpointStore, run string, g *graph, observe stateObserver) *runState {
	return &runState{st: st, run: run, graph: g, observe: observe}
}

// scopedState is the state of one scope of a run.
type scopedState struct {
	*runState
	scope string
}

func (r *runState) in(scope string) stateReader { return scopedState{r, scope} }

// readState returns the state as of now and its version.
func (s scopedState) readState(ctx context.Context, st *stateType) (any, int64, error) {
	if err := s.read(ctx); err != nil {
		return nil, 0, err
	}
	folded, err := s.parts.fold(s.scope, st)
	if errors.Is(err, errDropped) {
		return nil, 0, err
	}
	if err != nil {
		return nil, 0, &stateError{fmt.Errorf("state of run %s: %w", s.run, err)}
	}
	s.compact(ctx)
	return folded, s.version, nil
}

// read reads what is new.
func (r *runState) read(ctx context.Context) error {
	log, err := r.st.State(ctx, r.run, r.version)
	if err == nil && log.Version < r.version {
		// The store came back from an older copy of its data: start over.
		r.reset()
		log, err = r.st.State(ctx, r.run, 0)
	}
	if errors.Is(err, ErrInvalid) {
		return &stateError{err}
	}
	if err != nil {
		return err
	}
	if log.Folded != r.folded {
		r.folded, r.deltas = log.Folded, 0
	}
	if log.Snapshot != nil {
		r.snapshot = len(log.Snapshot)
	}
	for _, d := range log.Deltas {
		r.deltas += len(d)
	}
	if r.observe != nil {
		r.observe.observeState(r.snapshot + r.deltas)
	}
	if r.parts == nil {
		r.parts = stateParts{}
	}
	if err := r.parts.add(log, r.graph.scopeNow); err != nil {
		return &stateError{fmt.Errorf("state of run %s: %w", r.run, err)}
	}
	r.version = log.Version
	return nil
}

func (r *runState) reset() { r.parts, r.version, r.deltas = nil, 0, 0 }

// stateError is a state that is there but cannot be read or decoded: the item's
// failure, unlike a store that does not answer.
type stateError struct{ error }

func (e *stateError) Unwrap() error { return e.error }
