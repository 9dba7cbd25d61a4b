package main

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
)

func TestCountCalls(t *testing.T) {
	stats := "# Commandstats\r\n" +
		"cmdstat_info:calls=7,usec=1\r\n" +
		"cmdstat_evalsha:calls=35,usec=90,usec_per_call=2.57\r\n" +
		"cmdstat_xgroup|create:calls=1,usec=3\r\n" +
		"cmdstat_monitor:calls=1,usec=3\r\n"
	if n, err := countCalls(stats); n != 36 || err != nil {
		t.Errorf("countCalls() = %d, %v, want 36", n, err)
	}
}

func TestMonitorCountsWhatClientsSend(t *testing.T) {
	ctx := t.Context()
	srv := testredis.Start(t)
	c := srv.Client()
	defer c.Close()
	if err := c.Ping(ctx).Err(); err != nil { // the connection's own commands go before
		t.Fatal(err)
	}
	m, err := watch(srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer m.stop()
	// What is not to be counted goes first: once the rest is seen, so was that.
	c.Info(ctx, "server")
	c.Eval(ctx, "redis.call('SET', KEYS[1], 1) return redis.call('GET', KEYS[1])", []string{"k"})
	c.Ping(ctx)
	c.Ping(ctx)
	for deadline := time.Now().Add(10 * time.Second); m.sent.Load() < 3 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if n := m.sent.Load(); n != 3 {
		t.Errorf("%d commands were counted, want 3", n)
	}
}

func TestUsageByKind(t *testing.T) {
	ctx := t.Context()
	srv := testredis.Start(t)
	c := srv.Client()
	defer c.Close()
	keys := map[string]string{
		"flox:{default:0}:run:1": "run", "flox:{default:0}:run:2": "run", "flox:{default:0}:runs:active": "runs",
		"flox:{default}:config": "config", "asynq:{default}:t:1": "t", "asynq:queues": "",
	}
	want := map[string]float64{}
	for key, kind := range keys {
		if err := c.Set(ctx, key, strings.Repeat("x", 100), 0).Err(); err != nil {
			t.Fatal(err)
		}
		want[kind] += float64(c.MemoryUsage(ctx, key).Val())
	}
	got, err := usage(ctx, c)
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("usage() = %v, %v, want %v", got, err, want)
	}
	if slices.Contains(slices.Collect(maps.Values(got)), 0) {
		t.Errorf("usage() = %v, want no kind without bytes", got)
	}
}

func TestWeigh(t *testing.T) {
	ctx := t.Context()
	srv := testredis.Start(t)
	c := srv.Client()
	defer c.Close()
	before, err := weigh(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	const size = 1 << 20
	if err := c.SetRange(ctx, "flox:{default:0}:run:1", size-1, "x").Err(); err != nil {
		t.Fatal(err)
	}
	after, err := weigh(ctx, c)
	if grown := after.memory - before.memory; err != nil || grown < size || grown > 2*size {
		t.Errorf("a key of a megabyte weighs %v bytes, %v", grown, err)
	}
	if after.kinds["run"] < size || before.kinds["run"] != 0 {
		t.Errorf("its kind weighs %v bytes, and %v before", after.kinds["run"], before.kinds["run"])
	}
}
