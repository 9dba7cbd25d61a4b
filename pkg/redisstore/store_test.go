package redisstore_test

import (
	"cmp"
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
	cfg.Namespace = cmp.Or(cfg.Namespace, "test-"+strings.ToLower(rand.Text()))
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

// dump reads all keys in two pipelines: their types, then their values.
func (b *backend) dump(t *testing.T) map[string]string {
	t.Helper()
	ctx, keys := context.Background(), b.all(t)
	kinds := make([]*redis.StatusCmd, len(keys))
	types := b.client.Pipeline()
	for i, key := range keys {
		kinds[i] = types.Type(ctx, key)
	}
	if _, err := types.Exec(ctx); err != nil {
		t.Fatalf("TYPE = %v", err)
	}
	values := b.client.Pipeline()
	texts := make([]func() string, len(keys))
	for i, key := range keys {
		texts[i] = value(values, key, kinds[i].Val())
	}
	// A stream without a group fails, which is as good as nothing pending.
	_, _ = values.Exec(ctx)
	dump := map[string]string{}
	for i, key := range keys {
		dump[key] = texts[i]()
	}
	return dump
}

// value asks for what is in a key; the text is there when the pipeline was executed.
func value(c redis.Pipeliner, key, kind string) func() string {
	ctx := context.Background()
	switch kind {
	case "hash":
		all := c.HGetAll(ctx, key)
		return func() string { return fmt.Sprintf("%q", all.Val()) }
	case "list":
		all := c.LRange(ctx, key, 0, -1)
		return func() string { return fmt.Sprintf("%q", all.Val()) }
	case "zset":
		all := c.ZRangeWithScores(ctx, key, 0, -1)
		return func() string { return fmt.Sprint(all.Val()) }
	case "stream":
		all := c.XRange(ctx, key, "-", "+")
		pending := c.XPendingExt(ctx, &redis.XPendingExtArgs{
			Stream: key, Group: "flox", Start: "-", End: "+", Count: 100_000,
		})
		return func() string {
			text := fmt.Sprint(all.Val())
			for _, p := range pending.Val() {
				text += " " + p.ID + "=" + p.Consumer
			}
			return text
		}
	}
	one := c.Get(ctx, key)
	return func() string { return kind + " " + one.Val() }
}

func (b *backend) breakKey(t *testing.T, run, kind string) bool {
	t.Helper()
	prefix := fmt.Sprintf("flox:{%s:%d}:", b.store.Namespace(), flox.Partition(run, b.n))
	key, ctx := prefix+kind+":"+run, context.Background()
	if kind == "history" { // the first records go elsewhere: let it have committed those
		for _, counter := range []string{"committed", "created"} {
			if err := b.client.HIncrBy(ctx, prefix+"run:"+run, counter, 16).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
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

// TestStoreOnRedis logs in as the user that is shipped for workers, who may do
// all that a store does.
func TestStoreOnRedis(t *testing.T) {
	t.Parallel()
	server, url := aclServer(t, "")
	c := server.Client()
	t.Cleanup(func() { // when all parallel tests have ended
		if all := denied(t, c); len(all) > 0 {
			t.Errorf("refused: %v, want nothing", all)
		}
		_ = c.Close()
	})
	floxtest.TestStore(t, func(t *testing.T) floxtest.Backend {
		s := open(t, redisstore.Config{URL: url("flox-worker")})
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
