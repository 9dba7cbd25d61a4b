package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/integration/load"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

func init() {
	register(
		scenario{
			name: "redis-restart", row: "Redis SIGKILL and restart, appendfsync always", short: true, topologies: []string{always},
			run: func(ctx context.Context, t *trial) error { return restartRedis(ctx, t, false) },
		},
		scenario{
			name: "redis-restart-everysec", row: "Redis SIGKILL and restart, appendfsync everysec",
			run: func(ctx context.Context, t *trial) error { return restartRedis(ctx, t, true) },
		},
		scenario{name: "full", row: "out of memory, noeviction", short: true, run: fillRedis},
		scenario{name: "evicting", row: "eviction policy other than noeviction", short: true, run: refuseEviction},
	)
}

// restartRedis kills the server a few times, and starts it again with its data. With
// appendfsync everysec Redis keeps back what comes while it syncs its log, and has
// acknowledged it: how much is lost is the disk's to say, and is counted.
func restartRedis(ctx context.Context, t *trial, lossy bool) error {
	t.judgeAcknowledged(lossy)
	t.Case.Lost = lossy
	if err := t.Workers(ctx, 3); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 40)
	if err != nil {
		return err
	}
	t.Fired("Redis SIGKILL", 0)
	kills := 4
	if t.Short {
		kills = 2
	}
	for range kills {
		if err := pause(ctx, time.Duration(500+t.Random.IntN(700))*time.Millisecond); err != nil {
			return err
		}
		t.Site.Nodes[0].Kill()
		t.Fired("Redis SIGKILL", 1)
		if err := pause(ctx, time.Duration(t.Random.IntN(600))*time.Millisecond); err != nil {
			return err
		}
		if err := t.Site.Nodes[0].Start(ctx); err != nil {
			return err
		}
	}
	if err := pause(ctx, time.Second); err != nil {
		return err
	}
	if err := f.End(); err != nil {
		return err
	}
	if err := t.judgeStarts(ctx, lossy); err != nil {
		return err
	}
	t.Calm()
	return nil
}

// fillRedis lets the server's memory be full while runs are under way: they go on
// and can be cancelled, but none is started.
func fillRedis(ctx context.Context, t *trial) error {
	if err := t.Workers(ctx, 2); err != nil {
		return err
	}
	ctl, err := t.Control(ctx)
	if err != nil {
		return err
	}
	const runs = 30
	for n := range runs {
		r := load.Run{ID: fmt.Sprintf("long-%d", n), Workflow: load.ChainName, Input: load.Chain{Left: 30, Nap: 20, Wait: n % 2 * 30}}
		if err := t.Start(ctx, ctl, r); err != nil {
			return err
		}
	}
	limit := func(bytes string) error { return t.Nodes()[0].ConfigSet(ctx, "maxmemory", bytes).Err() }
	if err := limit("1"); err != nil {
		return err
	}
	t.Fired("starts refused", 0)
	refused := load.Run{ID: "refused", Workflow: load.ChainName, Input: load.Chain{Left: 1}}.Start(ctx, ctl)
	clear := refused != nil && strings.Contains(refused.Error(), "out of memory") && !strings.Contains(refused.Error(), "\n")
	t.Judge("full", clear, "a start on a full server ended with %v, want one line that says so", refused)
	if clear {
		t.Fired("starts refused", 1)
	}
	err = ctl.Cancel(ctx, "long-0")
	t.Judge("full", err == nil, "a cancel on a full server ended with %v", err)
	want := load.Want(load.Run{Workflow: load.ChainName, Input: load.Chain{Left: 30}})
	want.Status, want.Committed, want.Outputs = "cancelled", 0, 0
	t.Expect("long-0", want)
	// A run of the chain ends while the server is full: its commits were taken.
	err = t.Await(ctx, "a run ends on a full server", func() (bool, error) {
		info, err := ctl.Show(ctx, "long-2")
		return info.Status == flox.StatusCompleted, err
	})
	t.Judge("full", err == nil, "commits on a full server: %v", err)
	if err := limit("0"); err != nil {
		return err
	}
	t.Calm()
	return t.Start(ctx, ctl, load.Run{ID: "later", Workflow: load.ChainName, Input: load.Chain{Left: 1}})
}

// refuseEviction sets a policy that throws keys away: neither worker nor client
// begins on such a server, those that run go on.
func refuseEviction(ctx context.Context, t *trial) error {
	if err := t.Workers(ctx, 1); err != nil {
		return err
	}
	f, err := t.Feed(ctx, 20)
	if err != nil {
		return err
	}
	if err := pause(ctx, 500*time.Millisecond); err != nil {
		return err
	}
	policy := func(name string) error { return t.Nodes()[0].ConfigSet(ctx, "maxmemory-policy", name).Err() }
	if err := policy("allkeys-lru"); err != nil {
		return err
	}
	t.Fired("policies refused", 0)
	w, err := t.Fleet.Start()
	if err != nil {
		return err
	}
	select {
	case <-w.Ended():
		t.Judge("policy", w.ExitCode() == 1, "a worker ended with code %d on an evicting server, want 1", w.ExitCode())
		t.Fired("policies refused", 1)
	case <-time.After(patience):
		t.Judge("policy", false, "a worker runs on an evicting server")
	}
	_, err = redisstore.Open(ctx, redisstore.Config{URL: t.Site.URL, Namespace: t.Namespace})
	t.Judge("policy", err != nil && strings.Contains(err.Error(), "set it to noeviction"), "Open on an evicting server = %v", err)
	if err := policy("noeviction"); err != nil {
		return err
	}
	t.Calm()
	return f.End()
}

// said reports whether a server answers with an error that begins with a code.
func said(ctx context.Context, c *redis.Client, code string, ask ...any) bool {
	err := c.Do(ctx, ask...).Err()
	return err != nil && strings.HasPrefix(err.Error(), code)
}
