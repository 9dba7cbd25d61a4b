package redisstore_test

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// watcher is an Observer that keeps what it is told.
type watcher struct {
	mu       sync.Mutex
	commands int
	largest  int
	took     time.Duration
	kinds    map[string]int
}

func (w *watcher) Batch(commands int, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commands += commands
	w.largest = max(w.largest, commands)
	w.took += took
}

func (w *watcher) Failed(kind string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kinds[kind]++
}

// failures returns what has failed since the last call.
func (w *watcher) failures() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	kinds := w.kinds
	w.kinds = map[string]int{}
	return kinds
}

func (w *watcher) batches() (commands, largest int, took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.commands, w.largest, w.took
}

func watched(t *testing.T, server *testredis.Server) (*redisstore.Store, *watcher) {
	t.Helper()
	w := &watcher{kinds: map[string]int{}}
	return open(t, redisstore.Config{URL: server.URL(), Observer: w}), w
}

// What goes well is batches, and no failure: also a claim that nothing came to,
// one that was cancelled, and a queue that is made twice.
func TestObserverOfWhatGoesWell(t *testing.T) {
	s, w := watched(t, testredis.Start(t))
	if err := s.Start(t.Context(), request("first")); err != nil {
		t.Fatal(err)
	}
	w.failures() // a new server may lack scripts
	before, _, _ := w.batches()
	const runs = 500
	var starters sync.WaitGroup
	for i := range runs {
		starters.Go(func() {
			if err := s.Start(t.Context(), request(fmt.Sprint("r", i))); err != nil {
				t.Errorf("Start = %v", err)
			}
		})
	}
	starters.Wait()
	after, largest, took := w.batches()
	if after-before != runs || largest < 2 || largest > 128 || took <= 0 {
		t.Errorf("%d commands in batches of up to %d, in %v, want %d in batches of 2 to 128", after-before, largest, took, runs)
	}
	for range 2 {
		if err := s.Register(t.Context(), flox.WorkflowInfo{Name: "wf", StartQueue: "idle", Queues: []string{"idle"}}); err != nil {
			t.Fatal(err)
		}
	}
	idle := flox.ClaimRequest{Consumer: "w", Queues: []string{"idle"}, Max: 1, Wait: 50 * time.Millisecond}
	if entries, err := s.Claim(t.Context(), idle); err != nil || len(entries) > 0 {
		t.Fatalf("Claim = %v, %v, want nothing", entries, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	idle.Wait = time.Minute
	if _, err := s.Claim(ctx, idle); err == nil {
		t.Fatal("Claim after its context's end = nil, want an error")
	}
	if err := s.Close(); err != nil { // while the read still waits
		t.Fatal(err)
	}
	failed := w.failures()
	delete(failed, "noscript")
	if len(failed) > 0 {
		t.Errorf("failures of what went well = %v, want none", failed)
	}
}

// faults are what a real server can be made to answer, and what it is called.
var faults = []struct {
	kind string
	do   func(t *testing.T, server *testredis.Server, s *redisstore.Store)
}{
	{"noscript", func(t *testing.T, server *testredis.Server, s *redisstore.Store) {
		do(t, server, "SCRIPT", "FLUSH")
		started(t, s, "again", true)
	}},
	{"wrongtype", func(t *testing.T, server *testredis.Server, s *redisstore.Store) {
		do(t, server, "SET", "flox:{"+s.Namespace()+":0}:run:spoilt", "x")
		if _, err := s.Info(t.Context(), "spoilt"); err == nil {
			t.Error("Info of a spoilt run = nil, want an error")
		}
	}},
	{"oom", func(t *testing.T, server *testredis.Server, s *redisstore.Store) {
		do(t, server, "CONFIG", "SET", "maxmemory", "1")
		started(t, s, "too much", false)
	}},
	{"readonly", func(t *testing.T, server *testredis.Server, s *redisstore.Store) {
		do(t, server, "REPLICAOF", "127.0.0.1", "1")
		started(t, s, "on a replica", false)
	}},
	{"masterdown", func(t *testing.T, server *testredis.Server, s *redisstore.Store) {
		do(t, server, "CONFIG", "SET", "replica-serve-stale-data", "no")
		do(t, server, "REPLICAOF", "127.0.0.1", "1")
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, _ = s.Info(ctx, "r")
	}},
	{"auth", func(t *testing.T, server *testredis.Server, s *redisstore.Store) {
		do(t, server, "ACL", "SETUSER", "default", "-hmget")
		if _, err := s.Info(t.Context(), "r"); err == nil {
			t.Error("Info without a permission = nil, want an error")
		}
	}},
	{"nogroup", func(t *testing.T, server *testredis.Server, s *redisstore.Store) {
		do(t, server, "XGROUP", "DESTROY", "flox:{"+s.Namespace()+":0}:queue:q", "flox")
		_, _ = s.Claim(t.Context(), flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 1, Wait: time.Second})
	}},
	{"connection", func(t *testing.T, server *testredis.Server, s *redisstore.Store) {
		server.Kill()
		started(t, s, "away", false)
	}},
	{"timeout", func(t *testing.T, server *testredis.Server, s *redisstore.Store) {
		hang(t, server)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // go-redis waits for 5 s
		defer cancel()
		_, _ = s.Info(ctx, "r")
	}},
}

func do(t *testing.T, server *testredis.Server, args ...any) {
	t.Helper()
	c := server.Client()
	defer c.Close()
	if err := c.Do(t.Context(), args...).Err(); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
}

// started starts a run, which goes well or not.
func started(t *testing.T, s *redisstore.Store, run string, well bool) {
	t.Helper()
	patience := 3 * time.Second // for a failure to be seen
	if well {
		patience = time.Minute
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := s.Start(ctx, request(run)); (err == nil) != well {
		t.Errorf("Start(%q) = %v, want success: %t", run, err, well)
	}
}

func TestObserverOfFailures(t *testing.T) {
	for _, f := range faults {
		t.Run(f.kind, func(t *testing.T) {
			t.Parallel()
			server := testredis.Start(t)
			s, w := watched(t, server)
			if err := s.Start(t.Context(), request("r")); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Info(t.Context(), "r"); err != nil {
				t.Fatal(err)
			}
			if err := s.Register(t.Context(), flox.WorkflowInfo{Name: "wf", StartQueue: "q", Queues: []string{"q"}}); err != nil {
				t.Fatal(err)
			}
			w.failures()
			f.do(t, server, s)
			failed := w.failures()
			if failed[f.kind] == 0 {
				t.Errorf("failures = %v, want some of kind %s", failed, f.kind)
			}
			delete(failed, f.kind)
			delete(failed, "noscript")
			delete(failed, "connection") // a server that turns into a replica drops its clients
			if len(failed) > 0 {
				t.Errorf("failures of other kinds: %v", maps.Collect(maps.All(failed)))
			}
		})
	}
}

// A read that waits is told of, too, when its connection breaks.
func TestObserverOfABrokenRead(t *testing.T) {
	server := testredis.Start(t)
	s, w := watched(t, server)
	if err := s.Register(t.Context(), flox.WorkflowInfo{Name: "wf", StartQueue: "q", Queues: []string{"q"}}); err != nil {
		t.Fatal(err)
	}
	w.failures()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	claimed := make(chan struct{})
	go func() {
		defer close(claimed)
		_, _ = s.Claim(ctx, flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 1, Wait: time.Hour})
	}()
	c := server.Client()
	defer c.Close()
	for deadline := time.Now().Add(time.Minute); ; {
		killed, err := c.Do(t.Context(), "CLIENT", "KILL", "TYPE", "NORMAL", "SKIPME", "yes").Int()
		if err != nil {
			t.Fatal(err)
		}
		if w.failures()["connection"] > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no failure of kind connection; the last kill ended %d clients", killed)
		}
		time.Sleep(20 * time.Millisecond)
	}
	cancel()
	<-claimed
}
