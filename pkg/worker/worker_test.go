package worker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

type job struct {
	Name string `json:"name"`
}

// gate is a node that says when it begins and ends when it is told to.
type gate struct{ entered, open chan struct{} }

func (g *gate) pass(ctx context.Context, in job) (job, error) {
	g.entered <- struct{}{}
	select {
	case <-g.open:
		return in, nil
	case <-ctx.Done():
		return in, ctx.Err()
	}
}

func newGate() *gate { return &gate{make(chan struct{}, 1), make(chan struct{})} }

// workflow is one node.
func workflow(t *testing.T, g *gate) *flox.Workflow[flox.NoState, job, job] {
	t.Helper()
	b := flox.New[flox.NoState]("job").Timeout(time.Minute)
	node := flox.Func(b, "pass", g.pass)
	wf, err := flox.Build(b, node, node)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}

// started is a worker that runs in the background.
type started struct {
	t     *testing.T
	redis *miniredis.Miniredis
	url   string // of the health endpoints
	stop  context.CancelFunc
	done  chan error
	log   *lockedBuffer
}

func start(t *testing.T, wf flox.Definition, args ...string) *started {
	t.Helper()
	s := &started{t: t, redis: miniredis.RunT(t), done: make(chan error, 1), log: &lockedBuffer{}}
	address := freeAddress(t)
	s.url = "http://" + address
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	args = append([]string{"--redis", "redis://" + s.redis.Addr(), "--embedded", "--listen", address}, args...)
	go func() { s.done <- Run(ctx, args, io.Discard, s.log, wf) }()
	t.Cleanup(stop)
	s.until("/readyz says 200", func() bool { code, _ := s.get("/readyz"); return code == 200 })
	return s
}

func freeAddress(t *testing.T) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", testredis.FreePort(t)) // none that a connection may get
}

// lockedBuffer is written by the worker and read by the test.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// get asks a health endpoint; code 0 is no answer.
func (s *started) get(path string) (code int, body string) {
	resp, err := http.Get(s.url + path)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Errorf("GET %s: %v", path, err)
	}
	return resp.StatusCode, string(b)
}

// until waits for what no event tells.
func (s *started) until(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited a minute in vain until %s; log:\n%s", what, s.log)
		}
	}
}

// runOne starts a run of the gate and waits until its node has begun.
func (s *started) runOne(g *gate, wf *flox.Workflow[flox.NoState, job, job]) (*flox.Control, string) {
	s.t.Helper()
	st, err := redisstore.Open(s.t.Context(), redisstore.Config{URL: "redis://" + s.redis.Addr(), Embedded: true})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { st.Close() })
	o, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	id, err := o.Start(s.t.Context(), job{"one"})
	if err != nil {
		s.t.Fatal(err)
	}
	<-g.entered
	return o.Control(), id
}

func TestHealthAndMetrics(t *testing.T) {
	g := newGate()
	wf := workflow(t, g)
	s := start(t, wf, "--concurrency", "7")
	ctl, id := s.runOne(g, wf)
	close(g.open)
	if info, err := ctl.Wait(t.Context(), id); err != nil || info.Status != flox.StatusCompleted {
		t.Fatalf("Wait = %+v, %v, want a completed run", info, err)
	}
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n"} {
		if code, body := s.get(path); code != 200 || body != want {
			t.Errorf("GET %s = %d %q, want 200 %q", path, code, body, want)
		}
	}
	s.until("the run's end was counted", func() bool {
		_, body := s.get("/metrics")
		return strings.Contains(body, `flox_run_duration_seconds_count{flox_namespace="default",status="completed",workflow="job"} 1`)
	})
	_, body := s.get("/metrics")
	for _, want := range []string{
		`flox_items_total{flox_namespace="default",node="pass",outcome="end",workflow="job"} 1`,
		`flox_commit_duration_seconds_count{flox_namespace="default",outcome="applied"} 1`,
		`flox_queue_wait_seconds_count{flox_namespace="default",queue="job"} 1`,
		`flox_redis_batch_commands_count{flox_namespace="default"} `,
		`flox_worker_slots{flox_namespace="default"} 7`, `flox_items_in_flight{flox_namespace="default"} 0`,
		`flox_build_info{flox_namespace="default",`, "\ngo_goroutines ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if strings.Contains(body, id) {
		t.Errorf("/metrics names the run %s", id)
	}
	s.redis.SetError("LOADING Redis is loading the dataset in memory")
	if code, body := s.get("/readyz"); code != 503 || body != "store unreachable\n" {
		t.Errorf("GET /readyz without a store = %d %q, want 503", code, body)
	}
	if code, _ := s.get("/healthz"); code != 200 {
		t.Errorf("GET /healthz without a store = %d, want 200: the process is alive", code)
	}
	if _, body := s.get("/metrics"); !strings.Contains(body, `flox_redis_errors_total{flox_namespace="default",kind="loading"} `) {
		t.Error("/metrics lacks the commands that were answered with LOADING")
	}
	s.redis.SetError("")
	s.stop()
	if err := <-s.done; err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
}

