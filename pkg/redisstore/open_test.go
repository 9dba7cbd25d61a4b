package redisstore_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// refused checks that Open fails with one line that says want and no password.
func refused(t *testing.T, cfg redisstore.Config, want string) {
	t.Helper()
	s, err := redisstore.Open(t.Context(), cfg)
	if err == nil {
		_ = s.Close()
		t.Errorf("Open(%s) = nil, want an error with %q", cfg.URL, want)
		return
	}
	text := err.Error()
	if !strings.Contains(text, want) || strings.Contains(text, "\n") || strings.Contains(text, "canary") {
		t.Errorf("Open(%s) = %q, want one line with %q and no password", cfg.URL, text, want)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	server := testredis.Start(t, testredis.Password("canary-1"))
	address := server.Addr()
	refused(t, redisstore.Config{URL: "redis://" + address}, "wants a password")
	refused(t, redisstore.Config{URL: "redis://:canary-2@" + address}, "refuses the user or password")
	refused(t, redisstore.Config{URL: "redis://:canary@127.0.0.1:1"}, "127.0.0.1:1 cannot be reached")
	refused(t, redisstore.Config{URL: server.URL(), Namespace: "a:b"}, "namespace")
	refused(t, redisstore.Config{URL: server.URL(), Partitions: -1}, "partitions")
	refused(t, redisstore.Config{URL: "redis+cluster://:canary-1@" + address}, "not a cluster")

	c := server.Client()
	defer c.Close()
	ctx := t.Context()
	c.HSet(ctx, "flox:{newer}:config", "format", 2)
	refused(t, redisstore.Config{URL: server.URL(), Namespace: "newer"}, "newer flox")
	c.HSet(ctx, "flox:{four}:config", "format", 1, "partitions", 4)
	refused(t, redisstore.Config{URL: server.URL(), Namespace: "four", Partitions: 2}, "has 4 partitions, not 2")
	c.HSet(ctx, "flox:{garbled}:config", "format", 1, "partitions", "many")
	refused(t, redisstore.Config{URL: server.URL(), Namespace: "garbled"}, `partitions "many", which flox did not write`)
	c.HSet(ctx, "flox:{vast}:config", "format", 1, "partitions", 100_000_000)
	refused(t, redisstore.Config{URL: server.URL(), Namespace: "vast"}, `partitions "100000000", which flox did not write`)
	c.Set(ctx, "flox:{other:0}:delayed", "x", 0)
	refused(t, redisstore.Config{URL: server.URL(), Namespace: "other"}, "flox:{other:0}:delayed is a string, flox keeps a zset")
	c.Set(ctx, "flox:{conf}:config", "x", 0)
	refused(t, redisstore.Config{URL: server.URL(), Namespace: "conf"}, "flox:{conf}:config is not a hash")
	c.ConfigSet(ctx, "maxmemory-policy", "allkeys-lru")
	refused(t, redisstore.Config{URL: server.URL()}, "allkeys-lru")
}

func TestOpenWritesNothing(t *testing.T) {
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	c := server.Client()
	defer c.Close()
	if n, err := c.DBSize(t.Context()).Result(); err != nil || n != 0 {
		t.Errorf("keys after Open = %d, %v, want 0", n, err)
	}
	if err := s.Register(t.Context(), flox.WorkflowInfo{Name: "wf", Queues: []string{"wf"}}); err != nil {
		t.Fatalf("Register = %v", err)
	}
	got, err := c.HGetAll(t.Context(), "flox:{"+s.Namespace()+"}:config").Result()
	if err != nil || got["format"] != "1" || got["partitions"] != "1" {
		t.Errorf("config = %v, %v, want format 1 and 1 partition", got, err)
	}
}

// A queue's key that another program has is named: nothing knows it before Register.
func TestRegisterNamesTheQueue(t *testing.T) {
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	c := server.Client()
	defer c.Close()
	key := "flox:{" + s.Namespace() + ":0}:queue:wf"
	c.Set(t.Context(), key, "x", 0)
	err := s.Register(t.Context(), flox.WorkflowInfo{Name: "wf", Queues: []string{"wf"}})
	if err == nil || !strings.Contains(err.Error(), key+" is not a stream") {
		t.Errorf("Register = %v, want that %s is not a stream", err, key)
	}
}

func request(run string) flox.StartRequest {
	return flox.StartRequest{Run: run, Nonce: run, Workflow: "wf", Node: "n", Queue: "q", Input: []byte("in")}
}

func TestCallsSurviveARestart(t *testing.T) {
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	if err := s.Start(t.Context(), request("a")); err != nil {
		t.Fatalf("Start = %v", err)
	}
	server.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := s.Start(ctx, request("b")); err == nil {
		t.Error("Start while the server is down = nil, want an error")
	}
	started := make(chan error, 1)
	go func() { started <- s.Start(t.Context(), request("c")) }()
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-started; err != nil {
		t.Errorf("Start over a restart = %v, want nil", err)
	}
	entries, err := s.Claim(t.Context(), flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 10, Wait: time.Minute})
	if err != nil || len(entries) == 0 {
		t.Errorf("Claim after a restart = %v, %v, want entries", entries, err)
	}
}

