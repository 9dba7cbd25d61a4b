package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/pkg/flox"
)

// maxBlock is the longest that one read waits at the server.
const maxBlock = time.Second

// overtime is how long a claim waits for its reads to come back after its time.
const overtime = 100 * time.Millisecond

// claimer hands out what was read for one consumer. Reads go on when a claim is
// cancelled, because nothing but closing the connection interrupts them; what
// they bring is kept for the next claim for a moment, then given back.
type claimer struct {
	s        *Store
	consumer string

	mu      sync.Mutex
	buffer  []kept
	watched bool            // somebody gives back what stays in buffer
	reading map[string]bool // by partition and queues
	full    map[string]bool // of which the last read brought all it asked for; as reading
	next    int             // partition to read first
	err     error           // of the last read that failed
	wake    chan struct{}   // closed when a read came back
}

// claimer returns the consumer's; it is made at its first claim.
func (s *Store) claimer(consumer string) *claimer {
	s.claims.Lock()
	defer s.claims.Unlock()
	c := s.claimed[consumer]
	if c == nil {
		c = &claimer{s: s, consumer: consumer, reading: map[string]bool{}, full: map[string]bool{}, wake: make(chan struct{})}
		s.claimed[consumer] = c
	}
	return c
}

// Claim implements flox.WorkQueue.
func (s *Store) Claim(ctx context.Context, req flox.ClaimRequest) ([]flox.Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c := s.claimer(req.Consumer)
	deadline := time.Now().Add(req.Wait)
	patience := time.NewTimer(req.Wait + overtime)
	defer patience.Stop()
	for first := true; ; first = false {
		taken, wake, err := c.take(req, deadline, first)
		if err != nil {
			return nil, fmt.Errorf("claim: %w", err)
		}
		if taken != nil || wake == nil {
			return taken, nil
		}
		select {
		case <-wake:
		case <-patience.C:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// take returns entries from the buffer, or what to wait for: a read that comes
// back. It returns neither when the time is over and no read is under way.
func (c *claimer) take(req flox.ClaimRequest, deadline time.Time, first bool) ([]flox.Entry, <-chan struct{}, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if taken := c.buffered(req); taken != nil {
		return taken, nil, nil
	}
	left := time.Until(deadline)
	if c.err != nil && (left <= 0 || !transient(c.err)) {
		err := c.s.explain(c.err)
		c.err = nil
		return nil, nil, err
	}
	if first || left > 0 {
		if err := c.read(req, left); err != nil {
			return nil, nil, err
		}
	}
	if len(c.reading) == 0 {
		return nil, nil, nil
	}
	return nil, c.wake, nil
}

// buffered takes entries of the wanted queues out of the buffer.
func (c *claimer) buffered(req flox.ClaimRequest) []flox.Entry {
	var taken []flox.Entry
	var rest []kept
	for _, k := range c.buffer {
		if len(taken) < req.Max && slices.Contains(req.Queues, k.Queue) {
			taken = append(taken, k.Entry)
		} else {
			rest = append(rest, k)
		}
	}
	c.buffer = rest
	return taken
}

// read starts the reads that are not under way: of all partitions that seem to be
// empty, and of so many others as will bring enough, each in its turn. Those do
// not wait: if one is empty after all, another is read at once.
func (c *claimer) read(req flox.ClaimRequest, left time.Duration) error {
	if err := c.s.enter(); err != nil {
		return err
	}
	defer c.s.leave()
	parts, most, wanted := len(c.s.keys.parts), c.s.readCount(req), req.Max
	first, queues := c.next, strings.Join(req.Queues, " ")
	for i := range parts {
		n := (first + i) % parts
		id := strconv.Itoa(n) + " " + queues
		if c.reading[id] || c.full[id] && wanted <= 0 {
			continue
		}
		count, wait := most, left
		if c.full[id] {
			count, wait = max(1, min(count, wanted)), 0
			wanted -= count
			c.next = n + 1
		}
		c.reading[id] = true
		c.s.background.Go(func() {
			entries, err := c.s.readGroup(n, req, count, wait)
			c.finish(id, entries, len(entries) >= count, err)
		})
	}
	return nil
}

// finish takes what a read brought.
func (c *claimer) finish(id string, entries []flox.Entry, full bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.reading, id)
	if full {
		c.full[id] = true
	} else {
		delete(c.full, id)
	}
	now := time.Now()
	for _, e := range entries {
		c.buffer = append(c.buffer, kept{e, now})
	}
	c.watchSurplus()
	if err != nil || len(entries) > 0 {
		c.err = err
	}
	close(c.wake)
	c.wake = make(chan struct{})
}

// readGroup reads one partition's streams once.
func (s *Store) readGroup(n int, req flox.ClaimRequest, count int, left time.Duration) ([]flox.Entry, error) {
	p := s.keys.parts[n]
	var keys []string
	for _, q := range req.Queues {
		keys = append(keys, p.queue(q))
	}
	asked := time.Now()
	streams, err := s.readStreams(req.Consumer, keys, count, left)
	if err != nil && lostStream(err) {
		s.makeGroups(s.ctx, n, keys)
		asked = time.Now()
		streams, err = s.readStreams(req.Consumer, keys, count, left)
	}
	switch {
	case err == nil:
		if s.embedded { // its clock may be another one
			asked = time.Time{}
		}
		return s.dropForeign(s.ctx, n, p.entries(req.Consumer, asked, streams)), nil
	case errors.Is(err, redis.Nil):
		return nil, nil
	}
	_ = s.pause(s.ctx, 4)
	return nil, err
}

// lostStream reports whether a stream or its group was deleted, before a read or
// while it waited.
func lostStream(err error) bool {
	return strings.HasPrefix(err.Error(), "NOGROUP") || strings.HasPrefix(err.Error(), "UNBLOCKED")
}

// readCount is COUNT of one read: it holds for each stream. With several
// partitions most are empty, so each is asked for more than its share.
func (s *Store) readCount(req flox.ClaimRequest) int {
	share := min(len(s.keys.parts), 16) * len(req.Queues)
	return max(1, req.Max/max(1, share))
}

// entries reads the reply of XREADGROUP.
func (p partition) entries(consumer string, asked time.Time, streams []redis.XStream) []flox.Entry {
	var entries []flox.Entry
	for _, stream := range streams {
		for _, m := range stream.Messages {
			run, _ := m.Values["r"].(string)
			token, _ := m.Values["t"].(string)
			entries = append(entries, flox.Entry{
				Run: run, Token: token, Queue: p.queueName(stream.Stream), ID: m.ID, Consumer: consumer, Since: asked,
			})
		}
	}
	return entries
}
