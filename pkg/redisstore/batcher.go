package redisstore

import (
	"context"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// maxBatch is the most calls in one pipeline. A lane has up to maxFlying under way, so
// that the server has the next when it has done one; but one beside another only with
// worthIt calls, as each costs something by itself.
const (
	maxBatch  = 128
	maxFlying = 2
	worthIt   = 16
)

// command is a command that go-redis sends once: this package repeats it itself,
// when it knows that it may.
type command struct{ *redis.Cmd }

// NoRetry tells go-redis not to repeat the command.
func (command) NoRetry() bool { return true }

// call is what somebody waits for the answer of: a command, or an item that a script
// takes many of at once. script is nil for a command other than a script.
type call struct {
	args   []any
	script *script
	plain  *plain // instead of args
	val    any
	err    error
	done   chan struct{}
	gone   atomic.Bool // whoever asked waits no more: it need not be sent
}

// message is one command of a pipeline, and the calls that it answers.
type message struct {
	cmd    command
	args   []any
	script *script
	calls  []*call
}

// lane sends calls to one server, in one pipeline after another: those of all
// partitions, or of one if it is a Cluster. It takes what is queued and never waits
// for more: under load the batches grow by themselves.
type lane struct {
	s       *Store
	durable bool   // what it sends is confirmed by replicas
	mark    string // the key that such a lane writes to, of the slot of all its keys

	mu     sync.Mutex
	queue  []*call
	flying int
}

// send queues c and returns at once; c.done is closed when it was answered.
func (l *lane) send(c *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, c)
	if l.flying == 0 || l.flying < maxFlying && len(l.queue) >= worthIt {
		l.flying++
		l.s.background.Go(l.run)
	}
}

func (l *lane) run() {
	for {
		runtime.Gosched() // who is ready to send may do so first
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
	if len(l.queue) == 0 || l.flying > 1 && len(l.queue) < worthIt {
		l.flying--
		return nil
	}
	n := min(len(l.queue), maxBatch)
	batch := l.queue[:n:n]
	l.queue = l.queue[n:]
	return batch
}

func (l *lane) exec(batch []*call) {
	messages := l.s.messages(batch)
	l.pipeline(messages)
	var unknown []*message
	for _, m := range messages {
		if m.script != nil && isNoScript(m.cmd.Err()) {
			unknown = append(unknown, m)
		}
	}
	if len(unknown) > 0 {
		l.introduce(unknown)
	}
	for _, m := range messages {
		m.answer()
	}
}

// introduce sends messages again whose scripts the server does not know. NOSCRIPT
// means that a script did not run, so exactly these may be sent again. EVAL goes to
// the server that lacks the script and leaves it there.
func (l *lane) introduce(unknown []*message) {
	sent := map[*script]bool{}
	for _, m := range unknown {
		if !sent[m.script] || l.s.cluster {
			m.args[0], m.args[1] = "EVAL", l.s.source(m.script)
			sent[m.script] = true
		}
	}
	l.pipeline(unknown)
	for _, m := range unknown {
		m.args[0], m.args[1] = "EVALSHA", l.s.sha(m.script)
	}
}

func (l *lane) pipeline(messages []*message) {
	ctx := l.s.ctx
	for _, m := range messages {
		m.cmd = command{redis.NewCmd(ctx, m.args...)}
	}
	client, err := l.client(ctx)
	if err != nil {
		for _, m := range messages {
			m.cmd.SetErr(err)
		}
		l.s.batch(messages, 0)
		return
	}
	pipe := client.Pipeline()
	for _, m := range messages {
		if m.script != nil {
			m.cmd.SetFirstKeyPos(3)
		}
		_ = pipe.Process(ctx, m.cmd)
	}
	var confirmed confirmation
	if l.durable {
		confirmed = l.confirm(ctx, pipe)
	}
	began := time.Now()
	// Each command keeps its own error.
	_, _ = pipe.Exec(ctx)
	if l.durable {
		l.judge(messages, confirmed)
	}
	l.s.batch(messages, time.Since(began))
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

// once sends a call and waits for its answer or the end of ctx.
func (s *Store) once(ctx context.Context, lane int, c *call) (any, error) {
	c.done = make(chan struct{})
	if err := s.enter(); err != nil {
		return nil, err
	}
	s.lane(lane, c).send(c)
	s.leave()
	select {
	case <-c.done:
		return c.val, c.err
	case <-ctx.Done():
		c.gone.Store(true)
		return nil, ctx.Err()
	}
}
