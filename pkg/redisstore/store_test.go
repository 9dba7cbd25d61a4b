package redisstore_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/floxtest"
	"github.com/floxrun/flox/pkg/redisstore"
)

// open opens a namespace that no other test uses.
func open(t *testing.T, cfg redisstore.Config) *redisstore.Store {
	t.Helper()
	cfg.Namespace = "test-" + strings.ToLower(rand.Text())
	s, err := redisstore.Open(t.Context(), cfg)
	if err != nil {
		t.Fatalf("Open = %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return s
}

// backend looks at the store's keys without flox.
type backend struct {
	client  redis.UniversalClient
	servers []redis.UniversalClient // to list the keys of
	store   *redisstore.Store
	n       int
}

func (b *backend) backend(advance func(time.Duration)) floxtest.Backend {
	return floxtest.Backend{
		Store: b.store, Dump: b.dump, BreakKey: b.breakKey, LoseQueues: b.loseQueues, Advance: advance,
	}
}

// all lists the namespace's keys of runs and queues.
func (b *backend) all(t *testing.T) []string {
	t.Helper()
	var keys []string
	for _, server := range b.servers {
		found, err := server.Keys(context.Background(), "flox:{"+b.store.Namespace()+":*").Result()
		if err != nil {
			t.Fatalf("KEYS = %v", err)
		}
		keys = append(keys, found...)
	}
	return keys
}

func (b *backend) dump(t *testing.T) map[string]string {
	t.Helper()
	dump := map[string]string{}
	for _, key := range b.all(t) {
		dump[key] = b.value(t, key)
	}
	return dump
}

func (b *backend) value(t *testing.T, key string) string {
	t.Helper()
	ctx, c := context.Background(), b.client
	kind, err := c.Type(ctx, key).Result()
	if err != nil {
		t.Fatalf("TYPE %s = %v", key, err)
	}
	switch kind {
	case "hash":
		return fmt.Sprintf("%q", c.HGetAll(ctx, key).Val())
	case "list":
		return fmt.Sprintf("%q", c.LRange(ctx, key, 0, -1).Val())
	case "zset":
		return fmt.Sprint(c.ZRangeWithScores(ctx, key, 0, -1).Val())
	case "stream":
		text := fmt.Sprint(c.XRange(ctx, key, "-", "+").Val())
		pending, _ := c.XPendingExt(ctx, &redis.XPendingExtArgs{
			Stream: key, Group: "flox", Start: "-", End: "+", Count: 100_000,
		}).Result()
		for _, p := range pending {
			text += " " + p.ID + "=" + p.Consumer
		}
		return text
	}
	return kind + " " + c.Get(ctx, key).Val()
}

func (b *backend) breakKey(t *testing.T, run, kind string) bool {
	t.Helper()
	key := fmt.Sprintf("flox:{%s:%d}:%s:%s", b.store.Namespace(), flox.Partition(run, b.n), kind, run)
	ctx := context.Background()
	if err := b.client.Del(ctx, key).Err(); err != nil {
		t.Fatal(err)
	}
	if err := b.client.Set(ctx, key, "not flox's", 0).Err(); err != nil {
		t.Fatal(err)
	}
	return true
}

func (b *backend) loseQueues(t *testing.T) bool {
	t.Helper()
	for _, key := range b.all(t) {
		if strings.Contains(key, "}:queue:") || strings.HasSuffix(key, "}:delayed") {
			if err := b.client.Del(context.Background(), key).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return true
}

func TestStoreOnMiniredis(t *testing.T) {
	t.Parallel()
	floxtest.TestStore(t, func(t *testing.T) floxtest.Backend {
		m := miniredis.RunT(t)
		var mu sync.Mutex
		var ahead time.Duration
		c := redis.NewClient(&redis.Options{Addr: m.Addr(), Protocol: 2})
		t.Cleanup(func() { _ = c.Close() })
		s := open(t, redisstore.Config{URL: "redis://" + m.Addr(), Embedded: true})
		b := &backend{client: c, servers: []redis.UniversalClient{c}, store: s, n: 1}
		return b.backend(func(d time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			ahead += d
			m.SetTime(time.Now().Add(ahead))
		})
	})
}

func TestStoreOnRedis(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	c := server.Client()
	t.Cleanup(func() { _ = c.Close() })
	floxtest.TestStore(t, func(t *testing.T) floxtest.Backend {
		s := open(t, redisstore.Config{URL: server.URL()})
		b := &backend{client: c, servers: []redis.UniversalClient{c}, store: s, n: 1}
		return b.backend(time.Sleep)
	})
}

func TestStoreOnCluster(t *testing.T) {
	t.Parallel()
	cluster := testredis.Cluster(t, 3)
	c := cluster.Client()
	t.Cleanup(func() { _ = c.Close() })
	var servers []redis.UniversalClient
	for _, node := range cluster.Nodes {
		one := node.Client()
		t.Cleanup(func() { _ = one.Close() })
		servers = append(servers, one)
	}
	floxtest.TestStore(t, func(t *testing.T) floxtest.Backend {
		s := open(t, redisstore.Config{URL: cluster.URL(), Partitions: 8})
		b := &backend{client: c, servers: slices.Clone(servers), store: s, n: 8}
		return b.backend(time.Sleep)
	})
}
