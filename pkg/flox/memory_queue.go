package flox

import (
	"container/list"
	"context"
	"strconv"
	"time"
)

// memQueue holds the entries of one queue, oldest first.
type memQueue struct {
	ready, claimed *list.List
	taken          int64 // entries that were ever claimed
}

// memEntry points to a token. While it is queued, the token points back.
type memEntry struct {
	id         string
	token      *memToken
	queue      *memQueue
	element    *list.Element // in queue.claimed if consumer is set, else in queue.ready
	consumer   string
	added      time.Time
	leaseStart time.Time // of the claim or its last renewal
	sequence   int64
}

func (e *memEntry) entry() Entry {
	return Entry{Run: e.token.run.id, Token: e.token.id, Queue: e.token.queue, ID: e.id, Consumer: e.consumer}
}

func (m *Memory) queue(name string) *memQueue {
	q := m.queues[name]
	if q == nil {
		q = &memQueue{ready: list.New(), claimed: list.New()}
		m.queues[name] = q
	}
	return q
}

// addEntry puts an entry for t at the end of its queue and wakes who waits.
func (m *Memory) addEntry(t *memToken) {
	m.sequence++
	e := &memEntry{
		id: strconv.FormatInt(m.sequence, 10), sequence: m.sequence,
		token: t, queue: m.queue(t.queue), added: time.Now(),
	}
	e.element = e.queue.ready.PushBack(e)
	m.entries[e.id] = e
	t.entry = e
	if m.arrived != nil {
		close(m.arrived)
		m.arrived = nil
	}
}

// removeEntry takes t's entry out of its queue.
func (m *Memory) removeEntry(t *memToken) {
	e := t.entry
	t.entry = nil
	delete(m.entries, e.id)
	if e.consumer == "" {
		e.queue.ready.Remove(e.element)
	} else {
		e.queue.claimed.Remove(e.element)
	}
}

// Claim implements WorkQueue. It takes the oldest entries of all the queues.
func (m *Memory) Claim(ctx context.Context, req ClaimRequest) ([]Entry, error) {
	var timeout <-chan time.Time // nil until we must wait
	for {
		if err := m.lock(ctx); err != nil {
			return nil, err
		}
		entries := m.takeReady(req)
		arrived := m.arrivals()
		m.mu.Unlock()
		if len(entries) > 0 || req.Wait <= 0 {
			return entries, nil
		}
		if timeout == nil {
			timer := time.NewTimer(req.Wait)
			defer timer.Stop()
			timeout = timer.C
		}
		select {
		case <-arrived:
		case <-timeout:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// arrivals returns a channel that is closed when the next entry comes.
func (m *Memory) arrivals() <-chan struct{} {
	if m.arrived == nil {
		m.arrived = make(chan struct{})
	}
	return m.arrived
}

func (m *Memory) takeReady(req ClaimRequest) []Entry {
	var entries []Entry
	for len(entries) < req.Max {
		e := m.oldestReady(req.Queues)
		if e == nil {
			break
		}
		e.queue.ready.Remove(e.element)
		e.element = e.queue.claimed.PushBack(e)
		e.queue.taken++
		e.consumer = req.Consumer
		e.leaseStart = time.Now()
		entries = append(entries, e.entry())
	}
	return entries
}

func (m *Memory) oldestReady(queues []string) *memEntry {
	var oldest *memEntry
	for _, name := range queues {
		front := m.queue(name).ready.Front()
		if front == nil {
			continue
		}
		if e := front.Value.(*memEntry); oldest == nil || e.sequence < oldest.sequence {
			oldest = e
		}
	}
	return oldest
}

// Reclaim implements WorkQueue. Only what was granted counts as a crash.
func (m *Memory) Reclaim(ctx context.Context, req ReclaimRequest) ([]Entry, error) {
	if err := m.lock(ctx); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	var entries []Entry
	for _, e := range m.expired(req) {
		if e.token.run.status == StatusCancelled {
			m.drop(e.token)
			continue
		}
		if e.token.owner != "" {
			e.token.crashes++
			e.token.owner = ""
		}
		e.consumer = req.Consumer
		e.leaseStart = time.Now()
		entry := e.entry()
		entry.Crashes = e.token.crashes
		entries = append(entries, entry)
	}
	return entries, nil
}

func (m *Memory) expired(req ReclaimRequest) []*memEntry {
	var expired []*memEntry
	for _, name := range req.Queues {
		for element := m.queue(name).claimed.Front(); element != nil; element = element.Next() {
			e := element.Value.(*memEntry)
			if len(expired) < req.Max && time.Since(e.leaseStart) >= req.Lease {
				expired = append(expired, e)
			}
		}
	}
	return expired
}
