package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/integration/checker"
)

// bound is how long the deployment may take from the last fault to rest (L1):
// two leases, a reclaim period, the longest block and run, and 5 s.
func (t *trial) bound() time.Duration {
	if t.Within > 0 {
		return t.Within
	}
	return 2*lease + lease/4 + time.Second + t.Longest + 5*time.Second
}

// settle waits until the deployment is at rest and judges everything.
func (t *trial) settle(ctx context.Context) error {
	if t.calmAt.IsZero() {
		t.Calm()
	}
	unsettled := t.Await(ctx, "all is at rest", func() (bool, error) { return t.atRest(ctx) })
	took := time.Since(t.calmAt)
	stalled := t.stalls.sum() - t.calmed
	t.Measure("drain", took.Seconds())
	if stalled > 100*time.Millisecond {
		t.Measure("stalled", stalled.Seconds())
	}
	t.Judge("L1", unsettled == nil && took-stalled <= t.bound(), "it took %v to come to rest, of which the machine stood still %v; want at most %v (%v)",
		took, stalled, t.bound(), unsettled)
	for _, p := range t.proxies {
		if n := p.Counts().PerSecond; n > 0 {
			t.Measure("connects/s", float64(n))
		}
	}
	return t.judge(ctx)
}

// judge asks the checker.
func (t *trial) judge(ctx context.Context) error {
	masters, err := t.Masters(ctx)
	if err != nil {
		return err
	}
	snap, err := checker.Read(ctx, checker.Namespace{Name: t.Namespace, Masters: masters})
	if err != nil {
		return fmt.Errorf("read the namespace: %w", err)
	}
	log, err := checker.ReadLog(t.Fleet.Log())
	if err != nil {
		return err
	}
	c := t.Case
	c.Log, c.Rest, c.Want = log, true, t.Wants()
	if err := t.meter(ctx, snap, &c); err != nil {
		return err
	}
	t.report.Add(snap.Judge(c))
	for _, w := range t.watches {
		r, err := w.Report(ctx)
		if err != nil {
			return fmt.Errorf("follow the commands: %w", err)
		}
		t.report.Add(r)
	}
	if t.FinalCheck != nil {
		return t.FinalCheck(ctx, snap, log)
	}
	return nil
}

// atRest reports whether no run is active and nothing is queued, delayed or left
// for janitors.
func (t *trial) atRest(ctx context.Context) (bool, error) {
	masters, err := t.Masters(ctx)
	if err != nil {
		return false, err
	}
	for _, m := range masters {
		left, err := t.leftOver(ctx, m)
		if err != nil || left > 0 {
			return false, err
		}
	}
	return true, nil
}

// leftOver counts what is left to do in the partitions that a server has. What was
// damaged on purpose has nothing to do.
func (t *trial) leftOver(ctx context.Context, rdb *redis.Client) (int64, error) {
	var keys []string
	it := rdb.Scan(ctx, 0, "flox:{"+t.Namespace+":*", 10_000).Iterator()
	for it.Next(ctx) {
		_, name, _ := strings.Cut(it.Val(), "}:")
		switch {
		case slices.Contains(t.Case.Foreign, name):
		case name == "runs:active", name == "runs:todo", name == "delayed", strings.HasPrefix(name, "queue:"):
			keys = append(keys, it.Val())
		}
	}
	if err := it.Err(); err != nil || len(keys) == 0 {
		return 0, err
	}
	pipe := rdb.Pipeline()
	var counts []*redis.IntCmd
	for _, key := range keys {
		if isQueue(key) {
			counts = append(counts, pipe.XLen(ctx, key))
		} else {
			counts = append(counts, pipe.ZCard(ctx, key))
		}
	}
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return 0, err
	}
	var left int64
	for _, n := range counts {
		left += n.Val()
	}
	for _, key := range keys {
		if left == 0 || len(t.Case.Spoilt) == 0 {
			break
		}
		n, err := t.spoiltIn(ctx, rdb, key)
		if err != nil {
			return 0, err
		}
		left -= n
	}
	return left, nil
}

func isQueue(key string) bool { return strings.Contains(key, "}:queue:") }

// spoiltIn counts the members or entries of a key that belong to runs which were
// damaged on purpose.
func (t *trial) spoiltIn(ctx context.Context, rdb *redis.Client, key string) (int64, error) {
	var runs []string
	if isQueue(key) {
		entries, err := rdb.XRange(ctx, key, "-", "+").Result()
		if err != nil {
			return 0, err
		}
		for _, e := range entries {
			runs = append(runs, fmt.Sprint(e.Values["r"]))
		}
	} else {
		members, err := rdb.ZRange(ctx, key, 0, -1).Result()
		if err != nil {
			return 0, err
		}
		for _, m := range members {
			run, _, _ := strings.Cut(m, "|")
			run, _, _ = strings.Cut(run, "/")
			runs = append(runs, run)
		}
	}
	var n int64
	for _, run := range runs {
		if slices.Contains(t.Case.Spoilt, run) {
			n++
		}
	}
	return n, nil
}
