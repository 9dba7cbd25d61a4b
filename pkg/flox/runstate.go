package flox

import (
	"context"
	"errors"
	"fmt"
)

// runState reads the state of one run for a session, and only what it has not
// read yet.
type runState struct {
	st      CheckpointStore
	run     string
	folded  any
	version int64
}

// readState returns the run's state as of now and its version.
func (r *runState) readState(ctx context.Context, st *stateType) (any, int64, error) {
	log, err := r.st.State(ctx, r.run, r.version)
	if err == nil && log.Version < r.version {
		// The store came back from an older copy of its data: start over.
		r.reset()
		log, err = r.st.State(ctx, r.run, 0)
	}
	if errors.Is(err, ErrInvalid) {
		return nil, 0, &stateError{err}
	}
	if err != nil {
		return nil, 0, err
	}
	folded, err := foldState(st, r.folded, log)
	if err != nil {
		return nil, 0, &stateError{fmt.Errorf("state of run %s: %w", r.run, err)}
	}
	r.folded, r.version = folded, log.Version
	return r.folded, r.version, nil
}

func (r *runState) reset() { r.folded, r.version = nil, 0 }

// stateError is a state that is there but cannot be read or decoded: the item's
// failure, unlike a store that does not answer.
type stateError struct{ error }
