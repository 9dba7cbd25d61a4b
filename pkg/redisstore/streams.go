package redisstore

import (
	"time"

	"github.com/redis/go-redis/v9"
)

// reading is a read that go-redis sends once and whose answer it awaits no longer
// than the client's other answers: its own XReadGroup gives a server that hangs ten
// seconds more.
type reading struct{ *redis.XStreamSliceCmd }

// NoRetry tells go-redis not to repeat the read.
func (reading) NoRetry() bool { return true }

// readStreams reads streams once, and waits for entries until the time left is over.
func (s *Store) readStreams(consumer string, keys []string, count int, left time.Duration) ([]redis.XStream, error) {
	args := []any{"XREADGROUP", "GROUP", group, consumer, "COUNT", count}
	if left > 0 { // BLOCK 0 would wait for ever
		args = append(args, "BLOCK", max(min(left, maxBlock), time.Millisecond).Milliseconds())
	}
	args = append(args, "STREAMS")
	first := len(args)
	for _, key := range keys {
		args = append(args, key)
	}
	for range keys {
		args = append(args, ">")
	}
	read := reading{redis.NewXStreamSliceCmd(s.ctx, args...)}
	read.SetFirstKeyPos(int8(first))
	_ = s.blocking.Process(s.ctx, read)
	s.failed(read.Err())
	return read.Result()
}
