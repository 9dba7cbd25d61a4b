package redisstore

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/pkg/flox"
)

// checkTypes makes sure that nothing else uses the namespace's own keys. The
// keys of runs are looked at by the scripts.
func (s *Store) checkTypes(ctx context.Context) error {
	want := map[string]string{s.keys.workflows(): "hash", s.keys.workers(): "zset"}
	for _, p := range s.keys.parts {
		for key, kind := range p.types() {
			want[key] = kind
		}
		if s.replicas > 0 {
			want[p.mark()] = "hash"
		}
	}
	if s.replicas > 0 {
		want[s.keys.mark()] = "hash"
	}
	if err := s.compareTypes(ctx, want); err != nil {
		return err
	}
	streams, err := s.knownStreams(ctx)
	if err != nil {
		return err
	}
	return s.compareTypes(ctx, streams)
}

// knownStreams are the streams of the registered workflows' queues.
func (s *Store) knownStreams(ctx context.Context) (map[string]string, error) {
	records, err := s.client.HVals(ctx, s.keys.workflows()).Result()
	if err != nil {
		return nil, s.explain(err)
	}
	streams := map[string]string{}
	for _, record := range records {
		var w flox.WorkflowInfo
		if _, err := decodeStamped(record, &w); err != nil {
			continue // its workers write it anew; it must not keep those of others from starting
		}
		for _, p := range s.keys.parts {
			for _, q := range w.Queues {
				streams[p.queue(q)] = "stream"
			}
		}
	}
	return streams, nil
}

func (s *Store) compareTypes(ctx context.Context, want map[string]string) error {
	pipe := s.client.Pipeline()
	replies := map[string]*redis.StatusCmd{}
	for key := range want {
		replies[key] = pipe.Type(ctx, key)
	}
	if len(replies) == 0 {
		return nil
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return s.explain(err)
	}
	for key, reply := range replies {
		if got := reply.Val(); got != "none" && got != want[key] {
			return fmt.Errorf("redis at %s: key %s is a %s, flox keeps a %s there: use another namespace or remove it",
				s.address, key, got, want[key])
		}
	}
	return nil
}

func (s *Store) wrongType(key, want string, err error) error {
	if strings.HasPrefix(err.Error(), "WRONGTYPE") {
		return fmt.Errorf("redis at %s: key %s is not a %s: use another namespace or remove it", s.address, key, want)
	}
	return s.explain(err)
}
