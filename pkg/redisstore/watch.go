package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/pkg/flox"
)

// subscribeLimit is how long the server may take to confirm a subscription; the
// library would wait for ever.
const subscribeLimit = 3 * time.Second

// watchBuffer is how many events a reader may be behind before it loses some.
const watchBuffer = 256

// watchSilence is the silence of a hub.
const watchSilence = 10 * time.Second

// hub is the store's one subscription to a channel of each partition. It begins
// with the first reader and lasts until Close, so that later ones cost nothing.
type hub[E any] struct {
	begins   chan struct{} // holds one while somebody reads it for the first time
	mu       sync.Mutex
	readers  map[chan E]bool // nil while there is no subscription
	channels []string
	parse    func(payload string) (E, bool)
	missed   func() (E, bool) // what to tell when events may have been lost
	// silence is how long nothing may be heard before the server is asked whether it
	// is there, and how long it has to answer.
	silence time.Duration
}

// Watch implements flox.MetricsStore.
func (s *Store) Watch(ctx context.Context) (<-chan flox.RunEvent, error) {
	return read(ctx, s, &s.events, partition.events)
}

// Alerts implements flox.MetricsStore.
func (s *Store) Alerts(ctx context.Context) (<-chan flox.Alert, error) {
	return read(ctx, s, &s.alerts, partition.alerts)
}

// makeHubs says what the channels carry.
func (s *Store) makeHubs() {
	s.events.parse = func(payload string) (flox.RunEvent, bool) {
		run, status, ok := strings.Cut(payload, " ")
		return flox.RunEvent{Run: run, Status: flox.Status(status)}, ok
	}
	s.events.begins, s.alerts.begins = make(chan struct{}, 1), make(chan struct{}, 1)
	s.events.silence, s.alerts.silence = watchSilence, watchSilence
	s.events.missed = func() (e flox.RunEvent, tell bool) { return e, false }
	s.alerts.parse = parseAlert
	s.alerts.missed = func() (flox.Alert, bool) {
		s.unleased.Clear() // the server may have come back with older data
		return flox.Alert{}, true
	}
}

// parseAlert reads "<run> <status>", or "+<ms>" until a timer is due.
func parseAlert(payload string) (flox.Alert, bool) {
	if due, ok := strings.CutPrefix(payload, "+"); ok {
		ms, err := strconv.ParseInt(due, 10, 64)
		return flox.Alert{Due: time.Duration(min(ms, mostDue)) * time.Millisecond}, err == nil && ms >= 0
	}
	run, status, ok := strings.Cut(payload, " ")
	return flox.Alert{Run: run, Status: flox.Status(status)}, ok && run != ""
}

// mostDue is the longest time until a timer that is told, in ms; a longer one would
// not fit a Duration.
const mostDue = int64(1<<63-1) / int64(time.Millisecond)

func read[E any](ctx context.Context, s *Store, h *hub[E], channel func(partition) string) (<-chan E, error) {
	select {
	case h.begins <- struct{}{}:
		defer func() { <-h.begins }()
	case <-ctx.Done():
		return nil, fmt.Errorf("watch: %w", context.Cause(ctx))
	case <-s.ctx.Done():
		return nil, errClosed
	}
	if !h.begun() {
		h.channels = nil
		for _, p := range s.keys.parts {
			h.channels = append(h.channels, channel(p))
		}
		sub, err := h.subscribe(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("watch: %w", s.explain(err))
		}
		if err := s.enter(); err != nil {
			_ = sub.Close()
			return nil, err
		}
		h.begin()
		s.background.Go(func() { h.broadcast(s, sub) })
		s.leave()
	}
	events := make(chan E, watchBuffer)
	if !h.add(events) {
		return nil, errClosed
	}
	context.AfterFunc(ctx, func() { h.remove(events) })
	return events, nil
}

func (h *hub[E]) begun() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.readers != nil
}

func (h *hub[E]) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readers = map[chan E]bool{}
}

// add reports whether the subscription has not ended meanwhile.
func (h *hub[E]) add(events chan E) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readers != nil {
		h.readers[events] = true
	}
	return h.readers != nil
}

// subscribe returns when the subscription holds, so that no event after it is missed.
func (h *hub[E]) subscribe(ctx context.Context, s *Store) (*redis.PubSub, error) {
	sub := s.blocking.Subscribe(s.ctx, h.channels...)
	defer s.closing(sub)()
	for range h.channels {
		if _, err := sub.ReceiveTimeout(ctx, subscribeLimit); err != nil {
			_ = sub.Close()
			return nil, err
		}
	}
	return sub, nil
}

// broadcast hands events to all readers until the store is closed; a slow one loses
// some. The library subscribes again over the next connection when one was lost,
// but it does not see that a server is silent because it is gone.
func (h *hub[E]) broadcast(s *Store, sub *redis.PubSub) {
	stop := s.closing(sub)
	asked, failed := false, 0
	for s.ctx.Err() == nil {
		message, err := sub.ReceiveTimeout(s.ctx, h.silence)
		if err == nil {
			asked, failed = false, 0
			h.hear(message)
			continue
		}
		var network net.Error
		switch silent := errors.As(err, &network) && network.Timeout(); {
		case silent && !asked:
			asked = sub.Ping(s.ctx) == nil
		case silent:
			stop()
			_ = sub.Close()
			sub, asked = s.blocking.Subscribe(s.ctx, h.channels...), false
			stop = s.closing(sub)
		default:
			_ = s.pause(s.ctx, failed)
			failed++
		}
	}
	stop()
	_ = sub.Close()
	h.mu.Lock()
	defer h.mu.Unlock()
	for events := range h.readers {
		close(events)
	}
	h.readers = nil
}

// closing lets a subscription end with the store: nothing else ends a read of it.
func (s *Store) closing(sub *redis.PubSub) (stop func() bool) {
	return context.AfterFunc(s.ctx, func() { _ = sub.Close() })
}

func (h *hub[E]) hear(message any) {
	switch m := message.(type) {
	case *redis.Subscription: // anew
		if event, tell := h.missed(); tell {
			h.send(event)
		}
	case *redis.Message: // one event on each line
		for line := range strings.SplitSeq(m.Payload, "\n") {
			if event, ok := h.parse(line); ok {
				h.send(event)
			}
		}
	}
}

func (h *hub[E]) send(event E) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for events := range h.readers {
		select {
		case events <- event:
		default:
		}
	}
}

func (h *hub[E]) remove(events chan E) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readers[events] {
		delete(h.readers, events)
		close(events)
	}
}
