package proxy

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// Proxy passes connections on to one server. It is safe for concurrent use.
type Proxy struct {
	target string
	addr   string

	mu       sync.Mutex
	random   *rand.Rand
	faults   Faults
	counts   Counts
	accepted []time.Time // within the last second
	broken   []time.Time // by a command that was lost, the same
	listener net.Listener
	conns    map[*conn]bool
	hold     *hold
	behind   *hold // that keeps all commands now
	closed   bool
	done     chan struct{} // closed by Close

	running sync.WaitGroup
}

// hold is what one command is waited for with.
type hold struct {
	match   func(Command) bool
	done    func(reply []byte) bool // if set, the command runs first
	all     bool                    // of the other connections, too
	held    chan struct{}
	release chan struct{}
}

// Held is one command that is, or will be, held.
type Held struct {
	hold *hold
	once sync.Once
}

// Done is closed when the command is held.
func (h *Held) Done() <-chan struct{} { return h.hold.held }

// Release lets a held request go on to the server, late, even if its client has
// given up; what was sent behind it on its connection follows. A reply that is
// held stays so.
func (h *Held) Release() { h.once.Do(func() { close(h.hold.release) }) }

// New starts a proxy of the server at target, a host and port. The seed decides
// which commands are hit. Close it after use.
func New(target string, seed uint64) (*Proxy, error) {
	p := &Proxy{target: target, random: rand.New(rand.NewPCG(seed, 0)), conns: map[*conn]bool{}, done: make(chan struct{})}
	// Below the kernel's own range for clients: none takes the port while Refuse
	// leaves it free.
	var err error
	for range 200 {
		p.addr = fmt.Sprintf("127.0.0.1:%d", 30100+rand.IntN(2600))
		if p.listener, err = net.Listen("tcp", p.addr); err == nil {
			p.running.Add(1)
			go p.accept(p.listener)
			return p, nil
		}
	}
	return nil, fmt.Errorf("proxy of %s: %w", target, err)
}

// Addr is the host and port to connect to.
func (p *Proxy) Addr() string { return p.addr }

// Counts returns what was done so far.
func (p *Proxy) Counts() Counts {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts
}

// Set changes the faults. An error means that the port, which Refuse had left,
// cannot be had back.
func (p *Proxy) Set(f Faults) error {
	p.mu.Lock()
	if f.Refuse && p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
		p.counts.Refused++
	}
	p.faults = f
	again := !f.Refuse && p.listener == nil && !p.closed
	if f.Silent {
		for c := range p.conns {
			c.silence()
		}
	}
	p.mu.Unlock()
	if f.Refuse {
		p.Reset()
	}
	if again {
		return p.listen()
	}
	return nil
}

// listen takes the port back.
func (p *Proxy) listen() error {
	var err error
	for range 100 {
		var l net.Listener
		if l, err = net.Listen("tcp", p.addr); err == nil {
			p.mu.Lock()
			p.listener = l
			p.running.Add(1)
			p.mu.Unlock()
			go p.accept(l)
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("proxy: listen again: %w", err)
}

// Reset resets all connections.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		p.counts.Resets++
		c.reset()
	}
}

// HoldRequest waits for the next command that match picks and keeps it from the
// server until it is released, with all that follows on its connection.
func (p *Proxy) HoldRequest(match func(Command) bool) *Held { return p.setHold(match, nil, false) }

// HoldAll is HoldRequest, and keeps from then on what comes on other connections, too.
func (p *Proxy) HoldAll(match func(Command) bool) *Held { return p.setHold(match, nil, true) }

// HoldReply lets the next command run that match picks and that done, which is given
// its reply, takes for done, and keeps the reply from the client for ever, with all
// that follows on its connection.
func (p *Proxy) HoldReply(match func(Command) bool, done func(reply []byte) bool) *Held {
	return p.setHold(match, done, false)
}

func (p *Proxy) setHold(match func(Command) bool, done func(reply []byte) bool, all bool) *Held {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hold = &hold{match: match, done: done, all: all, held: make(chan struct{}), release: make(chan struct{})}
	return &Held{hold: p.hold}
}

// release lets others pass when a command is held no more.
func (p *Proxy) release(h *hold) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.behind == h {
		p.behind = nil
	}
}

// holdAgain waits for the next command in the place of one that was not done.
func (p *Proxy) holdAgain(h *hold) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Held--
	if p.hold == nil {
		p.hold = h
	}
}

// Close resets all connections and returns when nothing of the proxy runs.
func (p *Proxy) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	close(p.done)
	var err error
	if p.listener != nil {
		err = p.listener.Close()
	}
	for c := range p.conns {
		c.reset()
	}
	p.mu.Unlock()
	p.running.Wait()
	return err
}

func (p *Proxy) accept(l net.Listener) {
	defer p.running.Done()
	for {
		client, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			time.Sleep(5 * time.Millisecond)
			continue
		}
		p.running.Add(1)
		go func() {
			defer p.running.Done()
			p.serve(client.(*net.TCPConn))
		}()
	}
}

// enter takes a connection in; false if it must not be served.
func (p *Proxy) enter(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.faults.Refuse {
		return false
	}
	now := time.Now()
	p.accepted, p.broken = append(lately(p.accepted, now), now), lately(p.broken, now)
	p.counts.Accepted++
	p.counts.PerSecond = max(p.counts.PerSecond, len(p.accepted))
	p.counts.Excess = max(p.counts.Excess, len(p.accepted)-len(p.broken))
	p.conns[c] = true
	if p.faults.Silent {
		c.silence()
	}
	return true
}

// lately leaves out what was more than a second ago.
func lately(times []time.Time, now time.Time) []time.Time {
	for len(times) > 0 && now.Sub(times[0]) > time.Second {
		times = times[1:]
	}
	return times
}

func (p *Proxy) leave(c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
}

// fate is what becomes of one command.
type fate struct {
	loseRequest, loseReply, duplicate, second, replay bool
	hold                                              *hold
	behind                                            *hold         // that keeps this one, too
	within                                            time.Duration // of replay
}

// decide draws a command's fate.
func (p *Proxy) decide(cmd Command) fate {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.Commands++
	if h := p.behind; h != nil {
		return fate{behind: h}
	}
	if h := p.hold; h != nil && h.match(cmd) {
		p.hold = nil
		p.counts.Held++
		if h.all {
			p.behind = h
		}
		return fate{hold: h}
	}
	f := p.faults
	if f.Only != nil && !f.Only(cmd) {
		return fate{}
	}
	hit := func(share float64) bool { return share > 0 && p.random.Float64() < share }
	switch {
	case hit(f.LoseRequest):
		p.counts.LostRequests++
		p.broken = append(p.broken, time.Now())
		return fate{loseRequest: true}
	case hit(f.LoseReply):
		return fate{loseReply: true} // counted when the reply is there
	case hit(f.Duplicate):
		p.counts.Duplicates++
		return fate{duplicate: true, second: p.random.IntN(2) == 0}
	case hit(f.Replay):
		within := f.ReplayWithin
		if within == 0 {
			within = 100 * time.Millisecond
		}
		p.counts.Replays++
		return fate{replay: true, within: time.Duration(p.random.Int64N(int64(within)) + 1)}
	}
	return fate{}
}

// delay returns how long replies are kept, and counts it.
func (p *Proxy) delay() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.faults.Delay > 0 {
		p.counts.Delayed++
	}
	return p.faults.Delay
}

// lostReply counts a reply that was lost.
func (p *Proxy) lostReply() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts.LostReplies++
	p.broken = append(p.broken, time.Now())
}
