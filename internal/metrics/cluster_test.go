package metrics

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// site is a namespace on a real server, and the Cluster that reads it.
type site struct {
	t  *testing.T
	st *redisstore.Store
	c  *Cluster
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func newSite(t *testing.T, url string, partitions int, interval time.Duration) *site {
	t.Helper()
	s := &site{t: t, st: open(t, url, "test-"+strings.ToLower(rand.Text()), partitions)}
	hosts, err := redisstore.Hosts(url)
	if err != nil {
		t.Fatal(err)
	}
	s.c = NewCluster(ClusterConfig{Namespace: s.st.Namespace(), Hosts: hosts, Interval: interval, Logger: quiet()})
	return s
}

func open(t *testing.T, url, namespace string, partitions int) *redisstore.Store {
	t.Helper()
	st, err := redisstore.Open(t.Context(), redisstore.Config{URL: url, Namespace: namespace, Partitions: partitions, Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// watch has the Cluster read until stop is called, with a store of its own.
func (s *site) watch(url string) (stop func()) {
	s.t.Helper()
	st := open(s.t, url, s.st.Namespace(), 0)
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- s.c.Run(ctx, st) }()
	return sync.OnceFunc(func() {
		s.t.Helper()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			s.t.Errorf("Run = %v, want that it was cancelled", err)
		}
		s.must(st.Close()) // what was on its way has been answered
	})
}

// value is that of one series; ok is false if it is not there. labels are the values
// of its labels in the order of their names, without the namespace.
func (s *site) value(name string, labels ...string) (v float64, ok bool) {
	s.t.Helper()
	families, err := s.c.gatherer.Gather()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() != name {
			continue
		}
		for _, m := range f.GetMetric() {
			var has []string
			for _, l := range m.GetLabel() {
				if l.GetName() != labelNamespace {
					has = append(has, l.GetValue())
				}
			}
			if slices.Equal(has, labels) {
				return cmp.Or(m.GetGauge().GetValue(), m.GetCounter().GetValue()), true
			}
		}
	}
	return 0, false
}

// until waits for what only a later reading shows.
func (s *site) until(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited a minute in vain until %s", what)
		}
	}
}

// becomes waits until a series has a value.
func (s *site) becomes(want float64, name string, labels ...string) {
	s.t.Helper()
	var got float64
	var there bool
	defer func() {
		if s.t.Failed() {
			s.t.Logf("%s%v = %v, %t, want %v", name, labels, got, there, want)
		}
	}()
	s.until(fmt.Sprintf("%s%v is %v", name, labels, want), func() bool {
		got, there = s.value(name, labels...)
		return there && got == want
	})
}

// gate is a workflow of two nodes; its first does what the input says: 0 goes on,
// 1 fails for good, 2 waits until it is opened.
type gate struct{ entered, open chan struct{} }