func TestCallsSurviveAFlush(t *testing.T) {
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	c := server.Client()
	defer c.Close()
	for _, run := range []string{"a", "b", "c"} {
		if err := c.ScriptFlush(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		if err := s.Start(t.Context(), request(run)); err != nil {
			t.Errorf("Start(%s) after SCRIPT FLUSH = %v, want nil", run, err)
		}
	}
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if entries, err := s.Claim(t.Context(), flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 1}); err != nil || len(entries) > 0 {
		t.Errorf("Claim after FLUSHALL = %v, %v, want nothing", entries, err)
	}
	if err := s.Start(t.Context(), request("d")); err != nil {
		t.Errorf("Start after FLUSHALL = %v, want nil", err)
	}
}

func TestClaimReturnsWhenItsContextEnds(t *testing.T) {
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	claim := flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 1, Wait: time.Minute}
	abandon := func() time.Duration {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := s.Claim(ctx, claim)
			done <- err
		}()
		cancel()
		begun := time.Now()
		if err := <-done; err == nil {
			t.Error("Claim = nil, want the context's error")
		}
		return time.Since(begun)
	}
	took := abandon()
	for range 10 { // the machine may have stood still
		if took > 500*time.Millisecond {
			took = abandon()
		}
	}
	if took > 500*time.Millisecond {
		t.Errorf("Claim returned %v after its context ended, want at once", took)
	}
	// What the abandoned read brings is not lost.
	if err := s.Start(t.Context(), request("a")); err != nil {
		t.Fatal(err)
	}
	if entries, err := s.Claim(t.Context(), claim); err != nil || len(entries) != 1 {
		t.Errorf("Claim = %v, %v, want the run", entries, err)
	}
}

func TestFullServerRefusesStartsAndSignals(t *testing.T) {
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	if err := s.Start(t.Context(), request("a")); err != nil {
		t.Fatal(err)
	}
	c := server.Client()
	defer c.Close()
	c.ConfigSet(t.Context(), "maxmemory", "1")
	if err := s.Start(t.Context(), request("b")); err == nil || !strings.Contains(err.Error(), "out of memory") {
		t.Errorf("Start on a full server = %v, want out of memory", err)
	}
	if _, err := s.Signal(t.Context(), flox.SignalRequest{Run: "a", Name: "go", ID: "1"}); err == nil || !strings.Contains(err.Error(), "out of memory") {
		t.Errorf("Signal on a full server = %v, want out of memory", err)
	}
	if _, err := s.Control(t.Context(), flox.ControlRequest{Run: "a", Op: flox.ControlCancel, Nonce: "x"}); err != nil {
		t.Errorf("cancel on a full server = %v, want nil", err)
	}
}

func TestCloseEndsWaitingCalls(t *testing.T) {
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	events, err := s.Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = s.Claim(t.Context(), flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 1, Wait: time.Minute})
	}()
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v", err)
	}
	<-done
	if _, open := <-events; open {
		t.Error("Watch's channel is open after Close")
	}
	if err := s.Start(t.Context(), request("a")); err == nil {
		t.Error("Start after Close = nil, want an error")
	}
}
