package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/floxrun/flox/pkg/flox"
)

// Pace is asked before n keys or fields are read, and returns when they may be: so
// that what takes long takes little at a time. Its error ends the reading.
type Pace func(ctx context.Context, n int) error

// FailedRuns are the failed runs of a workflow that failed of errors of one class.
type FailedRuns struct {
	Workflow string
	Class    string // of flox.ErrorRecord; "" if it was no node that failed
}

// Survey is what the counters do not tell of the runs.
type Survey struct {
	Held    map[string]int64     // parked tokens of paused and failed runs, by queue
	Delayed map[string]int64     // tokens that will be ready at some time, by queue
	Failed  map[FailedRuns]int64 // how many there are
}

// surveyPart is about how many members or fields are read at a time.
const surveyPart = 500

// surveyor is one Survey. mu guards what is counted.
type surveyor struct {
	s    *Store
	pace Pace
	mu   sync.Mutex
	Survey
}

// Survey looks at every delayed token, failed run and, if there are paused ones, at
// every run that has not ended. What changes meanwhile may be counted as it was or
// as it is. Runs that something else has written to are passed over.
func (s *Store) Survey(ctx context.Context, pace Pace) (Survey, error) {
	v := &surveyor{s: s, pace: pace, Survey: Survey{
		Held: map[string]int64{}, Delayed: map[string]int64{}, Failed: map[FailedRuns]int64{},
	}}
	for n := range s.keys.parts {
		if err := v.partition(ctx, n); err != nil {
			return Survey{}, fmt.Errorf("survey: %w", err)
		}
	}
	return v.Survey, nil
}

func (v *surveyor) partition(ctx context.Context, n int) error {
	p := v.s.keys.parts[n]
	if err := v.pace(ctx, 1); err != nil {
		return err
	}
	reply, err := v.s.command(ctx, n, "HGETALL", p.stats())
	if err != nil {
		return err
	}
	if err := v.members(ctx, n, p.delayed(), v.timers); err != nil {
		return err
	}
	stats := map[string]map[flox.Status]int64{}
	addStats(stats, list(reply))
	for _, of := range []struct {
		status flox.Status
		index  string
	}{{flox.StatusPaused, p.active()}, {flox.StatusFailed, p.failed()}} {
		if !some(stats, of.status) {
			continue
		}
		if err := v.members(ctx, n, of.index, v.runs); err != nil {
			return err
		}
	}
	return nil
}

// some reports whether any workflow has runs of a status.
func some(stats map[string]map[flox.Status]int64, status flox.Status) bool {
	for _, counts := range stats {
		if counts[status] > 0 {
			return true
		}
	}
	return false
}

// members hands the members of a sorted set to f, part by part.
func (v *surveyor) members(ctx context.Context, n int, key string, f func(ctx context.Context, n int, members []any) error) error {
	for cursor := "0"; ; {
		if err := v.pace(ctx, 1); err != nil {
			return err
		}
		reply, err := v.s.command(ctx, n, "ZSCAN", key, cursor, "COUNT", surveyPart)
		if err != nil {
			return err
		}
		r := list(reply)
		if len(r) != 2 {
			return errDecode
		}
		var members []any
		for i, pairs := 0, list(r[1]); i+1 < len(pairs); i += 2 {
			members = append(members, pairs[i])
		}
		if err := v.pace(ctx, len(members)); err != nil {
			return err
		}
		if err := f(ctx, n, members); err != nil {
			return err
		}
		if cursor = text(r, 0); cursor == "0" {
			return nil
		}
	}
}

// timers counts the delayed tokens among timers.
func (v *surveyor) timers(ctx context.Context, n int, timers []any) error {
	reads := tokenReads(v.s.keys.parts[n], timers)
	return each(len(reads), func(i int) error {
		reply, err := v.s.command(ctx, n, reads[i]...)
		if spoilt(err) {
			return nil
		}
		records := list(reply)
		v.mu.Lock()
		defer v.mu.Unlock()
		for j := range records {
			t, err := parseToken(text(records, j))
			if err == nil && (t.loc == "d" || t.loc == "w") {
				v.Delayed[t.queue]++
			}
		}
		return err
	})
}

// runs looks at those of an index's runs that are paused or failed.
func (v *surveyor) runs(ctx context.Context, n int, members []any) error {
	return each(len(members), func(i int) error {
		run, _, _ := strings.Cut(text(members, i), "|")
		err := v.run(ctx, n, v.s.keys.parts[n].run(run))
		if spoilt(err) {
			return nil
		}
		return err
	})
}

func (v *surveyor) run(ctx context.Context, n int, key string) error {
	reply, err := v.s.command(ctx, n, "HMGET", key, "status", "workflow", "parked", "failure")
	if err != nil {
		return err
	}
	r := list(reply)
	switch flox.Status(text(r, 0)) {
	case flox.StatusFailed:
		v.failed(text(r, 1), text(r, 3))
	case flox.StatusPaused:
	default:
		return nil
	}
	if integer(r, 2) == 0 {
		return nil
	}
	return v.held(ctx, n, key)
}

func (v *surveyor) failed(workflow, failure string) {
	of := FailedRuns{Workflow: workflow}
	if failure != "" {
		var record flox.ErrorRecord
		if _, err := decodeStamped(failure, &record); err == nil {
			of.Class = record.Class
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.Failed[of]++
}

// held counts a run's parked tokens.
func (v *surveyor) held(ctx context.Context, n int, key string) error {
	for cursor := "0"; ; {
		reply, err := v.s.command(ctx, n, "HSCAN", key, cursor, "MATCH", "t:*", "COUNT", surveyPart)
		if err != nil {
			return err
		}
		r := list(reply)
		if len(r) != 2 {
			return errDecode
		}
		pairs := list(r[1])
		v.parked(pairs)
		if cursor = text(r, 0); cursor == "0" {
			return nil
		}
		if err := v.pace(ctx, surveyPart); err != nil { // a run of many fields
			return err
		}
	}
}

func (v *surveyor) parked(pairs []any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for i := 1; i < len(pairs); i += 2 {
		if t, err := parseToken(text(pairs, i)); err == nil && t.loc == "p" {
			v.Held[t.queue]++
		}
	}
}

// Moved reports whether the namespace has another number of partitions than the
// store, which was opened before it was there: the store is to be opened again.
func (s *Store) Moved(ctx context.Context) (bool, error) {
	reply, err := s.command(ctx, s.keys.home(), "HGET", s.keys.config(), "partitions")
	if err != nil {
		return false, err
	}
	stored := text([]any{reply}, 0)
	return stored != "" && stored != strconv.Itoa(len(s.keys.parts)), nil
}
