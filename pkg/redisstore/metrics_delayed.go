package redisstore

import (
	"context"
	"slices"
	"strings"
)

// Delayed tokens are counted up to a number in each partition. That many tokens
// of one run are read at a time.
const (
	delayedMost  = 10_000
	delayedChunk = 500
)

// countDelayed counts the delayed tokens of one partition. The timers do not know
// the queues, so it looks at the tokens.
func (s *Store) countDelayed(ctx context.Context, n int, t *tally) error {
	p := s.keys.parts[n]
	reply, err := s.command(ctx, n, "ZRANGE", p.delayed(), 0, delayedMost-1)
	if err != nil {
		return err
	}
	reads := tokenReads(p, list(reply))
	return each(len(reads), func(i int) error {
		reply, err := s.command(ctx, n, reads[i]...)
		if spoilt(err) {
			return nil // the run is spoilt
		}
		t.delayed(list(reply))
		return err
	})
}

// tokenReads returns the commands that read the tokens of timers.
func tokenReads(p partition, timers []any) [][]any {
	byRun := map[string][]any{}
	for i := range timers {
		run, token, _ := strings.Cut(text(timers, i), "/")
		if token != "" { // else it is a deadline
			byRun[run] = append(byRun[run], "t:"+token)
		}
	}
	var reads [][]any
	for run, fields := range byRun {
		for chunk := range slices.Chunk(fields, delayedChunk) {
			reads = append(reads, append([]any{"HMGET", p.run(run)}, chunk...))
		}
	}
	return reads
}

// delayed counts tokens by their records.
func (t *tally) delayed(records []any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range records {
		record, err := parseToken(text(records, i))
		at, ok := t.at[record.queue]
		if err == nil && ok && (record.loc == "d" || record.loc == "w") {
			t.stats[at].Delayed++
		}
	}
}