// TestDrain checks that an item in hand is finished and its run goes on later.
func TestDrain(t *testing.T) {
	g := newGate()
	wf := workflow(t, g)
	s := start(t, wf, "--drain-grace", "30s")
	ctl, id := s.runOne(g, wf)
	s.stop()
	s.until("/readyz says that it drains", func() bool { code, body := s.get("/readyz"); return code == 503 && body == "draining\n" })
	if code, _ := s.get("/healthz"); code != 200 {
		t.Errorf("GET /healthz while draining = %d, want 200", code)
	}
	close(g.open)
	if err := <-s.done; err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	if info, err := ctl.Show(t.Context(), id); err != nil || info.Status != flox.StatusCompleted {
		t.Errorf("Show = %+v, %v, want a completed run", info, err)
	}
	if code, _ := s.get("/healthz"); code != 0 {
		t.Errorf("GET /healthz after the end = %d, want no answer", code)
	}
}

// TestDrainGrace checks that an item that does not finish is handed back.
func TestDrainGrace(t *testing.T) {
	g := newGate()
	wf := workflow(t, g)
	s := start(t, wf, "--drain-grace", "50ms")
	ctl, id := s.runOne(g, wf)
	s.stop()
	if err := <-s.done; err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	info, err := ctl.Show(t.Context(), id)
	if err != nil || info.Status != flox.StatusRunning || info.Counts.Live != 1 {
		t.Errorf("Show = %+v, %v, want a running run with its token", info, err)
	}
}

// dead is a Redis URL at which nothing listens.
const dead = "redis://127.0.0.1:1"

func TestConfigErrors(t *testing.T) {
	redis := miniredis.RunT(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, tt := range []struct {
		args string
		code int
		want string // the beginning
	}{
		{"--lesae 1s", 2, "unknown flag: --lesae; see worker --help"},
		{"start", 2, `"start": want flags only; see worker --help`},
		{"--lease soon", 2, `--lease="soon": want a duration such as 10s or 1m30s`},
		{"--lease 1ms", 2, "--lease=1ms: want 100ms or more"},
		{"--drain-grace 0s", 2, "--drain-grace=0s: want more than 0"},
		{"--concurrency 0", 2, "--concurrency=0: want 1 or more"},
		{"--partitions 0", 2, "--partitions=0: want 1 or more"},
		{"--namespace a/b", 2, `--namespace "a/b": want 1 to 128`},
		{"--name a/b", 2, `--name "a/b": want 1 to 128`},
		{"--queues a/b", 2, `--queues "a/b": want 1 to 128`},
		{"--queues bills", 2, `worker: queue "bills" belongs to none of its workflows; want some of [job]`},
		{"--log-level loud", 2, `--log-level="loud": want info|debug|warn|error`},
		{"--log-format xml", 2, `--log-format="xml": want text|json`},
		{"--listen 9464", 2, `--listen="9464": want host:port, or "off"`},
		{"--listen " + taken.Addr().String(), 1, "--listen=" + taken.Addr().String() + `: bind: address already in use; choose another address, or "off"`},
		{"--wait-for-redis -1s", 2, "--wait-for-redis=-1s: want zero or more"},
		{"--durability sync", 2, "--durability=\"sync\": want"},
		{"--replicas 2", 2, "--replicas=2: want --durability=wait with it"},
		{"--durability wait --replicas 0", 2, "--replicas=0: want 1 to 100"},
		{"--durability wait --replicas 101", 2, "--replicas=101: want 1 to 100"},
		{"--listen off --wait-for-redis 0 --redis " + dead, 1, "redis at 127.0.0.1:1 cannot be reached"},
		{"--listen off --redis http://127.0.0.1", 1, "redis URL: want redis://"},
	} {
		var log bytes.Buffer
		args := append([]string{"--redis", "redis://" + redis.Addr(), "--embedded"}, strings.Fields(tt.args)...)
		err := Run(t.Context(), args, io.Discard, &log, workflow(t, newGate()))
		switch {
		case err == nil || !strings.HasPrefix(err.Error(), tt.want) || strings.Contains(err.Error(), "\n"):
			t.Errorf("%s: error is %q, want %q", tt.args, err, tt.want)
		case exitCode(err) != tt.code:
			t.Errorf("%s: exit code is %d, want %d", tt.args, exitCode(err), tt.code)
		}
	}
	if keys := redis.Keys(); len(keys) > 0 {
		t.Errorf("wrong settings left keys %v in Redis, want none", keys)
	}
}

// TestRedisThatComesLater checks that a worker waits, says so once, and then works.
func TestRedisThatComesLater(t *testing.T) {
	wf := workflow(t, newGate())
	s := &started{t: t, done: make(chan error, 1), log: &lockedBuffer{}}
	address, redis := freeAddress(t), freeAddress(t)
	s.url = "http://" + address
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		s.done <- Run(ctx, []string{"--redis", "redis://" + redis, "--embedded", "--listen", address}, io.Discard, s.log, wf)
	}()
	s.until("it waits", func() bool { return strings.Contains(s.log.String(), "waiting for redis") })
	if code, body := s.get("/readyz"); code != 503 || body != "waiting for redis\n" {
		t.Errorf("GET /readyz while it waits = %d %q, want 503", code, body)
	}
	if code, _ := s.get("/healthz"); code != 200 {
		t.Errorf("GET /healthz while it waits = %d, want 200: the process is alive", code)
	}
	time.Sleep(time.Second) // for some attempts more
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(redis); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	s.until("/readyz says 200", func() bool { code, _ := s.get("/readyz"); return code == 200 })
	stop()
	if err := <-s.done; err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	for _, line := range []string{"waiting for redis", "redis is there"} {
		if n := strings.Count(s.log.String(), line); n != 1 {
			t.Errorf("it said %q %d times, want once; log:\n%s", line, n, s.log)
		}
	}
}

