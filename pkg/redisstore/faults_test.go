package redisstore_test

import (
	"bytes"
	"context"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// A process that lives on while its server loses everything writes down again
// what the namespace is, and makes its queues.
func TestRegisterAfterFlushAll(t *testing.T) {
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL(), Partitions: 3})
	wf := flox.WorkflowInfo{Name: "wf", StartQueue: "q", Queues: []string{"q"}}
	if err := s.Register(t.Context(), wf); err != nil {
		t.Fatal(err)
	}
	c := server.Client()
	defer c.Close()
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Register(t.Context(), wf); err != nil {
		t.Fatal(err)
	}
	if got := c.HGetAll(t.Context(), "flox:{"+s.Namespace()+"}:config").Val(); got["partitions"] != "3" || got["format"] != "1" {
		t.Errorf("config after FLUSHALL and Register = %v, want format 1 and 3 partitions", got)
	}
	if n := c.Exists(t.Context(), "flox:{"+s.Namespace()+":2}:queue:q").Val(); n != 1 {
		t.Error("the queue was not made again")
	}
}

// hang stops a server's process, which keeps its connections, until the test ends.
func hang(t *testing.T, server *testredis.Server) {
	t.Helper()
	pid := server.PID()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
}

// within checks that f returns soon enough.
func within(t *testing.T, d time.Duration, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	begun := time.Now()
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
		if took := time.Since(begun); took > d {
			t.Errorf("%s took %v, want at most %v", what, took, d)
		}
	case <-time.After(d + 10*time.Second):
		t.Fatalf("%s hangs, want it to return within %v", what, d)
	}
}

// deaf is a connection over which subscriptions do not arrive.
type deaf struct{ net.Conn }

func (c deaf) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("subscribe")) {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// A subscription that is never confirmed keeps neither its watcher nor the
// closing store for ever.
func TestUnconfirmedSubscription(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL(), Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return deaf{c}, err
	}})
	watched := make(chan error, 1)
	go func() {
		_, err := s.Watch(t.Context())
		watched <- err
	}()
	time.Sleep(100 * time.Millisecond)
	within(t, 5*time.Second, "Close", func() { _ = s.Close() })
	if err := <-watched; err == nil {
		t.Error("Watch = nil though its subscription was never confirmed, want an error")
	}
}

// A worker leaves in time although its server hangs.
func TestHungServerLetsAWorkerLeave(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	if err := s.Register(t.Context(), flox.WorkflowInfo{Name: "wf", StartQueue: "q", Queues: []string{"q"}}); err != nil {
		t.Fatal(err)
	}
	claim := flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 1, Wait: 10 * time.Millisecond}
	if _, err := s.Claim(t.Context(), claim); err != nil {
		t.Fatal(err)
	}
	hang(t, server)
	claim.Wait = time.Second
	if entries, err := s.Claim(t.Context(), claim); err == nil && len(entries) > 0 {
		t.Errorf("Claim from a hung server = %v, want nothing", entries)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	within(t, 4*time.Second, "Leave", func() {
		if err := s.Leave(ctx, flox.WorkerInfo{ID: "w", Queues: []string{"q"}}); err == nil {
			t.Error("Leave of a hung server = nil, want an error")
		}
	})
	within(t, 8*time.Second, "Close", func() { _ = s.Close() })
}

// A run whose tokens cannot be read keeps the others neither from going on after
// a resume nor from being looked at.
func TestMalformedRunHarmsNoOther(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	c := server.Client()
	defer c.Close()
	for i, run := range []string{"bad", "good"} {
		if err := s.Start(t.Context(), request(run)); err != nil {
			t.Fatal(err)
		}
		entries, err := s.Claim(t.Context(), flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 1, Wait: time.Minute})
		if err != nil || len(entries) != 1 {
			t.Fatalf("Claim = %v, %v, want %s", entries, err, run)
		}
		for _, op := range []flox.ControlOp{flox.ControlPause, flox.ControlResume} {
			if op == flox.ControlResume {
				if l, err := s.Load(t.Context(), entries[0], "o", 3); err != nil || l.Grant != flox.GrantParked {
					t.Fatalf("Load of a paused run = %+v, %v, want it parked", l, err)
				}
			}
			if _, err := s.Control(t.Context(), flox.ControlRequest{Run: run, Op: op, Nonce: string(op)}); err != nil {
				t.Fatal(err)
			}
		}
		if i == 0 {
			c.HSet(t.Context(), "flox:{"+s.Namespace()+":0}:run:bad", "t:0", "nonsense")
		}
	}
	if _, err := s.Settle(t.Context(), ""); err == nil {
		t.Error("Settle of a malformed run = nil, want an error that names it")
	}
	claim := flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 1, Wait: time.Minute}
	if entries, err := s.Claim(t.Context(), claim); err != nil || len(entries) != 1 || entries[0].Run != "good" {
		t.Errorf("Claim after Settle = %v, %v, want the good run", entries, err)
	}
	c.Del(t.Context(), "flox:{"+s.Namespace()+":0}:queue:q")
	if n, err := s.Rebuild(t.Context(), ""); err == nil || n != 1 {
		t.Errorf("Rebuild = %d, %v, want the good run's token and an error that names the other", n, err)
	}
}

// TestOpenOutlastsALostConnection loses the first connections of a store.
func TestOpenOutlastsALostConnection(t *testing.T) {
	server := testredis.Start(t)
	var dials atomic.Int64
	open(t, redisstore.Config{URL: server.URL(), Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if dials.Add(1) <= 2 && err == nil {
			conn.Close()
		}
		return conn, err
	}})
	if n := dials.Load(); n < 3 {
		t.Errorf("Open dialled %d times, want it to have tried again", n)
	}
}
