package redisstore_test

import (
	"context"
	"errors"
	"hash/fnv"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/flox/floxtest"
	"github.com/floxrun/flox/pkg/redisstore"
)

// replicated is a master with a replica.
func replicated(t *testing.T) (master, replica *testredis.Server) {
	t.Helper()
	master = testredis.Start(t)
	replica, err := testredis.NewReplica(t.Context(), master)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(replica.Stop)
	return master, replica
}

// TestStoreOnReplicatedRedis runs every fourth test of the suite in wait mode: what
// differs is how calls are sent, not which. All of them with FLOX_TEST_WAIT=all.
func TestStoreOnReplicatedRedis(t *testing.T) {
	t.Parallel()
	master, _ := replicated(t)
	c := master.Client()
	t.Cleanup(func() { _ = c.Close() })
	floxtest.TestStore(t, func(t *testing.T) floxtest.Backend {
		name := fnv.New32a()
		_, _ = name.Write([]byte(t.Name()))
		if name.Sum32()%4 != 0 && os.Getenv("FLOX_TEST_WAIT") != "all" {
			t.Skip("only with FLOX_TEST_WAIT=all")
		}
		s := open(t, redisstore.Config{URL: master.URL(), Durability: redisstore.DurabilityWait})
		b := &backend{client: c, servers: []redis.UniversalClient{c}, store: s, n: 1}
		return b.backend(time.Sleep)
	})
}

func TestWaitRefusesWhatCannotBe(t *testing.T) {
	server := testredis.Start(t)
	wait := func(cfg redisstore.Config) redisstore.Config {
		cfg.URL, cfg.Durability = server.URL(), redisstore.DurabilityWait
		return cfg
	}
	refused(t, wait(redisstore.Config{}), "has 0 replicas online, durability wait needs 1")
	refused(t, wait(redisstore.Config{Embedded: true}), "an embedded server has no replicas")
	refused(t, wait(redisstore.Config{Replicas: -1}), "-1 replicas: want 1 to 100")
	refused(t, wait(redisstore.Config{ReplicaTimeout: 3 * time.Second}), "at most 2s")
	refused(t, redisstore.Config{URL: server.URL(), Durability: "sync"}, `durability "sync": want async or wait`)
	refused(t, redisstore.Config{URL: server.URL(), Replicas: 2}, "with durability wait only")
}

// A change is not acknowledged until the replica has it, and then once; nor is its
// repeat over another connection, which changes nothing.
func TestWaitForTheReplica(t *testing.T) {
	master, replica := replicated(t)
	seen := &refusals{}
	cfg := redisstore.Config{
		URL: master.URL(), Durability: redisstore.DurabilityWait, ReplicaTimeout: 50 * time.Millisecond, Observer: seen,
	}
	s := open(t, cfg)
	if err := s.Start(t.Context(), request("a")); err != nil {
		t.Fatal(err)
	}
	entries, err := s.Claim(t.Context(), flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 1, Wait: time.Minute})
	if err != nil || len(entries) != 1 {
		t.Fatalf("Claim = %v, %v, want the run", entries, err)
	}
	loaded, err := s.Load(t.Context(), entries[0], "o", 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := replica.Pause(); err != nil {
		t.Fatal(err)
	}
	commit := flox.Commit{Lease: loaded.Lease, Op: flox.OpEnd, Output: []byte("out"), Read: -1}
	namespace := s.Namespace()
	seen.unconfirmed(t, func(ctx context.Context) error { _, err := s.Commit(ctx, commit); return err })
	c := master.Client()
	defer c.Close()
	if got := c.HGet(t.Context(), "flox:{"+namespace+":0}:run:a", "status").Val(); got != "completed" {
		t.Errorf("status at the master = %q, want completed: the change was made", got)
	}
	// Other connections, which have written nothing yet.
	if err := c.ClientKillByFilter(t.Context(), "TYPE", "normal").Err(); err != nil {
		t.Fatal(err)
	}
	seen.unconfirmed(t, func(ctx context.Context) error { _, err := s.Commit(ctx, commit); return err })
	seen.unconfirmed(t, func(ctx context.Context) error { return s.Start(ctx, request("a")) })
	if _, err := s.Info(t.Context(), "a"); err != nil {
		t.Errorf("Info while the replica is away = %v, want nil: it waits for none", err)
	}
	done := make(chan error, 1)
	go func() { _, err := s.Commit(t.Context(), commit); done <- err }()
	if err := replica.Continue(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("Commit when the replica is back = %v, want nil", err)
	}
	for _, server := range []*testredis.Server{master, replica} {
		c := server.Client()
		defer c.Close()
		if got := c.HGet(t.Context(), "flox:{"+namespace+":0}:run:a", "o:1").Val(); got != "out" {
			t.Errorf("output at %s = %q, want out", server.Addr(), got)
		}
		if n := c.Exists(t.Context(), "flox:{"+namespace+":0}:mark").Val(); n != 0 {
			t.Error("the mark stays in Redis")
		}
	}
}