func (g *gate) workflow(t *testing.T) flox.Definition {
	b := flox.New[flox.NoState]("gate")
	first := flox.Func(b, "first", func(ctx context.Context, n int) (int, error) {
		switch n {
		case 1:
			return 0, flox.Permanent(errors.New("no"))
		case 2:
			g.entered <- struct{}{}
			select {
			case <-g.open:
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		return n, nil
	})
	second := flox.Func(b, "second", func(_ context.Context, n int) (int, error) { return n, nil })
	first.To(second)
	return build(t, b, first, second)
}

func (s *site) start(ctl *flox.Control, workflow, input string, opts ...flox.StartOption) string {
	s.t.Helper()
	id, err := ctl.Start(s.t.Context(), workflow, []byte(input), opts...)
	s.must(err)
	return id
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// work runs a worker that takes over from the dead at once, until stop is called.
func (s *site) work(defs ...flox.Definition) (stop func()) {
	s.t.Helper()
	w, err := flox.NewWorker(s.st, &flox.WorkerConfig{
		Name: "tester", Concurrency: 8, Lease: 300 * time.Millisecond, CrashLimit: 1, Logger: quiet(),
	}, defs...)
	s.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	s.until("the worker is ready", w.Ready)
	return func() {
		cancel()
		s.must(<-done)
	}
}

// crash starts a run whose worker dies.
func (s *site) crash(ctl *flox.Control) string {
	s.t.Helper()
	ctx, id := s.t.Context(), s.start(ctl, "gate", "0")
	entries, err := s.st.Claim(ctx, flox.ClaimRequest{Consumer: "ghost", Queues: []string{"gate"}, Max: 1})
	s.must(err)
	if len(entries) != 1 || entries[0].Run != id {
		s.t.Fatalf("claimed %v, want the entry of run %s", entries, id)
	}
	_, err = s.st.Load(ctx, entries[0], "ghost-1", 3)
	s.must(err)
	return id
}

// TestEveryState has runs, tokens, workers and servers in each state there is, and
// compares what is exported with what they are, and with docs/metrics.md.
func TestEveryState(t *testing.T) {
	server := testredis.Start(t, testredis.Args("--maxmemory", "100mb"))
	host, port, _ := strings.Cut(server.Addr(), ":")
	testredis.Start(t, testredis.Args("--replicaof", host+" "+port))
	s := newSite(t, server.URL(), 2, 500*time.Millisecond) // three of them without a reading are too many
	ctl, ctx := flox.NewControl(s.st), t.Context()

	g := &gate{make(chan struct{}, 2), make(chan struct{})}
	def := g.workflow(t)
	stop := s.work(def)
	stop() // what it registered stays
	s.must(s.st.Register(ctx, flox.WorkflowInfo{Name: "idle", StartNode: "n", StartQueue: "idle", Queues: []string{"idle"}}))
	for range 3 {
		s.start(ctl, "idle", "0")
	}
	crashed := s.crash(ctl)
	stop = s.work(def)
	defer stop()
	for _, id := range []string{s.start(ctl, "gate", "0"), s.start(ctl, "gate", "0"), s.start(ctl, "gate", "1"), crashed} {
		_, err := ctl.Wait(ctx, id)
		s.must(err)
	}
	s.start(ctl, "gate", "0", flox.After(time.Hour))
	s.must(ctl.Cancel(ctx, s.start(ctl, "gate", "0", flox.After(time.Hour))))
	paused := s.start(ctl, "gate", "2")
	<-g.entered
	s.must(ctl.Pause(ctx, paused))
	g.open <- struct{}{}
	s.start(ctl, "gate", "2")
	<-g.entered
	defer close(g.open)
	s.workers(server)

	unwatch := s.watch(server.URL())
	defer unwatch()
	for _, want := range []struct {
		value  float64
		name   string
		labels string
	}{
		{2, "flox_runs", "running gate"}, {1, "flox_runs", "paused gate"}, {2, "flox_runs", "completed gate"},
		{2, "flox_runs", "failed gate"}, {1, "flox_runs", "cancelled gate"}, {0, "flox_runs", "undoing gate"},
		{3, "flox_runs", "running idle"}, {0, "flox_runs", "failed idle"},
		{1, "flox_failed_runs", "crash gate"}, {1, "flox_failed_runs", "permanent gate"},
		{0, "flox_failed_runs", "none gate"}, {0, "flox_failed_runs", "crash idle"},
		{0, "flox_queue_items", "gate ready"}, {1, "flox_queue_items", "gate leased"},
		{1, "flox_queue_items", "gate delayed"}, {3, "flox_queue_items", "gate held"},
		{3, "flox_queue_items", "idle ready"}, {0, "flox_queue_items", "idle held"},
		{0, "flox_queue_oldest_ready_seconds", "gate"}, {0, "flox_queue_taken_total", "idle"},
		{1, "flox_workers", "alive"}, {1, "flox_workers", "draining"}, {1, "flox_workers", "stale"}, {1, "flox_workers", "dead"},
		{8, "flox_workers_slots", ""}, {1, "flox_workers_busy", ""},
		{1, "flox_redis_up", server.Addr()}, {100 << 20, "flox_redis_memory_max_bytes", server.Addr()},
		{1, "flox_redis_persistence_ok", "aof " + server.Addr()}, {1, "flox_redis_persistence_ok", "rdb " + server.Addr()},
		{1, "flox_redis_aof_enabled", server.Addr()}, {1, "flox_redis_replicas", server.Addr()},
		{0, "flox_redis_evicted_keys_total", server.Addr()}, {0, "flox_redis_clock_regressions_total", server.Addr()},
	} {
		s.becomes(want.value, want.name, strings.Fields(want.labels)...)
	}
	age := func() float64 { v, _ := s.value("flox_queue_oldest_ready_seconds", "idle"); return v }
	if now := age(); now <= 0 || now > 60 {
		t.Errorf("the oldest of idle is %v s old, want some", now)
	}
	taken, _ := s.value("flox_queue_taken_total", "gate")
	if taken < 6 {
		t.Errorf("%v entries of gate were taken, want one for each of 6 runs at least", taken)
	}
	for _, name := range []string{"flox_redis_memory_used_bytes", "flox_redis_clients", "flox_redis_commands_total", "flox_redis_last_save_timestamp_seconds"} {
		if v, _ := s.value(name, server.Addr()); v <= 0 {
			t.Errorf("%s = %v, want more than 0", name, v)
		}
	}
	if v, ok := s.value("flox_redis_clock_offset_seconds", server.Addr()); !ok || v < -.5 || v > .5 {
		t.Errorf("the clock of a server on this machine is off by %v s (%t)", v, ok)
	}
	s.memory()
	s.until("the replica's lag is known", func() bool { _, ok := s.value("flox_redis_replication_lag_bytes", server.Addr()); return ok })
	got := exported(t, s.c.gatherer)
	delete(got, "flox_build_info") // is in the other table
	compareTables(t, got, documented(t, "Of `orchestrator serve`"))
	problems, err := testutil.GatherAndLint(s.c.gatherer)
	s.must(err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if stale := s.c.Stale(); len(stale) > 0 {
		t.Errorf("Stale = %v while everything is read", stale)
	}
}

// workers makes one worker that drains, one that was not heard of lately, and a dead
// one.
func (s *site) workers(server *testredis.Server) {
	s.t.Helper()
	client := server.Client()
	defer client.Close()
	for id, age := range map[string]time.Duration{"drains": 0, "is-stale": 30 * time.Second, "is-dead": 2 * time.Minute} {
		s.must(s.st.Beat(s.t.Context(), flox.WorkerInfo{ID: id, Slots: 100, Active: make([]flox.ActiveItem, 7), Draining: id == "drains"}))
		key := "flox:{" + s.st.Namespace() + "}:workers"
		if age > 0 {
			s.must(client.Do(s.t.Context(), "ZADD", key, "XX", time.Now().Add(-age).UnixMilli(), id).Err())
		}
	}
}

// memory compares the memory by kind with what the store says of all keys.
func (s *site) memory() {
	s.t.Helper()
	used, err := s.st.Usage(s.t.Context(), redisstore.UsageConfig{Sample: -1})
	s.must(err)
	if len(used.Kinds) < 8 {
		s.t.Errorf("there are keys of the kinds %v, want more of them", used.Kinds)
	}
	for _, kind := range used.Kinds {
		if got, _ := s.value("flox_redis_key_memory_bytes", kind.Kind); got < .9*float64(kind.Bytes) || got > 1.1*float64(kind.Bytes) {
			s.t.Errorf("keys of kind %s have %v bytes, want about %d", kind.Kind, got, kind.Bytes)
		}
	}
}

// TestServerAway has Redis hang: a scrape is answered at once, says that it is away,
// and shows no numbers of the past.
func TestServerAway(t *testing.T) {
	server := testredis.Start(t)
	s := newSite(t, server.URL(), 1, 100*time.Millisecond)
	s.must(s.st.Register(t.Context(), flox.WorkflowInfo{Name: "idle", StartNode: "n", StartQueue: "idle", Queues: []string{"idle"}}))
	web := httptest.NewServer(s.c.Handler())
	defer web.Close()
	scrape := func() string {
		t.Helper()
		began := time.Now()
		res, err := http.Get(web.URL)
		s.must(err)
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		s.must(err)
		if took := time.Since(began); took > 2500*time.Millisecond { // a read of Redis would take 3s
			t.Errorf("a scrape took %v", took)
		}
		return string(body)
	}
	if body := scrape(); !strings.Contains(body, `flox_redis_up{flox_namespace="`+s.st.Namespace()+`",server="`+server.Addr()+`"} 0`) ||
		strings.Contains(body, "flox_runs{") {
		t.Errorf("before the first reading a scrape brings\n%s\nwant that the server is not up, and no runs", body)
	}
	unwatch := s.watch(server.URL())
	defer unwatch()
	s.becomes(0, "flox_queue_items", "idle", "held")
	s.until("memory is known", func() bool { return strings.Contains(scrape(), "flox_redis_key_memory_bytes{") })

	s.must(syscall.Kill(server.PID(), syscall.SIGSTOP))
	stopped := true
	defer func() {
		if stopped {
			syscall.Kill(server.PID(), syscall.SIGCONT)
		}
	}()
	s.becomes(0, "flox_redis_up", server.Addr())
	s.until("what was read is withheld", func() bool {
		body := scrape()
		return !strings.Contains(body, "flox_runs{") && !strings.Contains(body, "flox_queue_items{") &&
			!strings.Contains(body, "flox_workers{") && !strings.Contains(body, "flox_redis_memory_used_bytes{") &&
			!strings.Contains(body, "flox_redis_key_memory_bytes{")
	})
	if body := scrape(); !strings.Contains(body, "flox_exporter_refresh_timestamp_seconds{") {
		t.Errorf("a scrape does not say when Redis was read last:\n%s", body)
	}
	if n, _ := s.value("flox_exporter_errors_total", "servers"); n < 1 {
		t.Errorf("%v readings of servers have failed, want some", n)
	}
	if stale := s.c.Stale(); !slices.Contains(stale, "runs") {
		t.Errorf("Stale = %v, want runs among them", stale)
	}

	s.must(syscall.Kill(server.PID(), syscall.SIGCONT))
	stopped = false
	s.becomes(1, "flox_redis_up", server.Addr())
	s.becomes(0, "flox_runs", "running", "idle")
	s.becomes(0, "flox_queue_items", "idle", "held")
	s.until("all is read again", func() bool { return len(s.c.Stale()) == 0 })
}

// TestThreeMasters reads a Redis Cluster.
func TestThreeMasters(t *testing.T) {
	cluster := testredis.Cluster(t, 3)
	s := newSite(t, cluster.URL(), 16, 200*time.Millisecond)
	s.must(s.st.Register(t.Context(), flox.WorkflowInfo{Name: "idle", StartNode: "n", StartQueue: "idle", Queues: []string{"idle"}}))
	ctl := flox.NewControl(s.st)
	for i := range 30 {
		s.start(ctl, "idle", "0")
		if i%3 == 0 {
			s.start(ctl, "idle", "0", flox.After(time.Hour))
		}
	}
	unwatch := s.watch(cluster.URL())
	defer unwatch()
	s.becomes(40, "flox_runs", "running", "idle")
	s.becomes(30, "flox_queue_items", "idle", "ready")
	s.becomes(10, "flox_queue_items", "idle", "delayed")
	for _, node := range cluster.Nodes {
		s.becomes(1, "flox_redis_up", node.Addr())
		s.becomes(1, "flox_redis_info", "cluster", node.Addr(), s.version(node))
	}
	cluster.Nodes[2].Kill()
	s.becomes(0, "flox_redis_up", cluster.Nodes[2].Addr())
	s.becomes(1, "flox_redis_up", cluster.Nodes[0].Addr())
}

func (s *site) version(node *testredis.Server) string {
	s.t.Helper()
	client := node.Client()
	defer client.Close()
	info, err := client.Info(s.t.Context(), "server").Result()
	s.must(err)
	_, version, valkey := strings.Cut(info, "valkey_version:")
	if !valkey {
		_, version, _ = strings.Cut(info, "redis_version:")
	}
	version, _, _ = strings.Cut(version, "\r")
	return version
}

// TestMoved has the namespace made after the Cluster began, with other partitions
// than it took for granted.
func TestMoved(t *testing.T) {
	server := testredis.Start(t)
	s := newSite(t, server.URL(), 4, 50*time.Millisecond)
	early := open(t, server.URL(), s.st.Namespace(), 0) // of one partition: nothing is there yet
	done := make(chan error, 1)
	go func() { done <- s.c.Run(t.Context(), early) }()
	s.until("it reads", func() bool { return len(s.c.Stale()) == 0 })
	s.must(s.st.Register(t.Context(), flox.WorkflowInfo{Name: "idle", StartNode: "n", StartQueue: "idle", Queues: []string{"idle"}}))
	if err := <-done; !errors.Is(err, ErrMoved) {
		t.Errorf("Run = %v, want ErrMoved", err)
	}
	s.becomes(0, "flox_exporter_errors_total", "runs")
	if up, ok := s.value("flox_redis_up", server.Addr()); up != 0 || !ok {
		t.Errorf("flox_redis_up = %v, %t while nobody asks, want 0", up, ok)
	}
}

// TestReadOnlyUser reads as a user that may change nothing.
func TestReadOnlyUser(t *testing.T) {
	server := testredis.Start(t)
	client := server.Client()
	defer client.Close()
	args := []any{"ACL", "SETUSER", "reader", "on", ">secret", "~flox:*"}
	for rule := range strings.FieldsSeq("+@read +@connection +info +time +eval +evalsha") {
		args = append(args, rule)
	}
	if err := client.Do(t.Context(), args...).Err(); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, server.URL(), 1, 50*time.Millisecond)
	s.must(s.st.Register(t.Context(), flox.WorkflowInfo{Name: "idle", StartNode: "n", StartQueue: "idle", Queues: []string{"idle"}}))
	ctl := flox.NewControl(s.st)
	s.must(ctl.Pause(t.Context(), s.start(ctl, "idle", "0")))
	unwatch := s.watch(strings.Replace(server.URL(), "://", "://reader:secret@", 1))
	defer unwatch()
	s.becomes(1, "flox_runs", "paused", "idle")
	s.becomes(1, "flox_redis_up", server.Addr())
	s.becomes(0, "flox_queue_items", "idle", "held")
	s.until("memory is measured", func() bool { v, _ := s.value("flox_redis_key_memory_bytes", "run"); return v > 0 })
	for _, p := range s.c.parts {
		s.becomes(0, "flox_exporter_errors_total", p.name)
	}
}

// TestWritesRefused reads a server that takes no writes just now, as one that cannot
// write its disk: how it stands is wanted most then.
func TestWritesRefused(t *testing.T) {
	server := testredis.Start(t)
	s := newSite(t, server.URL(), 1, 50*time.Millisecond)
	s.must(s.st.Register(t.Context(), flox.WorkflowInfo{Name: "idle", StartNode: "n", StartQueue: "idle", Queues: []string{"idle"}}))
	s.start(flox.NewControl(s.st), "idle", "0")
	client := server.Client()
	defer client.Close()
	s.must(client.ConfigSet(t.Context(), "min-replicas-to-write", "1").Err())
	unwatch := s.watch(server.URL())
	defer unwatch()
	s.becomes(1, "flox_queue_items", "idle", "ready")
	s.becomes(0, "flox_workers", "alive")
	for _, p := range s.c.parts {
		s.becomes(0, "flox_exporter_errors_total", p.name)
	}
}

// TestForeignText has names that are not UTF-8, which only something else can have
// written: they are shown, and do not end the process.
func TestForeignText(t *testing.T) {
	server := testredis.Start(t)
	s := newSite(t, server.URL(), 1, 50*time.Millisecond)
	client := server.Client()
	defer client.Close()
	s.must(client.HSet(t.Context(), "flox:{"+s.st.Namespace()+":0}:stats", "a\xff:failed", 3).Err())
	unwatch := s.watch(server.URL())
	defer unwatch()
	s.becomes(3, "flox_runs", "failed", "a\uFFFD")
}

// TestNeverRead has a part that was never read in full: an alert on its age fires.
func TestNeverRead(t *testing.T) {
	s := &site{t: t, c: NewCluster(ClusterConfig{Namespace: "x", Interval: time.Second, Logger: quiet()})}
	s.c.began = time.Unix(100, 0)
	for _, p := range s.c.parts {
		if at, ok := s.value("flox_exporter_refresh_timestamp_seconds", p.name); at != 100 || !ok {
			t.Errorf("%s was read at %v, %t, want 100, when it began", p.name, at, ok)
		}
	}
}

// TestFailedRuns has failures of no class, and of one that is not known here.
func TestFailedRuns(t *testing.T) {
	got := map[string]float64{}
	c := NewCluster(ClusterConfig{Namespace: "x", Interval: time.Hour, Logger: quiet()})
	c.up["here"] = true
	c.parts[4].metrics = failedRuns(map[redisstore.FailedRuns]int64{
		{Workflow: "old"}: 2, {Workflow: "old", Class: "new"}: 3, {Workflow: "old", Class: "newer"}: 4, {Workflow: "order", Class: "crash"}: 5,
	}, []flox.WorkflowInfo{{Name: "order"}, {Name: "idle"}})
	s := &site{t: t, c: c}
	for _, of := range []string{"none old", "other old", "crash order", "none order", "crash idle", "crash old"} {
		v, ok := s.value("flox_failed_runs", strings.Fields(of)...)
		if !ok {
			v = -1
		}
		got[of] = v
	}
	want := map[string]float64{"none old": 2, "other old": 7, "crash order": 5, "none order": 0, "crash idle": 0, "crash old": 0}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("failedRuns = %v, want %v", got, want)
	}
}

func TestClock(t *testing.T) {
	var testClock clock
	base := processStart.Add(time.Hour) // with a monotonic reading
	at := func(d time.Duration) time.Time { return base.Add(d) }
	for _, tt := range []struct {
		name                   string
		server, sent, answered time.Duration // since base
		offset                 time.Duration
		backwards              int
	}{
		{"in step", 5 * time.Second, 5 * time.Second, 5 * time.Second, 0, 0},
		{"slow answer", 6 * time.Second, 6 * time.Second, 10 * time.Second, -2 * time.Second, 0},
		{"quick again", 11 * time.Second, 11 * time.Second, 11 * time.Second, 0, 0},
		{"set forwards", 40 * time.Second, 20 * time.Second, 20 * time.Second, 20 * time.Second, 0},
		{"set back by less than a second", 44100 * time.Millisecond, 25 * time.Second, 25 * time.Second, 19100 * time.Millisecond, 0},
		{"set back", 30 * time.Second, 30 * time.Second, 30 * time.Second, 0, 1},
		{"goes on", 31 * time.Second, 31 * time.Second, 31 * time.Second, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			testClock.read(at(tt.server), at(tt.sent), at(tt.answered))
			if testClock.offset != tt.offset || testClock.backwards != tt.backwards {
				t.Errorf("offset %v, went back %d times, want %v and %d", testClock.offset, testClock.backwards, tt.offset, tt.backwards)
			}
		})
	}
}

func TestPacer(t *testing.T) {
	p := newPacer(2000, 50*time.Millisecond)
	began := time.Now()
	for range 10 {
		if err := p.pace(t.Context(), 40); err != nil {
			t.Fatal(err)
		}
	}
	// 400 at 100 an interval: the fourth interval has begun.
	if took := time.Since(began); took < 150*time.Millisecond || took > 10*time.Second {
		t.Errorf("400 keys at 100 each 50ms took %v, want 150ms or a little more", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	spent := newPacer(1, time.Hour)
	if err := spent.pace(ctx, 5000); err != nil {
		t.Errorf("pace = %v, want nil: there was something left", err)
	}
	if err := spent.pace(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("pace = %v, want that it was cancelled", err)
	}
}
