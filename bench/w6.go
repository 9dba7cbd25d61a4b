package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

func w6() workload {
	return workload{
		name:  "W6",
		about: "what an idle worker process does; and what a run of 3 steps takes, pending and finished with its history kept",
		systems: append([]system{
			{"flox", floxIdle},
			{"flox", floxBytes},
			{"asynq", asynqBytes},
		}, peers(asynqIdle)...),
		targets: []target{
			{about: "bytes per pending run", system: "flox", metric: "bytes, pending run", least: 600, stretch: 400, most: true},
			{about: "bytes per finished run of 3 steps with history", system: "flox", metric: "bytes, finished run", least: 900, stretch: 600, most: true},
			{about: "Redis commands a second of an idle worker, one partition", system: "flox", metric: "idle: commands", least: 5, stretch: 2, most: true},
		},
	}
}

// warmUp is how long a worker is let alone, at most, before it counts as idle.
const warmUp = 3 * time.Second

func floxIdle(ctx context.Context, e *env) ([]Sample, error) {
	at, err := e.place(ctx, 1)
	if err != nil {
		return nil, err
	}
	p, err := e.worker(ctx, "flox", at.url, "chain")
	if err != nil {
		return nil, err
	}
	return idle(ctx, e, "flox", at.nodes[0], p)
}

func asynqIdle(ctx context.Context, e *env, setup string) ([]Sample, error) {
	if e.quick && setup != "asynq" {
		return nil, nil
	}
	at, err := e.place(ctx, 1)
	if err != nil {
		return nil, err
	}
	p, err := e.worker(ctx, "asynq", at.addr, setup, "0")
	if err != nil {
		return nil, err
	}
	return idle(ctx, e, setup, at.nodes[0], p)
}

// idle watches a worker process that has nothing to do. Metrics: "idle: commands" is
// what Redis counts, with those that scripts call; "idle: sent" is what the worker
// sends.
func idle(ctx context.Context, e *env, system string, r *redis.Client, p *process) ([]Sample, error) {
	if err := pause(ctx, min(warmUp, e.settle)); err != nil {
		return nil, err
	}
	m, err := watch(r.Options().Addr)
	if err != nil {
		return nil, err
	}
	defer m.stop()
	before, err := callsOf(ctx, r)
	if err != nil {
		return nil, err
	}
	serverBefore, err := redisCPU(ctx, r)
	if err != nil {
		return nil, err
	}
	workerBefore, err := p.cpu()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := pause(ctx, e.settle); err != nil {
		return nil, err
	}
	took := time.Since(began).Seconds()
	worker, err := p.cpu()
	if err != nil {
		return nil, err
	}
	server, err := redisCPU(ctx, r)
	if err != nil {
		return nil, err
	}
	after, err := callsOf(ctx, r)
	if err != nil {
		return nil, err
	}
	sample := func(metric, unit string, value float64) Sample {
		return Sample{Workload: "W6", System: system, Metric: "idle: " + metric, Unit: unit, Value: value / took}
	}
	return []Sample{
		sample("commands", "/s", float64(after-before)),
		sample("sent", "/s", float64(m.sent.Load())),
		sample("worker cpu", "ms/s", (worker-workerBefore).Seconds()*1000),
		sample("redis cpu", "ms/s", (server-serverBefore).Seconds()*1000),
	}, p.stop(ctx)
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

var statLine = regexp.MustCompile(`(?m)^cmdstat_([^:]+):calls=(\d+)`)

// callsOf is how many commands the server has executed, also within scripts, but for
// those that the benchmark itself sends.
func callsOf(ctx context.Context, r *redis.Client) (int, error) {
	stats, err := r.Info(ctx, "commandstats").Result()
	if err != nil {
		return 0, err
	}
	return countCalls(stats)
}

func countCalls(stats string) (int, error) {
	total := 0
	for _, m := range statLine.FindAllStringSubmatch(stats, -1) {
		if m[1] == "info" || m[1] == "monitor" {
			continue
		}
		n, err := strconv.Atoi(m[2])
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// monitor counts what clients send to a server: not what scripts call, nor what the
// benchmark itself sends.
type monitor struct {
	conn net.Conn
	sent atomic.Int64
	done chan struct{}
}

// watch begins to count. The library's own MONITOR shares its connection with others.
func watch(addr string) (*monitor, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(conn, "MONITOR\r\n"); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	lines := bufio.NewReader(conn)
	if ok, err := lines.ReadString('\n'); err != nil || ok != "+OK\r\n" {
		return nil, errors.Join(fmt.Errorf("MONITOR answers %q", ok), err, conn.Close())
	}
	m := &monitor{conn: conn, done: make(chan struct{})}
	go m.read(lines)
	return m, nil
}

func (m *monitor) read(lines *bufio.Reader) {
	defer close(m.done)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if !strings.Contains(line, " lua]") && !strings.Contains(strings.ToLower(line), `] "info"`) {
			m.sent.Add(1)
		}
	}
}

func (m *monitor) stop() {
	_ = m.conn.Close()
	<-m.done
}
