package redisstore

import (
	"context"
	"fmt"
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

// hub is the store's one subscription to the changes of status. It begins with
// the first Watch and lasts until Close, so that later ones cost nothing.
type hub struct {
	mu      sync.Mutex
	sub     *redis.PubSub
	readers map[chan flox.RunEvent]bool
}

// Watch implements flox.MetricsStore.
func (s *Store) Watch(ctx context.Context) (<-chan flox.RunEvent, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	h := &s.events
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sub == nil {
		if err := s.subscribe(ctx); err != nil {
			return nil, fmt.Errorf("watch: %w", s.explain(err))
		}
	}
	events := make(chan flox.RunEvent, watchBuffer)
	h.readers[events] = true
	context.AfterFunc(ctx, func() { h.remove(events) })
	return events, nil
}

// subscribe returns when the subscription holds, so that no event after it is missed.
func (s *Store) subscribe(ctx context.Context) error {
	var channels []string
	for _, p := range s.keys.parts {
		channels = append(channels, p.events())
	}
	sub := s.blocking.Subscribe(s.ctx, channels...)
	for range channels {
		if _, err := sub.ReceiveTimeout(ctx, subscribeLimit); err != nil {
			_ = sub.Close()
			return err
		}
	}
	s.events.sub, s.events.readers = sub, map[chan flox.RunEvent]bool{}
	s.background.Go(s.broadcast)
	return nil
}

// broadcast hands events to all readers; a slow one loses some.
func (s *Store) broadcast() {
	h := &s.events
	messages := h.sub.Channel()
	for open := true; open; {
		select {
		case <-s.ctx.Done():
			open = false
		case m, ok := <-messages:
			if !ok {
				open = false
				continue
			}
			run, status, _ := strings.Cut(m.Payload, " ")
			h.send(flox.RunEvent{Run: run, Status: flox.Status(status)})
		}
	}
	_ = h.sub.Close()
	h.mu.Lock()
	defer h.mu.Unlock()
	for events := range h.readers {
		close(events)
	}
	h.readers, h.sub = nil, nil
}

func (h *hub) send(e flox.RunEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for events := range h.readers {
		select {
		case events <- e:
		default:
		}
	}
}

func (h *hub) remove(events chan flox.RunEvent) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.readers[events] {
		delete(h.readers, events)
		close(events)
	}
}
