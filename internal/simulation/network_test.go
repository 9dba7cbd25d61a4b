package simulation

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// fault is what the network does to a request or a reply.
type fault int

const (
	loseRequest fault = iota // it never arrives, and the connection is gone
	lateRequest              // it arrives when its sender has long given up
	loseReply                // the commands run, but nobody hears of it
	lateReply
	faults
)

func (f fault) String() string {
	return []string{"request lost", "request late", "reply lost", "reply late"}[f]
}

// ofRequest reports whether the fault strikes requests; the others strike replies.
func (f fault) ofRequest() bool { return f == loseRequest || f == lateRequest }

// tally counts the faults that happened, by name.
type tally struct {
	mu    sync.Mutex
	times map[string]int
}

func (t *tally) add(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.times[name]++
}

// host is one process's end of the network to the server.
type host struct {
	server *miniredis.Miniredis
	fired  *tally
	pumps  sync.WaitGroup // that carry the connections

	mu     sync.Mutex
	r      *rand.Rand
	dead   bool
	frozen time.Time // until then nothing passes
	armed  map[fault]int
	links  map[*link]bool
}

func newHost(server *miniredis.Miniredis, fired *tally, r *rand.Rand) *host {
	return &host{server: server, fired: fired, r: r, armed: map[fault]int{}, links: map[*link]bool{}}
}

// dial opens a connection over the network.
func (h *host) dial(context.Context, string, string) (net.Conn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.dead {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	up, err := h.server.Dial()
	if err != nil {
		return nil, err
	}
	client, down := net.Pipe()
	l := &link{h: h, down: down, up: up}
	h.links[l] = true
	l.carry(down, up, true)
	l.carry(up, down, false)
	return socket{client}, nil
}

// socket is a pipe whose end reads as that of a connection does.
type socket struct{ net.Conn }

func (s socket) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	return n, broken(err)
}

func (s socket) Write(b []byte) (int, error) {
	n, err := s.Conn.Write(b)
	return n, broken(err)
}

func (s socket) SetDeadline(t time.Time) error      { return broken(s.Conn.SetDeadline(t)) }
func (s socket) SetReadDeadline(t time.Time) error  { return broken(s.Conn.SetReadDeadline(t)) }
func (s socket) SetWriteDeadline(t time.Time) error { return broken(s.Conn.SetWriteDeadline(t)) }

func broken(err error) error {
	if errors.Is(err, io.ErrClosedPipe) {
		return &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
	}
	return err
}

// arm lets a fault strike after a few more messages.
func (h *host) arm(f fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.armed[f] = 1 + h.r.IntN(6)
}

// strike returns the fault that strikes a message, if one does.
func (h *host) strike(request bool) (fault, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for f := range faults { // in order: a map would be read in another each time
		if f.ofRequest() != request || h.armed[f] == 0 {
			continue
		}
		if h.armed[f]--; h.armed[f] == 0 {
			h.fired.add(f.String())
			return f, true
		}
	}
	return 0, false
}

// late is how long a late message takes: often longer than any timeout.
func (h *host) late() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Duration(1+h.r.IntN(12_000)) * time.Millisecond
}

// freeze lets nothing pass for a while.
func (h *host) freeze(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.frozen = time.Now().Add(d)
}

// calm takes back what is still to strike.
func (h *host) calm() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.armed)
}

func (h *host) thaw() {
	h.mu.Lock()
	wait := time.Until(h.frozen)
	h.mu.Unlock()
	if wait > 0 {
		time.Sleep(wait)
	}
}

// cut closes all connections; a dead host opens no others.
func (h *host) cut(dead bool) {
	h.mu.Lock()
	h.dead = h.dead || dead
	var links []*link
	for l := range h.links {
		links = append(links, l)
	}
	h.mu.Unlock()
	for _, l := range links {
		l.close()
	}
}

// end cuts the host off for good, and returns when nothing is on its way any more.
func (h *host) end() {
	h.cut(true)
	h.pumps.Wait()
}

// link is one connection. Each direction is read at once, whatever becomes of it,
// so that neither end waits in a write: some hold locks meanwhile, and the time of
// the bubble would stand.
type link struct {
	h        *host
	down, up net.Conn // to the client and to the server
}

func (l *link) close() {
	l.h.mu.Lock()
	delete(l.h.links, l)
	l.h.mu.Unlock()
	_ = l.down.Close()
	_ = l.up.Close()
}

// carry starts to carry what from sends. What was sent before from hung up still
// arrives.
func (l *link) carry(from, to net.Conn, request bool) {
	under := make(chan []byte, 4096)
	l.h.pumps.Go(func() {
		defer close(under)
		for {
			buf := make([]byte, 32<<10)
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			under <- buf[:n]
		}
	})
	l.h.pumps.Go(func() {
		hello := true // the library holds a lock until its greeting is answered
		for message := range under {
			if !l.deliver(message, to, request, hello) {
				l.close()
			}
			hello = false
		}
		l.close()
	})
}

// deliver reports whether the connection holds.
func (l *link) deliver(message []byte, to net.Conn, request, hello bool) bool {
	if hello {
		_, err := to.Write(message)
		return err == nil
	}
	f, struck := l.h.strike(request)
	if struck && (f == loseRequest || f == loseReply) {
		return false
	}
	if struck {
		time.Sleep(l.h.late())
	}
	l.h.thaw()
	if _, err := to.Write(message); err != nil {
		return false
	}
	if struck && request {
		time.Sleep(time.Second) // the server gets to it, though its sender has hung up
	}
	return true
}
