package integration

import (
	"context"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/internal/testredis"
)

// faults is how long a fault goes on, or is repeated.
const faults = 3 * time.Second

// TestLostConnections resets all connections again and again.
func TestLostConnections(t *testing.T) {
	server := testredis.Start(t)
	underFault(t, server, func(ctx context.Context, rdb *redis.Client) {
		every(ctx, 300*time.Millisecond, func() {
			rdb.ClientKillByFilter(ctx, "TYPE", "normal", "SKIPME", "yes")
			rdb.ClientKillByFilter(ctx, "TYPE", "pubsub")
		})
	})
}

// TestForgottenScripts empties Redis' script cache again and again.
func TestForgottenScripts(t *testing.T) {
	server := testredis.Start(t)
	underFault(t, server, func(ctx context.Context, rdb *redis.Client) {
		every(ctx, 50*time.Millisecond, func() { rdb.ScriptFlush(ctx) })
	})
}

// TestRedisKilled kills Redis itself, twice, and starts it again from its log.
func TestRedisKilled(t *testing.T) {
	server := testredis.Start(t)
	underFault(t, server, func(ctx context.Context, _ *redis.Client) {
		for range 2 {
			time.Sleep(faults / 4)
			server.Kill()
			time.Sleep(300 * time.Millisecond)
			if err := server.Restart(context.WithoutCancel(ctx)); err != nil {
				t.Errorf("restart redis: %v", err)
			}
		}
	})
}

// TestLostQueues deletes the queues, with all that is ready and leased in them.
func TestLostQueues(t *testing.T) {
	server := testredis.Start(t)
	underFault(t, server, func(ctx context.Context, rdb *redis.Client) {
		time.Sleep(faults / 3)
		if n := rdb.Del(ctx, "flox:{faults:0}:queue:crunch", "flox:{faults:0}:queue:crunch-second").Val(); n != 2 {
			t.Errorf("deleted %d queues, want 2", n)
		}
	})
}

func every(ctx context.Context, d time.Duration, f func()) {
	for ctx.Err() == nil {
		f()
		time.Sleep(d)
	}
}

// underFault runs jobs on three workers while inject does its harm. All runs
// complete, and the workers are the same processes at the end.
func underFault(t *testing.T, server *testredis.Server, inject func(context.Context, *redis.Client)) {
	t.Helper()
	const runs, width = 60, 12
	raw := server.Client()
	t.Cleanup(func() { raw.Close() })
	j := newJudge(t, "faults", 1, raw)
	fleet := newFleet(t, server.URL(), "faults", 3)
	ids := startRuns(t, server.URL(), "faults", runs, width)
	before := len(fleet.executions())
	ctx, cancel := context.WithTimeout(t.Context(), faults)
	defer cancel()
	inject(ctx, raw)
	cancel()
	if during := len(fleet.executions()) - before; during == 0 {
		t.Error("nothing was executed while the fault went on: it hit nothing")
	}
	awaitRuns(t, server.URL(), "faults", ids)
	awaitIdle(t, raw, "faults", 1)
	j.judge(checker.Case{Want: wants(ids, width)}, fleet.log)
	for i, p := range fleet.procs {
		select {
		case <-p.ended:
			t.Errorf("worker %d has ended", i)
		default:
		}
	}
}
