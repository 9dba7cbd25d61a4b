package main

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
)

func init() {
	register(
		scenario{name: "busy", row: "BUSY script", short: true, run: during(busy)},
		scenario{name: "loading", row: "LOADING", topologies: []string{slowLoad}, run: during(loading)},
		scenario{name: "readonly", row: "READONLY", short: true, run: during(readOnly)},
		scenario{name: "clusterdown", row: "CLUSTERDOWN", topologies: []string{cluster}, run: during(clusterDown)},
	)
}

// during lets workers work while servers are in a state in which they cannot: it
// is waited out, and no start fails.
func during(state func(ctx context.Context, t *trial) error) func(ctx context.Context, t *trial) error {
	return func(ctx context.Context, t *trial) error {
		t.judgeAcknowledged(false)
		if err := t.Workers(ctx, 3, "FLOX_PARTITIONS=6"); err != nil {
			return err
		}
		f, err := t.Feed(ctx, 40)
		if err != nil {
			return err
		}
		if err := pause(ctx, time.Second); err != nil {
			return err
		}
		if err := state(ctx, t); err != nil {
			return err
		}
		t.Calm()
		// That starts work again shows that the state is over for them, too.
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return err
		}
		return f.End()
	}
}

// witness counts how often a server says a code, until d has passed.
func (t *trial) witness(ctx context.Context, c *redis.Client, code string, d time.Duration, ask ...any) error {
	t.Fired(code, 0)
	return every(ctx, 100*time.Millisecond, d, func() error {
		if said(ctx, c, code, ask...) {
			t.Fired(code, 1)
		}
		return nil
	})
}

// busy runs a script that does not end, until it is killed.
func busy(ctx context.Context, t *trial) error {
	c := t.Nodes()[0]
	if err := c.ConfigSet(ctx, "busy-reply-threshold", "50").Err(); err != nil {
		return err
	}
	for range 2 {
		own := t.Site.Nodes[0].Client()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = own.Eval(ctx, "while true do end", nil).Err()
		}()
		err := t.witness(ctx, c, "BUSY", 1500*time.Millisecond, "PING")
		killed := c.ScriptKill(ctx).Err()
		_ = own.Close()
		<-ended
		if err := errors.Join(err, killed); err != nil {
			return err
		}
		if err := pause(ctx, 300*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// loading restarts a server that takes long to read its data.
func loading(ctx context.Context, t *trial) error {
	if err := pause(ctx, 3*time.Second); err != nil { // there is something to read then
		return err
	}
	n := t.Site.Nodes[0]
	n.Kill()
	started := make(chan error, 1)
	go func() { started <- n.Start(ctx) }()
	t.Fired("LOADING", 0)
	c := t.Nodes()[0]
	for {
		select {
		case err := <-started:
			return err
		case <-time.After(50 * time.Millisecond):
			if said(ctx, c, "LOADING", "PING") {
				t.Fired("LOADING", 1)
			}
		}
	}
}

// readOnly makes the server the replica of one that is not there, for a while.
func readOnly(ctx context.Context, t *trial) error {
	c := t.Nodes()[0]
	for range 2 {
		if err := c.Do(ctx, "REPLICAOF", "127.0.0.1", "1").Err(); err != nil {
			return err
		}
		if err := t.witness(ctx, c, "READONLY", 1500*time.Millisecond, "SET", "chaos:probe", "1"); err != nil {
			return err
		}
		if err := c.Do(ctx, "REPLICAOF", "NO", "ONE").Err(); err != nil {
			return err
		}
		if err := pause(ctx, 300*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// clusterDown kills a master and its replica: the others serve nothing either until
// one of the two is back.
func clusterDown(ctx context.Context, t *trial) error {
	nodes := t.Site.Extra.(*testredis.ClusterServer).Nodes
	master, replica := nodes[0], nodes[3]
	replica.Kill() // first: it is not to take over
	master.Kill()
	if err := t.witness(ctx, t.Nodes()[1], "CLUSTERDOWN", 6*time.Second, "GET", "chaos:probe"); err != nil {
		return err
	}
	for _, n := range []*testredis.Server{master, replica} {
		if err := n.Start(ctx); err != nil {
			return err
		}
	}
	return t.Await(ctx, "the cluster is whole", func() (bool, error) {
		for _, n := range nodes {
			if err := n.AwaitInfo(ctx, "cluster", "cluster_enabled:1"); err != nil {
				return false, err
			}
		}
		return !said(ctx, t.Nodes()[1], "CLUSTERDOWN", "GET", "chaos:probe"), nil
	})
}
