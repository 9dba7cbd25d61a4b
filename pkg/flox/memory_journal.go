package flox

import (
	"context"
	"fmt"
)

// Errors implements ErrorStore.
func (m *Memory) Errors(ctx context.Context, run string) ([]ErrorRecord, error) {
	r, err := m.lockRun(ctx, run)
	if err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var records []ErrorRecord
	for _, kept := range r.errors {
		var e ErrorRecord
		if err := DecodeRecord(kept.data, &e); err != nil {
			return nil, fmt.Errorf("errors of run %s: %w", run, err)
		}
		e.Time = kept.at
		records = append(records, e)
	}
	return records, nil
}

// History implements ErrorStore.
func (m *Memory) History(ctx context.Context, run string, from, limit int) ([]StepRecord, error) {
	r, err := m.lockRun(ctx, run)
	if err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	kept := r.history[min(max(from, 0), len(r.history)):]
	var records []StepRecord
	for _, k := range kept[:min(max(limit, 0), len(kept))] {
		s, err := DecodeStep(k.data)
		if err != nil {
			return nil, fmt.Errorf("history of run %s: %w", run, err)
		}
		s.Time = k.at
		records = append(records, s)
	}
	return records, nil
}
