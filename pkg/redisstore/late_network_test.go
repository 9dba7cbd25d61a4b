package redisstore

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/floxrun/flox/pkg/flox"
)

// courier is a network that keeps one call of a script to itself, and delivers it
// when the caller has long sent it again over another connection.
type courier struct {
	t      *testing.T
	server string

	mu      sync.Mutex
	sha     string // of the script, "" for none
	pass    int    // calls of it that are not held up
	held    []byte
	between func() // happens before the caller can send it again
}

func (c *courier) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	return carried{conn, c}, err
}

type carried struct {
	net.Conn
	c *courier
}

func (x carried) Write(b []byte) (int, error) {
	if !x.c.takes(b) {
		return x.Conn.Write(b)
	}
	x.c.between()
	_ = x.Close()
	return 0, net.ErrClosed
}

func (c *courier) takes(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sha == "" || !bytes.Contains(b, []byte(c.sha)) {
		return false
	}
	if c.pass--; c.pass >= 0 {
		return false
	}
	c.sha, c.held = "", bytes.Clone(b)
	return true
}

// deliver lets what was held up arrive.
func (c *courier) deliver() {
	c.t.Helper()
	conn, err := net.Dial("tcp", c.server)
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := conn.Write(c.held); err != nil {
		c.t.Fatal(err)
	}
	reply := make([]byte, 1000)
	if n, err := conn.Read(reply); err != nil || reply[0] != '*' {
		c.t.Fatalf("what came late was answered %q, %v, want an array", reply[:n], err)
	}
}

// yard is a run that some ask for something over a slow network, others directly.
type yard struct {
	*Store
	t       *testing.T
	courier *courier
	slow    *Store
	server  *miniredis.Miniredis
	nonces  int
}

func newYard(t *testing.T) *yard {
	y := &yard{t: t, server: miniredis.RunT(t)}
	y.courier = &courier{t: t, server: y.server.Addr()}
	cfg := Config{URL: "redis://" + y.server.Addr(), Embedded: true}
	for _, s := range []**Store{&y.Store, &y.slow} {
		var err error
		if *s, err = Open(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = (*s).Close() })
		cfg.Dial = y.courier.dial
	}
	// The server knows the scripts: what is held up is a call by their hash.
	_, _ = y.Control(t.Context(), flox.ControlRequest{Run: "nobody", Op: flox.ControlPause, Nonce: "n"})
	_, _ = y.Signal(t.Context(), flox.SignalRequest{Run: "nobody", Name: "go", ID: "1"})
	_, _ = y.Delete(t.Context(), "nobody")
	return y
}

func (y *yard) must(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

func (y *yard) begin() {
	y.t.Helper()
	y.nonces++
	y.must(y.Start(y.t.Context(), flox.StartRequest{
		Run: "r", Nonce: fmt.Sprint("born", y.nonces), Workflow: "wf", Node: "first", Queue: "q", Input: []byte("in"),
		Deadline: time.Millisecond, // which is not looked at before pass
	}))
}

// control is somebody else's.
func (y *yard) control(op flox.ControlOp) {
	y.t.Helper()
	y.nonces++
	_, err := y.Control(y.t.Context(), flox.ControlRequest{Run: "r", Op: op, Nonce: fmt.Sprint("other", y.nonces)})
	y.must(err)
	if op != flox.ControlPause {
		y.settle()
	}
}

// rewind is somebody else's retry from the first node; settle lets it go on.
func (y *yard) rewind() {
	y.t.Helper()
	_, err := y.Control(y.t.Context(), flox.ControlRequest{Run: "r", Op: flox.ControlRetry, Nonce: "rewind", From: "first"})
	y.must(err)
}

func (y *yard) settle() {
	y.t.Helper()
	_, err := y.Settle(y.t.Context(), "r")
	y.must(err)
}

func (y *yard) remove() {
	y.t.Helper()
	_, err := y.Delete(y.t.Context(), "r")
	y.must(err)
}

// pass fails the run by its deadline.
func (y *yard) pass() {
	y.t.Helper()
	for status := flox.StatusRunning; status != flox.StatusFailed; time.Sleep(time.Millisecond) {
		_, err := y.Promote(y.t.Context(), 10)
		y.must(err)
		info, err := y.Info(y.t.Context(), "r")
		y.must(err)
		status = info.Status
	}
}

// take is a worker's of the run's next item.
func (y *yard) take() flox.Lease {
	y.t.Helper()
	y.nonces++
	entries, err := y.Claim(y.t.Context(), flox.ClaimRequest{Consumer: "c", Queues: []string{"q"}, Max: 1, Wait: time.Minute})
	if err != nil || len(entries) != 1 {
		y.t.Fatalf("Claim = %v, %v", entries, err)
	}
	l, err := y.Load(y.t.Context(), entries[0], fmt.Sprint("own", y.nonces), 3)
	if err != nil || l.Grant != flox.GrantOK {
		y.t.Fatalf("Load = %+v, %v", l, err)
	}
	return l.Lease
}

// commit does the run's next item.
func (y *yard) commit(c flox.Commit) {
	y.t.Helper()
	c.Lease, c.Read = y.take(), -1
	res, err := y.Commit(y.t.Context(), c)
	if err != nil || res.Verdict != flox.VerdictReleased {
		y.t.Fatalf("Commit = %+v, %v", res, err)
	}
}

func (y *yard) fail() { y.t.Helper(); y.commit(flox.Commit{Op: flox.OpFail, Cause: "boom"}) }
func (y *yard) end()  { y.t.Helper(); y.commit(flox.Commit{Op: flox.OpEnd}) }

// step goes on to a node, so that the visit of this one is kept.
func (y *yard) step(node string) {
	y.t.Helper()
	y.commit(flox.Commit{Op: flox.OpNext, Node: node, Queue: "q"})
}

func (y *yard) send(id string) error {
	_, err := y.Signal(y.t.Context(), flox.SignalRequest{Run: "r", Name: "go", ID: id, Payload: []byte("1")})
	return err
}

// slowly asks for something, holding up the call of the script after so many of it;
// between happens before it is sent again.
func (y *yard) slowly(x *script, pass int, between func(), ask func(s *Store) error) error {
	y.courier.sha, y.courier.pass, y.courier.between = y.sha(x), pass, between
	err := ask(y.slow)
	if y.courier.held == nil {
		y.t.Fatal("nothing was held up")
	}
	return err
}

func asks(op flox.ControlOp, from string) func(s *Store) error {
	return func(s *Store) error {
		_, err := s.Control(context.Background(), flox.ControlRequest{Run: "r", Op: op, Nonce: "late", From: from})
		return err
	}
}

func signals(s *Store) error {
	_, err := s.Signal(context.Background(), flox.SignalRequest{Run: "r", Name: "go", ID: "late", Payload: []byte("1")})
	return err
}

func deletes(s *Store) error {
	_, err := s.Delete(context.Background(), "r")
	return err
}

func nobody(*yard) {} // does anything
