package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"sync"
)

// rounds goes through the runs of an index, some at each call, until it has seen
// all; then it begins anew. Runs with nothing to do keep none from their turn.
type rounds struct {
	index func(p partition) string
	count int // about how many runs of a partition are taken at once

	mu sync.Mutex
	at []string // where to go on, by partition
}

func newRounds(parts, count int, index func(p partition) string) *rounds {
	return &rounds{index: index, count: count, at: make([]string, parts)}
}

// next returns the next members of a partition's index, and a cursor: to be
// passed to done when they are not to come again, "0" if they were the last.
func (r *rounds) next(ctx context.Context, s *Store, n int) (members []string, cursor string, err error) {
	r.mu.Lock()
	from := cmp.Or(r.at[n], "0")
	r.mu.Unlock()
	reply, err := s.command(ctx, n, "ZSCAN", r.index(s.keys.parts[n]), from, "COUNT", r.count)
	if err != nil {
		return nil, "", err
	}
	page := list(reply)
	if len(page) != 2 {
		return nil, "", fmt.Errorf("ZSCAN: %w", errDecode)
	}
	pairs := list(page[1])
	for i := 0; i < len(pairs); i += 2 {
		members = append(members, text(pairs, i))
	}
	return members, text(page, 0), nil
}

func (r *rounds) done(n int, cursor string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at[n] = cursor
}
