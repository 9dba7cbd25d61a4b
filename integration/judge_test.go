package integration

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/integration/checker"
)

// judge is what judges a namespace: its servers' keys, the execution log, and each
// command that took effect.
type judge struct {
	t       *testing.T
	ns      checker.Namespace
	watches []*checker.Watch
}

// newJudge begins to watch; do so before there is any client of the namespace.
func newJudge(t *testing.T, namespace string, parts int, raw redis.UniversalClient) *judge {
	t.Helper()
	j := &judge{t: t, ns: checker.Namespace{Name: namespace, Partitions: parts, Masters: masters(t, raw)}}
	for _, master := range j.ns.Masters {
		w, err := checker.Follow(t.Context(), master.Options().Addr, "flox:{"+namespace+":")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { w.Close() })
		j.watches = append(j.watches, w)
	}
	return j
}

// masters are clients of all servers that a client knows.
func masters(t *testing.T, raw redis.UniversalClient) []*redis.Client {
	t.Helper()
	cluster, ok := raw.(*redis.ClusterClient)
	if !ok {
		return []*redis.Client{raw.(*redis.Client)}
	}
	var mu sync.Mutex
	var all []*redis.Client
	err := cluster.ForEachMaster(t.Context(), func(_ context.Context, master *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		all = append(all, master)
		return nil
	})
	if err != nil {
		t.Fatalf("masters of the cluster: %v", err)
	}
	return all
}

func (j *judge) read() *checker.Snapshot {
	j.t.Helper()
	s, err := checker.Read(j.t.Context(), j.ns)
	if err != nil {
		j.t.Fatal(err)
	}
	return s
}

// watched is what the servers' commands have shown so far.
func (j *judge) watched() *checker.Report {
	j.t.Helper()
	ctx, cancel := context.WithTimeout(j.t.Context(), time.Minute)
	defer cancel()
	all := &checker.Report{}
	for _, w := range j.watches {
		r, err := w.Report(ctx)
		if err != nil {
			j.t.Fatal(err)
		}
		all.Add(r)
	}
	return all
}

// fail fails the test if a rule was broken.
func (j *judge) fail(when string, r *checker.Report) {
	j.t.Helper()
	if r.Violations() > 0 {
		j.t.Errorf("%s: %d violations:\n%s", when, r.Violations(), r.Details())
	}
}
