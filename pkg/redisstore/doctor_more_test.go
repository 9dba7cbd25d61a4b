package redisstore_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// lenient opens the ward's namespace as the doctor does.
func (w *ward) lenient(url string) *redisstore.Store {
	w.t.Helper()
	s, err := redisstore.Open(w.t.Context(), redisstore.Config{URL: url, Namespace: w.store.Namespace(), Lenient: true})
	w.must(err)
	w.t.Cleanup(func() { _ = s.Close() })
	return s
}

func wantKinds(t *testing.T, found []redisstore.Finding, want ...string) {
	t.Helper()
	for _, kind := range want {
		if kinds(found)[kind] == 0 {
			t.Errorf("Examine = %+v, want a %s", found, kind)
		}
	}
}

func TestDoctorOnBadSettings(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t, testredis.Args("--appendonly", "no", "--save", ""))
	w := newWard(t, server, 1)
	w.must(w.store.Register(t.Context(), flox.WorkflowInfo{Name: "wf", StartQueue: "q", Queues: []string{"q"}}))
	wantKinds(t, examined(t, w.store, redisstore.ExamineConfig{}), "persistence-off")
	w.do("CONFIG", "SET", "save", "3600 1")
	wantKinds(t, examined(t, w.store, redisstore.ExamineConfig{}), "persistence-snapshots")

	w.do("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
	w.do("CONFIG", "SET", "maxmemory", "1mb")
	if err := w.client.Set(t.Context(), "filler", strings.Repeat("x", 1<<16), 0).Err(); err == nil {
		w.client.Set(t.Context(), "filler2", strings.Repeat("x", 1<<16), 0)
	}
	wantKinds(t, examined(t, w.lenient(server.URL()), redisstore.ExamineConfig{}), "eviction-policy", "memory-short", "keys-evicted")
	w.do("CONFIG", "SET", "maxmemory", "0")

	w.do("HSET", w.home("config"), "partitions", "many")
	wantKinds(t, examined(t, w.lenient(server.URL()), redisstore.ExamineConfig{}), "config-unfit")
	w.do("DEL", w.home("config"))
	w.do("SET", w.home("config"), "x")
	wantKinds(t, examined(t, w.lenient(server.URL()), redisstore.ExamineConfig{}), "config-unfit")

	master := testredis.Start(t)
	host, port, _ := strings.Cut(master.Addr(), ":")
	w.do("REPLICAOF", host, port)
	wantKinds(t, examined(t, w.lenient(server.URL()), redisstore.ExamineConfig{}), "read-only", "not-examined")
}

// A server that cannot write its snapshots refuses all writes.
func TestDoctorOnAFailedSnapshot(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t, testredis.Args("--appendonly", "no", "--save", "3600 1"))
	w := newWard(t, server, 1)
	w.admit()
	w.must(os.RemoveAll(server.Dir()))
	w.do("BGSAVE")
	w.until("the snapshot has failed", func() bool {
		return strings.Contains(w.do("INFO", "persistence").(string), "rdb_last_bgsave_status:err")
	})
	wantKinds(t, examined(t, w.store, redisstore.ExamineConfig{Fix: true}), "snapshot-failed", "not-examined")
}

// A user of access lists who may not ask CONFIG is told so, and nothing else fails.
func TestDoctorWithLeastPrivilege(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t, testredis.Args("--appendonly", "no"))
	w := newWard(t, server, 1)
	w.admit()
	w.do("ACL", "SETUSER", "worker", "on", ">pw", "~flox:*", "&flox:*", "+@all", "-@dangerous", "+info")
	url := strings.Replace(server.URL(), "redis://", "redis://worker:pw@", 1)
	found := examined(t, w.lenient(url), redisstore.ExamineConfig{Fix: true})
	wantKinds(t, found, "persistence-unknown")
	if left := problems(found); len(left) > 0 {
		t.Errorf("Examine = %+v, want no problem", left)
	}
}

// TestDoctorAfterTheClockWentBack makes a lease begin in the future. As long as the
// clock is behind nobody would take over from its worker, which is dead.
func TestDoctorAfterTheClockWentBack(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t, testredis.Args("--enable-debug-command", "yes"))
	w := newWard(t, server, 1)
	w.admit()
	queue := w.key("queue:sum", "")
	entries, err := w.store.Claim(t.Context(), flox.ClaimRequest{Consumer: "dead", Queues: []string{"sum"}, Max: 1, Wait: time.Minute})
	w.must(err)
	loaded, err := w.store.Load(t.Context(), entries[0], "dead-owner", 3)
	if err != nil || loaded.Grant != flox.GrantOK {
		t.Fatalf("Load = grant %d, %v, want it granted", loaded.Grant, err)
	}
	w.postpone(queue, time.Hour)
	found := w.examine(redisstore.ExamineConfig{})
	wantKinds(t, found, "lease-in-future")
	w.wantMended([]string{"lease-in-future"})
	time.Sleep(3 * wardLease)
	wantKinds(t, w.examine(redisstore.ExamineConfig{}), "lease-abandoned")
	stop := w.worker()
	defer stop()
	w.heal()
}

