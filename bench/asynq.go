package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/floxrun/flox/internal/testredis"
)

// asynqSetup is how asynq is run.
type asynqSetup struct {
	interval  time.Duration // TaskCheckInterval; 0 is its default, 1 s
	retention time.Duration // how long finished tasks are kept; 0 is its default, not at all
	pool      int           // connections; 0 is the default, 10 for each processor
}

// asynqSetups are the peers. "asynq" is what it does best with: 10 ms between looks at
// an empty queue, and a connection for each task in hand. Its finished tasks are kept,
// as flox keeps finished runs. "asynq-default" has only the concurrency set.
var asynqSetups = map[string]asynqSetup{
	"asynq":         {interval: 10 * time.Millisecond, retention: time.Hour, pool: 2 * concurrency},
	"asynq-default": {},
}

// peers makes a system of each of asynq's setups.
func peers(run func(ctx context.Context, e *env, name string) ([]Sample, error)) []system {
	var all []system
	for _, name := range []string{"asynq", "asynq-default"} {
		all = append(all, system{name, func(ctx context.Context, e *env) ([]Sample, error) { return run(ctx, e, name) }})
	}
	return all
}

// asynqLink is what enqueues tasks, in the starter and in handlers.
type asynqLink struct {
	setup  asynqSetup
	client *asynq.Client
	redis  redis.UniversalClient
}

// linkAsynq connects to a server.
func linkAsynq(addr, setup string) (*asynqLink, error) {
	s, ok := asynqSetups[setup]
	if !ok {
		return nil, fmt.Errorf("there is no setup %q", setup)
	}
	r := redis.NewClient(&redis.Options{Addr: addr, PoolSize: s.pool, Protocol: 2, DisableIdentity: true})
	return &asynqLink{setup: s, client: asynq.NewClientFromRedisClient(r), redis: r}, nil
}

func (l *asynqLink) close() { _ = l.redis.Close() }

// enqueue adds a task; kind names its handler and run what it belongs to.
func (l *asynqLink) enqueue(ctx context.Context, kind, run string) error {
	var opts []asynq.Option
	if l.setup.retention > 0 {
		opts = append(opts, asynq.Retention(l.setup.retention))
	}
	_, err := l.client.EnqueueContext(ctx, asynq.NewTask(kind, pad(run)), opts...)
	return err
}

// pad makes a run's id a payload of 64 bytes.
func pad(run string) []byte { return []byte(fmt.Sprintf("%-64s", run)) }

func unpad(payload []byte) string { return strings.TrimRight(string(payload), " ") }

// enqueueMany adds so many tasks as fast as one process can, and returns how long
// that took. There is no enqueue in bulk: as many callers as tasks in hand do it.
func (l *asynqLink) enqueueMany(ctx context.Context, kind string, n int) (time.Duration, error) {
	begin := time.Now()
	var callers errgroup.Group
	for i := range concurrency {
		callers.Go(func() error {
			for run := i; run < n; run += concurrency {
				if err := l.enqueue(ctx, kind, fmt.Sprint("run-", run)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := callers.Wait()
	return time.Since(begin), err
}

// asynqWorker is a worker process; its arguments are the server's address, the setup,
// and how many final tasks end the measurement.
func asynqWorker(ctx context.Context, args []string) error {
	if len(args) != 3 {
		return errors.New("want an address, a setup and a count")
	}
	l, err := linkAsynq(args[0], args[1])
	if err != nil {
		return err
	}
	defer l.close()
	if seen.want, err = strconv.Atoi(args[2]); err != nil {
		return err
	}
	srv := asynq.NewServerFromRedisClient(l.redis, asynq.Config{
		Concurrency: concurrency, TaskCheckInterval: l.setup.interval, LogLevel: asynq.FatalLevel,
	})
	if err := srv.Start(l.handlers()); err != nil {
		return err
	}
	say("ready")
	<-ctx.Done()
	srv.Shutdown()
	return nil
}

// handlers are the steps of all workloads. What flox's graph says, a handler does
// here: it enqueues what comes next.
func (l *asynqLink) handlers() asynq.Handler {
	mux := asynq.NewServeMux()
	handle := func(kind string, f func(ctx context.Context, run string) error) {
		mux.HandleFunc(kind, func(ctx context.Context, t *asynq.Task) error {
			seen.started()
			return f(ctx, unpad(t.Payload()))
		})
	}
	then := func(kind, next string) {
		handle(kind, func(ctx context.Context, run string) error { return l.enqueue(ctx, next, run) })
	}
	final := func(kind string, f func(ctx context.Context, run string) error) {
		handle(kind, func(ctx context.Context, run string) error {
			defer seen.finished()
			return f(ctx, run)
		})
	}
	quiet := func(context.Context, string) error { return nil }
	then("chain-a", "chain-b")
	then("chain-b", "chain-c")
	final("chain-c", quiet)
	then("idle-a", "idle-b")
	then("idle-b", "idle-c")
	final("idle-c", l.signal)
	final("pickup", l.signal)
	handle("split", l.split)
	handle("part", l.part)
	then("join", "end")
	final("end", quiet)
	final("note", l.note)
	return mux
}

// signal tells the starter that a run is done, and when.
func (l *asynqLink) signal(ctx context.Context, run string) error {
	return l.redis.RPush(ctx, "bench:done:"+run, time.Now().UnixNano()).Err()
}

// split enqueues the parts and what counts them.
func (l *asynqLink) split(ctx context.Context, run string) error {
	if err := l.redis.Set(ctx, "bench:left:"+run, fanWidth, time.Hour).Err(); err != nil {
		return err
	}
	for range fanWidth {
		if err := l.enqueue(ctx, "part", run); err != nil {
			return err
		}
	}
	return nil
}

// part counts itself; the last one enqueues the join.
func (l *asynqLink) part(ctx context.Context, run string) error {
	left, err := l.redis.Decr(ctx, "bench:left:"+run).Result()
	if err != nil || left > 0 {
		return err
	}
	return l.enqueue(ctx, "join", run)
}

// note appends 100 bytes to a list: what stands in for a state.
func (l *asynqLink) note(ctx context.Context, _ string) error {
	return l.redis.RPush(ctx, "bench:notes", strings.Repeat("d", 100)).Err()
}

// asynq starts a server and links to it as the setup says.
func (e *env) asynq(ctx context.Context, setup string) (*testredis.Server, *asynqLink, error) {
	srv, err := e.server(ctx)
	if err != nil {
		return nil, nil, err
	}
	l, err := linkAsynq(srv.Addr(), setup)
	if err != nil {
		return nil, nil, err
	}
	e.atEnd(l.close)
	return srv, l, nil
}
