package redisstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// errorSlots is how many errors a run keeps.
const errorSlots = 100

// Errors implements flox.ErrorStore.
func (s *Store) Errors(ctx context.Context, run string) ([]flox.ErrorRecord, error) {
	n, p := s.keys.of(run)
	reply, err := s.script(ctx, n, scriptErrors, []string{p.run(run), p.errors(run)})
	if err != nil {
		return nil, err
	}
	r := list(reply)
	if err := readReply(r); err != nil {
		return nil, err
	}
	pairs := list(r[2])
	slots := map[int64]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		slots[integer(pairs, i)] = text(pairs, i+1)
	}
	var records []flox.ErrorRecord
	for number := max(0, integer(r, 1)-errorSlots); number < integer(r, 1); number++ {
		var e flox.ErrorRecord
		at, err := decodeStamped(slots[number%errorSlots], &e)
		if err != nil {
			return nil, err
		}
		e.Time = at
		records = append(records, e)
	}
	return records, nil
}

// History implements flox.ErrorStore.
func (s *Store) History(ctx context.Context, run string, from, limit int) ([]flox.StepRecord, error) {
	n, p := s.keys.of(run)
	if _, err := s.Info(ctx, run); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	from = max(from, 0)
	reply, err := s.command(ctx, n, "LRANGE", p.history(run), from, from+limit-1)
	if err != nil {
		return nil, fmt.Errorf("history of run %s: %w", run, err)
	}
	raw := list(reply)
	records := slices.Grow([]flox.StepRecord(nil), len(raw))
	for i := range raw {
		var step flox.StepRecord
		at, err := decodeStamped(text(raw, i), &step)
		if err != nil {
			return nil, fmt.Errorf("history of run %s: %w", run, err)
		}
		step.Time = at
		records = append(records, step)
	}
	return records, nil
}