// postpone moves the times at which entries of a stream were claimed, as they are
// in its dump: no command sets them ahead of the clock.
func (w *ward) postpone(key string, by time.Duration) {
	w.t.Helper()
	dump := []byte(w.do("DUMP", key).(string))
	now, moved := time.Now(), 0
	for i := 0; i+8 <= len(dump); i++ {
		at := time.UnixMilli(int64(binary.LittleEndian.Uint64(dump[i:])))
		if now.Sub(at).Abs() < time.Minute {
			binary.LittleEndian.PutUint64(dump[i:], uint64(at.Add(by).UnixMilli()))
			moved++
			i += 7
		}
	}
	if moved == 0 {
		w.t.Fatal("no time found in the dump of the stream")
	}
	w.do("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 1)
	w.do("RESTORE", key, 0, dump, "REPLACE")
}

func TestDoctorOnWorkers(t *testing.T) {
	t.Parallel()
	w := newWard(t, testredis.Start(t), 1)
	ctx := t.Context()
	w.admit()
	beat := func(id, version string, pid int) {
		w.must(w.store.Beat(ctx, flox.WorkerInfo{ID: id, Name: "n", Version: version, PID: pid, Workflows: []string{"sum"}, Queues: []string{"sum"}}))
	}
	var found []redisstore.Finding
	for f, err := range w.store.Examine(ctx, redisstore.ExamineConfig{}) {
		w.must(err)
		found = append(found, f)
	}
	wantKinds(t, found, "workflow-unserved", "queue-unserved")

	beat("w-1", "v1", 1)
	beat("w-2", "v2", 2)
	again := true
	found = w.examine(redisstore.ExamineConfig{Progress: func(stage string, _ int) {
		if stage == "counts" && again { // the other process beats meanwhile
			again = false
			beat("w-1", "v1", 7)
		}
	}})
	wantKinds(t, found, "versions-differ", "worker-id-shared")
	w.do("HSET", w.home("worker:w-1"), "info", "x")
	wantKinds(t, w.examine(redisstore.ExamineConfig{}), "unreadable-record")
}

func TestDoctorOfOneRun(t *testing.T) {
	t.Parallel()
	w := newWard(t, testredis.Start(t), 2)
	w.admit()
	w.do("HSET", w.key("run", "fresh"), "live", 4)
	w.do("HSET", w.key("run", "asks"), "live", 4)
	found := w.examine(redisstore.ExamineConfig{Run: "fresh", Fix: true})
	if len(found) != 1 || found[0].Subject != "run fresh" || !found[0].Mended {
		t.Errorf("Examine of one run = %+v, want what is wrong with it, mended", found)
	}
	wantKinds(t, w.examine(redisstore.ExamineConfig{}), "counters-differ")
	for _, err := range w.store.Examine(t.Context(), redisstore.ExamineConfig{Run: "ghost"}) {
		if !errors.Is(err, flox.ErrNotFound) {
			t.Errorf("Examine of no run = %v, want ErrNotFound", err)
		}
	}
	// What lies in the wrong partition is found, and so is what stops being wanted.
	other := 1 - flox.Partition("done", 2)
	w.do("HSET", fmt.Sprintf("flox:{%s:%d}:run:done", w.store.Namespace(), other), "status", "running")
	wantKinds(t, w.examine(redisstore.ExamineConfig{}), "misplaced-run")
	for range w.store.Examine(t.Context(), redisstore.ExamineConfig{}) {
		break
	}
}

// TestDoctorOnCluster damages a partition on each master.
func TestDoctorOnCluster(t *testing.T) {
	t.Parallel()
	cluster := testredis.Cluster(t, 3)
	c := cluster.Client()
	t.Cleanup(func() { _ = c.Close() })
	w := wardOn(t, cluster.URL(), c, clusterServers(t, cluster), 8)
	w.admit()
	for n := range 8 {
		ghost := fmt.Sprintf("flox:{%s:%d}:", w.store.Namespace(), n)
		w.do("ZADD", ghost+"runs:active", 1, "ghost|sum")
		w.do("RPUSH", ghost+"state:ghost", "x")
	}
	w.do("DEL", w.key("run", "fresh"))
	found := w.examine(redisstore.ExamineConfig{Fix: true})
	if got := kinds(found); got["left-over-key"] != 8 || got["index-without-run"] != 9 {
		t.Errorf("Examine of a cluster = %v, want each of %d partitions", got, 8)
	}
	if again := w.examine(redisstore.ExamineConfig{}); len(again) > 0 {
		t.Errorf("Examine after mending = %+v, want nothing", again)
	}
	stop := w.worker()
	defer stop()
	w.heal("fresh")
	usage, err := w.store.Usage(t.Context(), redisstore.UsageConfig{})
	if err != nil || usage.Runs != 6 || !slices.ContainsFunc(usage.Kinds, func(k redisstore.KindUsage) bool { return k.Kind == "run" && k.Bytes > 0 }) {
		t.Errorf("Usage = %+v, %v, want 6 runs", usage, err)
	}
}

// clusterServers connects to each master, to list its keys.
func clusterServers(t *testing.T, cluster *testredis.ClusterServer) []redis.UniversalClient {
	var servers []redis.UniversalClient
	for _, node := range cluster.Nodes {
		one := node.Client()
		t.Cleanup(func() { _ = one.Close() })
		servers = append(servers, one)
	}
	return servers
}
