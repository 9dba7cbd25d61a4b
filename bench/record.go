package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// recorder keeps what is sent over the connections that it dials.
type recorder struct {
	mu   sync.Mutex
	sent [][]string
	err  error
}

// dial opens a connection that is recorded.
func (r *recorder) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return &recorded{Conn: conn, r: r}, nil
}

// recorded is a connection whose commands are kept.
type recorded struct {
	net.Conn
	r    *recorder
	part []byte
}

// Write sends b and keeps the commands that are whole with it.
func (c *recorded) Write(b []byte) (int, error) {
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	c.part = append(c.part, b...)
	for len(c.part) > 0 && c.r.err == nil {
		args, rest, err := cutCommand(c.part)
		if errors.Is(err, errPart) {
			break
		}
		c.r.err = err
		c.r.sent, c.part = append(c.r.sent, args), rest
	}
	return c.Conn.Write(b)
}

// commands returns what was sent so far, and forgets it.
func (r *recorder) commands() ([][]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := r.sent
	r.sent = nil
	return sent, r.err
}

// recordedRun is the id of the run that is recorded; others' have its length.
const recordedRun = "bare-99999999"

// tape is what one run of a chain makes a worker and a starter send.
type tape struct {
	claim   []string          // XREADGROUP
	calls   [][]string        // those about the run, in order: the start first
	sources map[string]string // of scripts, by digest
}

// record does two runs of the workflow chain with a worker in this process and keeps
// what the second one sends: by then the server knows all scripts.
func record(ctx context.Context, url string) (*tape, error) {
	var r recorder
	quiet := slog.New(slog.DiscardHandler)
	st, err := redisstore.Open(ctx, redisstore.Config{URL: url, Dial: r.dial, Logger: quiet})
	if err != nil {
		return nil, err
	}
	defer st.Close()
	watch, err := openStore(ctx, url)
	if err != nil {
		return nil, err
	}
	defer watch.Close()
	w, err := newWorker(st, "chain")
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	done, ready := make(chan error, 1), make(chan struct{})
	go func() { done <- runWorker(ctx, w, func() { close(ready) }) }()
	defer func() { stop(); <-done }()
	select {
	case <-ready:
	case err := <-done:
		done <- nil
		return nil, errors.Join(errors.New("the worker ended"), err)
	}
	var claims, sent [][]string
	for i, id := range []string{"bare-99999998", recordedRun} {
		early, err := r.commands()
		if err != nil {
			return nil, err
		}
		claims = append(claims, early...)
		if err := startOne(ctx, st, id); err != nil {
			return nil, err
		}
		if _, err := awaitCompleted(ctx, watch, "chain", i+1); err != nil {
			return nil, err
		}
	}
	if sent, err = r.commands(); err != nil {
		return nil, err
	}
	return cutTape(append(claims, sent...))
}

// startOne starts a run of the chain as startMany does.
func startOne(ctx context.Context, st flox.Store, id string) error {
	items := func(yield func(flox.StartItem, error) bool) {
		yield(flox.StartItem{ID: id, Input: payload}, nil)
	}
	_, err := flox.NewControl(st).StartMany(ctx, "chain", items, nil)
	return err
}

// cutTape takes what is about the recorded run from what was sent, and a claim.
func cutTape(sent [][]string) (*tape, error) {
	t := &tape{sources: sourcesIn(sent)}
	for _, args := range sent {
		if strings.EqualFold(args[0], "XREADGROUP") {
			t.claim = args
		}
		if slices.ContainsFunc(args, func(a string) bool { return strings.Contains(a, recordedRun) }) {
			t.calls = append(t.calls, args)
		}
	}
	if t.claim == nil || len(t.calls) < 2 {
		return nil, errors.New("the recording has no claim, or too few calls")
	}
	return t, nil
}
