package integration

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/vmihailenco/msgpack/v5"
)

// checker reads a namespace's keys raw.
type checker struct {
	t      *testing.T
	rdb    redis.UniversalClient
	prefix string // "flox:{<namespace>:"
	parts  int
}

func (c checker) key(part int, name string) string {
	return fmt.Sprintf("%s%d}:%s", c.prefix, part, name)
}

// runs returns the keys of all runs' hashes, found by the index of completed
// runs and, to find what is in no index, by a scan.
func (c checker) runs() []string {
	c.t.Helper()
	var keys []string
	for _, k := range c.scan(c.prefix + "*:run:*") {
		if !strings.Contains(k, ":run:") {
			continue
		}
		keys = append(keys, k)
	}
	return keys
}

func (c checker) scan(pattern string) []string {
	c.t.Helper()
	seen := map[string]bool{}
	one := func(rdb redis.UniversalClient) error {
		it := rdb.Scan(c.t.Context(), 0, pattern, 1000).Iterator()
		for it.Next(c.t.Context()) {
			seen[it.Val()] = true
		}
		return it.Err()
	}
	var err error
	if cluster, ok := c.rdb.(*redis.ClusterClient); ok {
		for _, addr := range masters(c.t, cluster) {
			node := redis.NewClient(&redis.Options{Addr: addr})
			err = one(node)
			node.Close()
		}
	} else {
		err = one(c.rdb)
	}
	if err != nil {
		c.t.Fatalf("scan: %v", err)
	}
	return slices.Sorted(maps.Keys(seen))
}

func masters(t *testing.T, cluster *redis.ClusterClient) []string {
	t.Helper()
	var mu sync.Mutex
	var addrs []string
	err := cluster.ForEachMaster(t.Context(), func(_ context.Context, master *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		addrs = append(addrs, master.Options().Addr)
		return nil
	})
	if err != nil {
		t.Fatalf("masters of the cluster: %v", err)
	}
	return addrs
}

// check judges every run of width parts: completed (L1), every delta there and
// there once (S1), the ledger even (S9), one output; then that nothing is left
// in queues (S10, L4). The counts of the executions are the caller's.
func (c checker) check(want int, width int) {
	c.t.Helper()
	keys := c.runs()
	if len(keys) != want {
		c.t.Errorf("found %d runs, want %d", len(keys), want)
	}
	for _, key := range keys {
		c.checkRun(key, width)
	}
	c.checkRest()
}

func (c checker) checkRun(key string, width int) {
	c.t.Helper()
	h, err := c.rdb.HGetAll(c.t.Context(), key).Result()
	if err != nil {
		c.t.Errorf("%s: %v", key, err)
		return
	}
	n := func(field string) int { v, _ := strconv.Atoi(h[field]); return v }
	if h["status"] != "completed" {
		c.t.Errorf("%s: status %s (%s), want completed", key, h["status"], h["cause"])
	}
	if n("created") != n("committed")+n("failed")+n("dropped")+n("live") || n("live") != 0 || n("parked") != 0 {
		c.t.Errorf("%s: ledger created %d, committed %d, failed %d, dropped %d, live %d, parked %d does not add up",
			key, n("created"), n("committed"), n("failed"), n("dropped"), n("live"), n("parked"))
	}
	if got, want := n("committed"), 2+2*width; got != want {
		c.t.Errorf("%s: %d items committed, want %d", key, got, want)
	}
	if n("outs") != 1 {
		c.t.Errorf("%s: %d outputs, want 1", key, n("outs"))
	}
	for field := range h {
		switch field[:min(2, len(field))] {
		case "t:", "i:", "f:", "d:", "b:", "c:":
			c.t.Errorf("%s: field %s is left over", key, field)
		}
	}
	c.checkState(strings.Replace(key, ":run:", ":state:", 1), width)
}

// deltas counts the names that a run's state log holds.
func (c checker) deltas(key string) map[string]int {
	c.t.Helper()
	deltas, err := c.rdb.LRange(c.t.Context(), key, 0, -1).Result()
	if err != nil {
		c.t.Errorf("%s: %v", key, err)
	}
	seen := map[string]int{}
	for _, d := range deltas {
		if d == "" { // a snapshot of nothing
			continue
		}
		var delta struct {
			Items []string `msgpack:"items"`
		}
		if err := msgpack.NewDecoder(bytes.NewReader([]byte(d[1:]))).Decode(&delta); err != nil {
			c.t.Errorf("%s: delta %q: %v", key, d, err)
		}
		for _, item := range delta.Items {
			seen[item]++
		}
	}
	return seen
}

func (c checker) checkState(key string, width int) {
	c.t.Helper()
	seen := c.deltas(key)
	want := map[string]int{"split/0": 1, "sum/0": 1}
	for i := range width {
		want[fmt.Sprintf("first/%d", i)] = 1
		want[fmt.Sprintf("second/%d", i)] = 1
	}
	if !maps.Equal(seen, want) {
		c.t.Errorf("%s: deltas %v, want each of %d once", key, seen, len(want))
	}
}

func (c checker) checkRest() {
	c.t.Helper()
	for p := range c.parts {
		for _, q := range []string{"crunch", "crunch-second"} {
			key := c.key(p, "queue:"+q)
			if n := c.rdb.XLen(c.t.Context(), key).Val(); n != 0 {
				c.t.Errorf("%s: %d entries are left", key, n)
			}
			if pending, err := c.rdb.XPending(c.t.Context(), key, "flox").Result(); err == nil && pending.Count != 0 {
				c.t.Errorf("%s: %d entries are pending", key, pending.Count)
			}
		}
		for _, name := range []string{"delayed", "todo", "runs:active"} {
			if n := c.rdb.ZCard(c.t.Context(), c.key(p, name)).Val(); n != 0 {
				c.t.Errorf("%s: %d members are left", c.key(p, name), n)
			}
		}
	}
}