// refusals counts the answers that too few replicas had confirmed.
type refusals struct{ n atomic.Int64 }

func (*refusals) Batch(int, time.Duration) {}

func (r *refusals) Failed(kind string) {
	if kind == "noreplicas" {
		r.n.Add(1)
	}
}

// unconfirmed checks that a call is not acknowledged, however often it is repeated,
// and says why in one line when its context ends.
func (r *refusals) unconfirmed(t *testing.T, call func(context.Context) error) {
	t.Helper()
	err := r.repeated(t, call)
	if !errors.Is(err, redisstore.ErrNotReplicated) || !errors.Is(err, context.Canceled) {
		t.Fatalf("call without the replica = %v, want ErrNotReplicated and Canceled", err)
	}
	if text := err.Error(); !strings.Contains(text, "reached 0 of 1 replicas within 50ms") || strings.Contains(text, "\n") {
		t.Errorf("call without the replica = %q, want one line that says so", text)
	}
}

// repeated ends a call when it was refused twice.
func (r *refusals) repeated(t *testing.T, call func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before := r.n.Load()
	go func() {
		for r.n.Load() < before+2 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	return call(ctx)
}

// A full server has room for the mark: commits and cancels go on there.
func TestWaitOnAFullServer(t *testing.T) {
	master, _ := replicated(t)
	s := open(t, redisstore.Config{URL: master.URL(), Durability: redisstore.DurabilityWait})
	if err := s.Start(t.Context(), request("a")); err != nil {
		t.Fatal(err)
	}
	c := master.Client()
	defer c.Close()
	c.ConfigSet(t.Context(), "maxmemory", "1")
	if _, err := s.Control(t.Context(), flox.ControlRequest{Run: "a", Op: flox.ControlCancel, Nonce: "x"}); err != nil {
		t.Errorf("cancel on a full server = %v, want nil", err)
	}
}

func TestWaitOnACluster(t *testing.T) {
	t.Parallel()
	cluster, err := testredis.NewCluster(t.Context(), 3, 1, testredis.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Stop()
	s := open(t, redisstore.Config{URL: cluster.URL(), Partitions: 6, Durability: redisstore.DurabilityWait})
	runs := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	for _, run := range runs {
		if err := s.Start(t.Context(), request(run)); err != nil {
			t.Errorf("Start(%s) = %v, want nil", run, err)
		}
	}
	cluster.Nodes[0].Kill()
	for _, run := range runs { // what was acknowledged is there
		info, err := s.Info(t.Context(), run)
		if err != nil || info.Status != flox.StatusPending {
			t.Errorf("Info(%s) after a master was killed = %v, %v, want pending", run, info.Status, err)
		}
	}
}

// A master of a Cluster that hangs is given up when another one has its place, with
// all that waits for it.
func TestHungMasterOfACluster(t *testing.T) {
	t.Parallel()
	cluster, err := testredis.NewCluster(t.Context(), 3, 1, testredis.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Stop()
	said := &syncBuffer{}
	s := open(t, redisstore.Config{URL: cluster.URL(), Partitions: 8, Logger: slog.New(slog.NewTextHandler(said, nil))})
	copied := open(t, redisstore.Config{URL: cluster.URL(), Namespace: s.Namespace(), Partitions: 8, Durability: redisstore.DurabilityWait})
	runs := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"}
	for _, run := range runs {
		if err := copied.Start(t.Context(), request(run)); err != nil {
			t.Fatal(err)
		}
	}
	hung := cluster.Nodes[1]
	if err := hung.Pause(); err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		if _, err := s.Info(t.Context(), run); err != nil {
			t.Errorf("Info(%s) while a master hangs = %v, want nil: its replica takes over", run, err)
		}
	}
	if want := "a master of the cluster was replaced\" address=" + hung.Addr(); !strings.Contains(said.String(), want) {
		t.Errorf("log is %q, want it to have %q", said, want)
	}
}
