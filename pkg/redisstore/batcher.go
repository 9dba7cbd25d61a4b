package redisstore

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// maxBatch is the most commands in one pipeline.
const maxBatch = 64

// command is a command that go-redis sends once: this package repeats it itself,
// when it knows that it may.
type command struct{ *redis.Cmd }

// NoRetry tells go-redis not to repeat the command.
func (command) NoRetry() bool { return true }

// call is one command on its way. script is nil for a command other than a script.
type call struct {
	args   []any
	script *script
	cmd    command
	done   chan struct{}
	gone   atomic.Bool // whoever asked waits no more: it need not be sent
}

// lane sends the calls of one partition, one pipeline after another. It takes
// what is queued and never waits for more: under load the batches grow by
// themselves.
type lane struct {
	s       *Store
	durable bool   // what it sends is confirmed by replicas
	mark    string // the key that such a lane writes to, of the slot of all its keys

	mu    sync.Mutex
	queue []*call
	busy  bool
}

// send queues c and returns at once; c.done is closed when it was answered.
func (l *lane) send(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, c)
	if !l.busy {
		l.busy = true
		l.s.background.Go(l.run)
	}
}

func (l *lane) run() {
	for {
		batch := l.take()
		if batch == nil {
			return
		}
		l.exec(batch)
		for _, c := range batch {
			close(c.done)
		}
	}
}

// take returns the next batch, nil if there is none; the lane is idle then.
func (l *lane) take() []*call {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = slices.DeleteFunc(l.queue, func(c *call) bool { return c.gone.Load() })
	if len(l.queue) == 0 {
		l.queue, l.busy = nil, false
		return nil
	}
	n := min(len(l.queue), maxBatch)
	batch := l.queue[:n:n]
	l.queue = l.queue[n:]
	return batch
}

func (l *lane) exec(batch []*call) {
	l.pipeline(batch)
	var unknown []*call
	for _, c := range batch {
		if c.script != nil && isNoScript(c.cmd.Err()) {
			unknown = append(unknown, c)
		}
	}
	if len(unknown) == 0 {
		return
	}
	// NOSCRIPT means that it did not run, so exactly these may be sent again.
	// EVAL goes to the server that lacks the script and leaves it there.
	sent := map[*script]bool{}
	for _, c := range unknown {
		if !sent[c.script] || l.s.cluster {
			c.args[0], c.args[1] = "EVAL", l.s.source(c.script)
			sent[c.script] = true
		}
	}
	l.pipeline(unknown)
	for _, c := range unknown {
		c.args[0], c.args[1] = "EVALSHA", l.s.sha(c.script)
	}
}

func (l *lane) pipeline(batch []*call) {
	ctx := l.s.ctx
	for _, c := range batch {
		c.cmd = command{redis.NewCmd(ctx, c.args...)}
	}
	client, err := l.client(ctx)
	if err != nil {
		for _, c := range batch {
			c.cmd.SetErr(err)
		}
		l.s.batch(batch, 0)
		return
	}
	pipe := client.Pipeline()
	for _, c := range batch {
		if c.script != nil {
			c.cmd.SetFirstKeyPos(3)
		}
		_ = pipe.Process(ctx, c.cmd)
	}
	var confirmed confirmation
	if l.durable {
		confirmed = l.confirm(ctx, pipe)
	}
	began := time.Now()
	// Each command keeps its own error.
	_, _ = pipe.Exec(ctx)
	if l.durable {
		l.judge(batch, confirmed)
	}
	l.s.batch(batch, time.Since(began))
}

func isNoScript(err error) bool {
	return err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT")
}

// source and sha choose the form of a script that the server understands.
func (s *Store) source(x *script) string {
	if s.embedded {
		return x.plain
	}
	return x.source
}

func (s *Store) sha(x *script) string {
	if s.embedded {
		return x.plainSHA
	}
	return x.sha
}

// once sends a command and waits for its answer or the end of ctx.
func (s *Store) once(ctx context.Context, lane int, x *script, args []any) (any, error) {
	c := &call{args: args, script: x, done: make(chan struct{})}
	if err := s.enter(); err != nil {
		return nil, err
	}
	s.lane(lane, x, args).send(c)
	s.leave()
	select {
	case <-c.done:
		return c.cmd.Val(), c.cmd.Err()
	case <-ctx.Done():
		c.gone.Store(true)
		return nil, ctx.Err()
	}
}
