package checker

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// Watch follows all commands of one server and judges them in the order in which
// they took effect. Its methods are safe for concurrent use.
type Watch struct {
	rdb    *redis.Client
	known  bool // whether the mirror holds what the server has, when it begins
	stop   context.CancelFunc
	ended  chan struct{}
	mu     sync.Mutex // of the fields below
	mirror *mirror
	rep    *Report
	marks  map[string]chan struct{} // closed when the command with that key was seen
}

// Follow begins to follow the server at addr, "host:port" or a redis:// URL with
// what it takes to log in. prefix is what the keys to be judged begin with,
// "flox:{<namespace>:". It ends with ctx or with Close.
//
// When the server is lost it connects again, and goes on from the server's keys as
// they are then: what was done in between was not judged, and the count
// "reconnects" says so. Nothing is judged while the server is a replica. Begin
// before any client of the namespace has loaded a script: of scripts whose text was
// not seen by any Watch of this process not all is judged (the count "unknown
// scripts").
//
// Valkey 8 does not escape quotes and backslashes in what MONITOR says, so words
// with both cannot always be told apart there: payloads that hold them can make it
// report what is not so.
func Follow(ctx context.Context, addr, prefix string) (*Watch, error) {
	opts := &redis.Options{Addr: addr}
	if strings.Contains(addr, "://") {
		var err error
		if opts, err = redis.ParseURL(addr); err != nil {
			return nil, fmt.Errorf("follow %s: %w", addr, err)
		}
	}
	opts.Protocol, opts.DisableIdentity = 2, true
	rep := &Report{}
	w := &Watch{
		rdb: redis.NewClient(opts), ended: make(chan struct{}), mirror: newMirror(rep, prefix), rep: rep,
		marks: map[string]chan struct{}{},
	}
	ctx, w.stop = context.WithCancel(ctx)
	conn, lines, err := w.connect(ctx)
	// A replica is read when it becomes a master.
	if err == nil && w.master(ctx) == nil {
		err = w.sync(ctx, conn, lines)
		w.known = true
	}
	if err != nil {
		w.stop()
		w.rdb.Close()
		return nil, fmt.Errorf("follow %s: %w", addr, err)
	}
	go w.run(ctx, conn, lines)
	return w, nil
}

// Leave lets a run be, and the sums of its partition: its keys are to be damaged.
// Without it, that was forgotten whenever following has to begin anew.
func (w *Watch) Leave(run string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mirror.left[run] = true
}

// Close ends it.
func (w *Watch) Close() error {
	w.stop()
	<-w.ended
	return w.rdb.Close()
}

// Report waits until all that the server has done up to now was judged, and
// returns what was found; following goes on. It fails with ctx.
func (w *Watch) Report(ctx context.Context) (*Report, error) {
	key := "checker:mark:" + rand.Text()
	seen := make(chan struct{})
	w.mu.Lock()
	w.marks[key] = seen
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.marks, key)
	}()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	for {
		// Its answer does not matter: a Cluster's node may say that it has no such slot.
		// The line is not there if following was interrupted, so it is sent again.
		err := w.rdb.Do(ctx, "EVAL", "return 0", 0, key).Err()
		select {
		case <-seen:
			w.mu.Lock()
			defer w.mu.Unlock()
			copied := &Report{}
			copied.Add(w.rep)
			return copied, nil
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("follow: %w", ctx.Err()), err)
		case <-w.ended:
			return nil, errors.New("follow: it has ended")
		case <-tick.C:
		}
	}
}

// errAgain asks for a new start from the server's keys.
var errAgain = errors.New("what the server holds is not known")

func (w *Watch) run(ctx context.Context, conn net.Conn, lines *bufio.Reader) {
	defer close(w.ended)
	first := errAgain
	if w.known {
		first = nil
	}
	for {
		err := first
		if err == nil {
			err = w.follow(ctx, lines)
		}
		for first = nil; err != nil; {
			if ctx.Err() != nil {
				return // which has closed the connection
			}
			if errors.Is(err, errAgain) {
				err = w.sync(ctx, conn, lines)
				continue
			}
			if conn != nil {
				conn.Close()
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				return
			}
			if conn, lines, err = w.connect(ctx); err == nil {
				w.mu.Lock()
				w.rep.Count("reconnects", 1)
				w.mu.Unlock()
				err = w.sync(ctx, conn, lines)
			}
		}
	}
}

// follow judges what comes, until the connection is lost or the server has to be
// read anew.
func (w *Watch) follow(ctx context.Context, lines *bufio.Reader) error {
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		c, ok := parseCommand(line)
		if !ok {
			w.mu.Lock()
			w.rep.Count("lines not understood", 1)
			concerns := strings.Contains(line, w.mirror.prefix)
			if concerns { // what it has changed is not known
				w.mirror.queue = nil
			}
			w.mu.Unlock()
			if concerns {
				return errAgain
			}
			continue
		}
		w.mu.Lock()
		w.mirror.see(c)
		doubt := w.mirror.doubt || moves(c)
		w.mirror.doubt = false
		w.mu.Unlock()
		if doubt && (moves(c) || w.master(ctx) != nil) {
			return errAgain
		}
		w.reached(c)
	}
}

// moves says whether keys come or go that the line does not show.
func moves(c command) bool {
	switch c.name {
	case "MIGRATE", "RESTORE", "RESTORE-ASKING", "RENAME", "COPY", "SWAPDB":
		return true
	}
	return false
}

// reached wakes who waits for this line.
func (w *Watch) reached(c command) {
	if c.name != "EVAL" || len(c.args) != 4 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if seen := w.marks[c.args[3]]; seen != nil {
		delete(w.marks, c.args[3])
		close(seen)
	}
}
