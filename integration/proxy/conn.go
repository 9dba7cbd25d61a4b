package proxy

import (
	"bufio"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// conn is one client's connection and its counterpart to the server.
type conn struct {
	p              *Proxy
	client, server *net.TCPConn
	silent         atomic.Bool
	gone           chan struct{} // closed when the client's side has ended

	mu      sync.Mutex
	pending []pending // commands that the server has yet to answer, in order
	stream  bool      // the server speaks by itself: replies belong to no command
}

// pending is what becomes of one reply.
type pending struct {
	lose, swallow bool
	hold          *hold
}

func (p *Proxy) serve(client *net.TCPConn) {
	c := &conn{p: p, client: client, gone: make(chan struct{})}
	server, err := net.DialTimeout("tcp", p.target, 5*time.Second)
	if err != nil { // the client sees what it would without a proxy: a connection that ends
		_ = client.Close()
		return
	}
	c.server = server.(*net.TCPConn)
	if !p.enter(c) {
		c.reset()
		return
	}
	defer p.leave(c)
	p.running.Go(func() {
		c.down()
		c.end()
	})
	c.up()
	close(c.gone)
	c.end()
}

// reset ends the connection with a reset, so that what is under way is lost.
func (c *conn) reset() {
	_ = c.client.SetLinger(0)
	c.end()
}

func (c *conn) end() {
	_ = c.client.Close()
	_ = c.server.Close()
}

// silence cuts the connection without a word; the caller holds the proxy's lock.
func (c *conn) silence() {
	if !c.silent.Swap(true) {
		c.p.counts.Silenced++
	}
}

// up passes requests on until the connection ends.
func (c *conn) up() {
	r, w := bufio.NewReaderSize(c.client, 64<<10), bufio.NewWriterSize(c.server, 64<<10)
	for {
		cmd, raw, err := readCommand(r)
		if err != nil {
			return
		}
		if c.silent.Load() {
			continue
		}
		if !c.pass(w, cmd, raw) {
			return
		}
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
	}
}

// pass does to one command what is its fate; false ends the connection.
func (c *conn) pass(w *bufio.Writer, cmd Command, raw []byte) bool {
	f := c.p.decide(cmd)
	for f.behind != nil {
		_ = w.Flush()
		select {
		case <-f.behind.release:
		case <-c.p.done:
			return false
		}
		c.p.release(f.behind)
		f = c.p.decide(cmd)
	}
	switch {
	case f.loseRequest:
		_ = w.Flush()
		return false
	case f.hold != nil && f.hold.done == nil:
		_ = w.Flush()
		close(f.hold.held)
		select {
		case <-f.hold.release:
		case <-c.p.done:
			return false
		}
		c.p.release(f.hold)
	case f.replay:
		again := append([]byte(nil), raw...)
		c.p.running.Go(func() { c.p.replay(again, f.within) })
	}
	if f.hold != nil && f.hold.done == nil {
		f.hold = nil
	}
	c.expect(cmd, f)
	if f.duplicate {
		_, _ = w.Write(raw)
	}
	_, err := w.Write(raw)
	return err == nil
}

// expect notes what is to become of the command's replies.
func (c *conn) expect(cmd Command, f fate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch cmd.Name() {
	case "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR":
		c.stream = true
	}
	if c.stream {
		return
	}
	if f.duplicate {
		c.pending = append(c.pending, pending{swallow: f.second}, pending{swallow: !f.second})
		return
	}
	c.pending = append(c.pending, pending{lose: f.loseReply, hold: f.hold})
}

// answered takes what is to become of the next reply.
func (c *conn) answered() pending {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.pending) == 0 {
		return pending{}
	}
	next := c.pending[0]
	c.pending = c.pending[1:]
	return next
}

// down passes replies on until the connection ends.
func (c *conn) down() {
	r, w := bufio.NewReaderSize(c.server, 64<<10), bufio.NewWriterSize(c.client, 64<<10)
	for {
		if r.Buffered() == 0 && !c.flush(w) {
			return
		}
		raw, err := readValue(r, nil)
		if err != nil {
			break
		}
		next := c.answered()
		switch {
		case c.silent.Load(), next.swallow:
		case next.lose:
			c.p.lostReply()
			_ = w.Flush()
			return // not by a reset, which would take what was flushed with it
		case next.hold != nil && !next.hold.done(raw):
			c.p.holdAgain(next.hold)
			_, _ = w.Write(raw)
		case next.hold != nil:
			_ = w.Flush()
			c.silent.Store(true)
			close(next.hold.held)
		default:
			_, _ = w.Write(raw) // an error stays until the flush
		}
	}
	if c.silent.Load() {
		<-c.gone // that the server has hung up does not come through either
	}
}

// flush sends the replies that are there, late if so told; false ends the
// connection.
func (c *conn) flush(w *bufio.Writer) bool {
	if w.Buffered() == 0 {
		return true
	}
	if d := c.p.delay(); d > 0 {
		time.Sleep(d)
	}
	if c.silent.Load() {
		w.Reset(c.client)
		return true
	}
	return w.Flush() == nil
}

// replay sends a command again by a connection of its own, after a while.
func (p *Proxy) replay(raw []byte, after time.Duration) {
	time.Sleep(after)
	server, err := net.DialTimeout("tcp", p.target, time.Second)
	if err != nil {
		return
	}
	defer server.Close()
	_ = server.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := server.Write(raw); err == nil {
		_, _ = readValue(bufio.NewReader(server), nil)
	}
}
