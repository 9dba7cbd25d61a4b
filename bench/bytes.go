package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// warmBytes are runs that are finished before anything is counted, so that what is
// there once for all runs is there.
const warmBytes = 64

// floxBytes measures what runs of the chain take: pending, and finished.
func floxBytes(ctx context.Context, e *env) ([]Sample, error) {
	at, err := e.place(ctx, 1)
	if err != nil {
		return nil, err
	}
	fill := func(n int) error {
		st, err := openStore(ctx, at.url)
		if err != nil {
			return err
		}
		defer st.Close()
		_, err = startMany(ctx, st, "chain", n)
		return err
	}
	drain := func(n int) error {
		st, err := openStore(ctx, at.url)
		if err != nil {
			return err
		}
		defer st.Close()
		p, err := e.worker(ctx, "flox", at.url, "chain")
		if err != nil {
			return err
		}
		if _, err := awaitCompleted(ctx, st, "chain", n); err != nil {
			return err
		}
		return p.stop(ctx)
	}
	st, err := openStore(ctx, at.url)
	if err != nil {
		return nil, err
	}
	err = errors.Join(register(ctx, st, "chain"), st.Close())
	if err != nil {
		return nil, err
	}
	return bytesOf(ctx, e, "flox", at.nodes[0], fill, drain)
}

// asynqBytes measures what a chain of three tasks takes, all of them kept.
func asynqBytes(ctx context.Context, e *env) ([]Sample, error) {
	at, err := e.place(ctx, 1)
	if err != nil {
		return nil, err
	}
	const peer = "asynq"
	fill := func(n int) error {
		l, err := linkAsynq(at.addr, peer)
		if err != nil {
			return err
		}
		defer l.close()
		_, err = l.enqueueMany(ctx, "chain-a", n)
		return err
	}
	drained := 0
	drain := func(n int) error {
		p, err := e.worker(ctx, "asynq", at.addr, peer, fmt.Sprint(n-drained))
		if err != nil {
			return err
		}
		drained = n
		if _, err := p.await(ctx, "end"); err != nil {
			return err
		}
		return p.stop(ctx)
	}
	return bytesOf(ctx, e, peer, at.nodes[0], fill, drain)
}

// bytesOf measures the memory and the append-only file before n runs, with n of them
// pending, and with n finished. fill starts runs; drain works until so many in all
// are finished. Both leave no connection behind.
func bytesOf(ctx context.Context, e *env, system string, r *redis.Client, fill, drain func(n int) error) ([]Sample, error) {
	n := e.chains
	if err := errors.Join(fill(warmBytes), drain(warmBytes)); err != nil {
		return nil, err
	}
	empty, err := weigh(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := fill(n); err != nil {
		return nil, err
	}
	pending, err := weigh(ctx, r)
	if err != nil {
		return nil, err
	}
	if err := drain(warmBytes + n); err != nil {
		return nil, err
	}
	finished, err := weigh(ctx, r)
	if err != nil {
		return nil, err
	}
	var all []Sample
	add := func(metric string, bytes float64, each int) {
		all = append(all, Sample{Workload: "W6", System: system, Metric: metric, Unit: "B", Value: bytes / float64(each)})
	}
	for _, of := range []struct {
		name string
		now  weight
	}{{"pending run", pending}, {"finished run", finished}} {
		add("bytes, "+of.name, of.now.memory-empty.memory, n)
		for _, kind := range slices.Sorted(maps.Keys(of.now.kinds)) {
			// What does not grow with the runs is not theirs.
			if more := of.now.kinds[kind] - empty.kinds[kind]; more > float64(n) {
				add("of a "+of.name+": "+kind, more, n)
			}
		}
	}
	add("aof, start", pending.aof-empty.aof, n)
	add("aof, step", finished.aof-pending.aof, n*chainSteps)
	return all, nil
}

// weight is what the server held at one moment, in bytes.
type weight struct {
	memory, aof float64
	kinds       map[string]float64 // MEMORY USAGE of all keys of a kind
}

// calm is how long the server is left alone before it is weighed, so that a table of
// keys that grows is not there twice.
const calm = 1500 * time.Millisecond

func weigh(ctx context.Context, r *redis.Client) (weight, error) {
	if err := pause(ctx, calm); err != nil {
		return weight{}, err
	}
	var w weight
	var err error
	if w.aof, err = infoNumber(ctx, r, "persistence", "aof_current_size"); err != nil {
		return w, err
	}
	if w.memory, err = memory(ctx, r); err != nil {
		return w, err
	}
	w.kinds, err = usage(ctx, r)
	return w, err
}

// memory is what the server holds but for what clients and the file's buffer take at
// the moment, which is not the runs'. The server reckons a client's buffers ten times
// a second, not when it is asked, and they grow by the very question: 40 KB. So it is
// asked until it says the same twice.
func memory(ctx context.Context, r *redis.Client) (float64, error) {
	const tries, tick, same = 40, 250 * time.Millisecond, 512
	var last float64
	for range tries {
		info, err := r.Info(ctx, "memory").Result()
		if err != nil {
			return 0, err
		}
		var now float64
		for field, sign := range map[string]float64{"used_memory": 1, "mem_clients_normal": -1, "mem_aof_buffer": -1} {
			v, err := numberIn(info, field)
			if err != nil {
				return 0, err
			}
			now += sign * v
		}
		if math.Abs(now-last) < same {
			return now, nil
		}
		last = now
		if err := pause(ctx, tick); err != nil {
			return 0, err
		}
	}
	return 0, fmt.Errorf("the server's memory did not settle in %d looks, the last is %.0f bytes", tries, last)
}

// usage adds up MEMORY USAGE of all keys by kind: of "flox:{default:0}:run:ID" and of
// "asynq:{default}:t:ID" that is what follows the brace.
func usage(ctx context.Context, r *redis.Client) (map[string]float64, error) {
	kinds := map[string]float64{}
	var cursor uint64
	for {
		keys, next, err := r.Scan(ctx, cursor, "*", 1000).Result()
		if err != nil {
			return nil, err
		}
		pipe := r.Pipeline()
		for _, key := range keys {
			pipe.MemoryUsage(ctx, key, 0)
		}
		sizes, err := pipe.Exec(ctx)
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, err
		}
		for i, key := range keys {
			kinds[kindOf(key)] += float64(sizes[i].(*redis.IntCmd).Val())
		}
		if cursor = next; cursor == 0 {
			return kinds, nil
		}
	}
}

func kindOf(key string) string {
	_, rest, _ := strings.Cut(key, "}:")
	kind, _, _ := strings.Cut(rest, ":")
	return kind
}