// TestStopWhileWaiting checks that a worker ends at once that waits for a Redis
// which takes connections and does not answer.
func TestStopWhileWaiting(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	began := time.Now()
	err = Run(ctx, []string{"--redis", "redis://" + silent.Addr().String(), "--listen", "off"}, io.Discard, io.Discard, workflow(t, newGate()))
	if took := time.Since(began); err != nil || took > 2500*time.Millisecond { // a read would take 3s
		t.Errorf("Run = %v after %v, want nil soon after 300ms", err, took)
	}
}

func TestBadEnvironment(t *testing.T) {
	t.Setenv("FLOX_CONCURRENCY", "many")
	err := Run(t.Context(), nil, io.Discard, io.Discard, workflow(t, newGate()))
	if want := `FLOX_CONCURRENCY="many": want a whole number`; err == nil || err.Error() != want || !errors.Is(err, ErrUsage) {
		t.Errorf("Run = %v, want the usage error %s", err, want)
	}
}

func TestNoWorkflows(t *testing.T) {
	err := Run(t.Context(), []string{"--redis", dead}, io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "no workflows given") {
		t.Errorf("Run = %v, want to be told that there are no workflows", err)
	}
}

func TestWrongPassword(t *testing.T) {
	redis := miniredis.RunT(t)
	redis.RequireAuth("secret")
	for _, user := range []string{"", ":wrong@"} {
		url := fmt.Sprintf("redis://%s%s", user, redis.Addr())
		err := Run(t.Context(), []string{"--redis", url, "--embedded", "--listen", "off"}, io.Discard, io.Discard, workflow(t, newGate()))
		if err == nil || strings.Contains(err.Error(), "wrong@") || strings.Contains(err.Error(), "\n") || exitCode(err) != 1 {
			t.Errorf("Run = %v, want one line without the password", err)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	for arg, want := range map[string]string{"--help": "--drain-grace", "--version": "flox worker "} {
		var out bytes.Buffer
		if err := Run(t.Context(), []string{arg}, &out, io.Discard); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s = %q, %v, want %q in it", arg, out.String(), err, want)
		}
		if strings.Contains(out.String(), "embedded") {
			t.Errorf("%s shows a flag that is hidden:\n%s", arg, out.String())
		}
		if arg == "--version" && strings.Contains(out.String(), "  ") {
			t.Errorf("%s = %q, want single spaces", arg, out.String())
		}
		closed, unread := io.Pipe()
		closed.Close()
		if err := Run(t.Context(), []string{arg}, unread, io.Discard); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("%s with nobody to read it = %v, want %v", arg, err, io.ErrClosedPipe)
		}
	}
}
