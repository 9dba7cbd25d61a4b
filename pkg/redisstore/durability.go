package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// Durability says when what a Store was told counts as done.
type Durability string

// The values of Config.Durability; docs/durability.md says what each can lose.
const (
	// DurabilityAsync: when the master has it. What it had not sent to a replica
	// yet is lost with it in a failover.
	DurabilityAsync Durability = "async"
	// DurabilityWait: when Config.Replicas replicas have it, too.
	DurabilityWait Durability = "wait"
)

// ErrNotReplicated is what errors of a Store with DurabilityWait are when too few
// replicas have confirmed a change. The master may have it all the same: the call
// may be repeated.
var ErrNotReplicated = errors.New("not confirmed by enough replicas")

// unreplicated is the ErrNotReplicated of one change.
type unreplicated struct {
	got, want int
	within    time.Duration
	cause     error // why there is no answer; nil if got is one
}

func (e *unreplicated) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("the master did not say whether %d replicas have the change: %v", e.want, e.cause)
	}
	return fmt.Sprintf("the change reached %d of %d replicas within %v (durability wait): is a replica down or slow?", e.got, e.want, e.within)
}

func (e *unreplicated) Is(target error) bool { return target == ErrNotReplicated }

// MaxReplicas is the largest Config.Replicas.
const MaxReplicas = 100

// Limits of Config.ReplicaTimeout.
const (
	replicaTimeout     = time.Second
	mostReplicaTimeout = 2 * time.Second
)

// durability checks the settings and gives how many replicas must confirm a change,
// 0 for none, and within what time.
func (cfg *Config) durability() (replicas int, timeout time.Duration, err error) {
	switch cfg.Durability {
	case "", DurabilityAsync:
		if cfg.Replicas != 0 || cfg.ReplicaTimeout != 0 {
			return 0, 0, errors.New("replicas are waited for with durability wait only")
		}
		return 0, 0, nil
	case DurabilityWait:
	default:
		return 0, 0, fmt.Errorf("durability %q: want %s or %s", cfg.Durability, DurabilityAsync, DurabilityWait)
	}
	switch {
	case cfg.Replicas < 0, cfg.Replicas > MaxReplicas:
		return 0, 0, fmt.Errorf("%d replicas: want 1 to %d, or 0 for one", cfg.Replicas, MaxReplicas)
	case cfg.ReplicaTimeout < 0, cfg.ReplicaTimeout > mostReplicaTimeout, cfg.ReplicaTimeout%time.Millisecond != 0:
		return 0, 0, fmt.Errorf("replica timeout %v: want whole milliseconds, at most %v, or 0 for %v", cfg.ReplicaTimeout, mostReplicaTimeout, replicaTimeout)
	case cfg.Embedded:
		return 0, 0, errors.New("durability wait: an embedded server has no replicas; use async")
	}
	return cmp.Or(cfg.Replicas, 1), cmp.Or(cfg.ReplicaTimeout, replicaTimeout), nil
}

// lasting are the scripts whose answer a caller relies on: what they did must be
// with the replicas first. So are those that only hand out what others wrote, and
// on which a node then acts: a step is not started on what a failover may undo.
// What the others do is found missing, and done again, by the next who looks.
var lasting = map[*script]bool{
	scriptStart: true, scriptControl: true, scriptRestart: true, scriptSignal: true, scriptDelete: true, scriptRegister: true,
	scriptLoad: true, scriptState: true, scriptStarts: true, scriptStep: true,
	scriptNext: true, scriptLater: true, scriptAwait: true, scriptEnd: true, scriptClose: true, scriptFan: true,
	scriptRelease: true, scriptRetry: true, scriptFail: true,
}

// lane is the lane of a call: what waits for replicas does not hold up the rest,
// above all not the heartbeats.
func (s *Store) lane(n int, c *call) *lane {
	if s.replicas > 0 && (lasting[c.script] || c.script == nil && c.args[0] == "HSETNX") {
		return s.durable[n]
	}
	return s.lanes[n]
}

// client is what the lane's next pipeline goes to. WAIT has no key and holds for
// its own connection, so on a Cluster a lane that uses it talks to the one master
// that has its slot.
func (l *lane) client(ctx context.Context) (redis.UniversalClient, error) {
	cluster, is := l.s.client.(*redis.ClusterClient)
	if !is || !l.durable {
		return l.s.client, nil
	}
	master, err := cluster.MasterForKey(ctx, l.mark)
	if err != nil {
		return nil, err
	}
	return master, nil
}

// confirmation is how a pipeline learns whether the replicas have what it did.
type confirmation struct {
	mark *redis.Cmd
	wait *redis.IntCmd
}

// confirm ends a pipeline with WAIT. It answers for what its own connection wrote,
// but the pipeline may repeat what was written over another one and write nothing,
// so it writes before it asks.
func (l *lane) confirm(ctx context.Context, pipe redis.Pipeliner) confirmation {
	c := confirmation{
		mark: redis.NewCmd(ctx, "EVAL", l.s.source(scriptMark), 1, l.mark),
		wait: redis.NewIntCmd(ctx, "WAIT", l.s.replicas, l.s.replicaTimeout.Milliseconds()),
	}
	c.mark.SetFirstKeyPos(3)
	_ = pipe.Process(ctx, c.mark)
	_ = pipe.Process(ctx, c.wait)
	return c
}

// judge takes back the answers of a pipeline that too few replicas confirmed.
func (l *lane) judge(messages []*message, c confirmation) {
	err := cmp.Or(c.mark.Err(), c.wait.Err())
	if err == nil && int(c.wait.Val()) >= l.s.replicas {
		return
	}
	doubt := &unreplicated{int(c.wait.Val()), l.s.replicas, l.s.replicaTimeout, err}
	for _, one := range messages {
		if e := one.cmd.Err(); e == nil || errors.Is(e, redis.Nil) {
			one.cmd.SetErr(doubt)
		}
	}
	l.moved(err)
}

// moved reads the Cluster's layout anew if the lane's slot may be elsewhere.
func (l *lane) moved(err error) {
	cluster, is := l.s.client.(*redis.ClusterClient)
	if !is || err == nil {
		return
	}
	cluster.ReloadState(l.s.ctx)
}

// checkReplicas looks whether a master has the replicas that must confirm changes.
// That may pass: a replica that is started anew is away for a moment.
func (s *Store) checkReplicas(at string, info map[string]string) error {
	online := 0
	for field, value := range info {
		if strings.HasPrefix(field, "slave") && strings.Contains(value, "state=online") {
			online++
		}
	}
	if online >= s.replicas {
		return nil
	}
	return fmt.Errorf("redis at %s has %d replicas online, durability wait needs %d: start replicas, or use durability async: %w",
		at, online, s.replicas, ErrNotReplicated)
}
