package redisstore

import (
	"context"
	"fmt"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// errorSlots is how many errors a run keeps.
const errorSlots = 100

// firstRecords is how many records of a run's history are fields of the run itself,
// by their numbers. Those after them are in a list.
const firstRecords = 16

func historyField(number int) string { return fmt.Sprintf("h:%d", number) }

var scriptHistory = mustLoad("history")

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
	raw, err := s.steps(ctx, run, max(from, 0), max(limit, 0))
	if err != nil {
		return nil, fmt.Errorf("history of run %s: %w", run, err)
	}
	records := slices.Grow([]flox.StepRecord(nil), len(raw))
	for i := range raw {
		step, err := decodeStep(text(raw, i))
		if err != nil {
			return nil, fmt.Errorf("history of run %s: %w", run, err)
		}
		records = append(records, step)
	}
	return records, nil
}

// steps reads some of a run's history as it is kept.
func (s *Store) steps(ctx context.Context, run string, from, limit int) ([]any, error) {
	n, p := s.keys.of(run)
	reply, err := s.script(ctx, n, scriptHistory, []string{p.run(run), p.history(run)}, from, limit)
	if err != nil {
		return nil, err
	}
	r := list(reply)
	if err := readReply(r); err != nil {
		return nil, err
	}
	return list(r[1]), nil
}

func decodeStep(raw string) (flox.StepRecord, error) {
	at, record, err := cutStamp(raw)
	if err != nil {
		return flox.StepRecord{}, err
	}
	step, err := flox.DecodeStep([]byte(record))
	step.Time = at
	return step, err
}
