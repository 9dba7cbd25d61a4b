package main

import (
	"context"
	"time"

	"github.com/floxrun/flox/integration/proxy"
)

// drained is how soon all must be at rest after a fault of the network.
const drained = 4 * time.Second

// maxConnects is the most connections that a process may open within a second, but
// for those that take the place of one that was lost with a command.
const maxConnects = 20

func init() {
	for _, s := range []struct {
		name, row string
		harm      func(ctx context.Context, t *trial, ps []*proxy.Proxy) error
		fault     string
		count     func(proxy.Counts) int
	}{
		{
			"resets", "connections reset every 300 ms", resetOften,
			"resets", func(c proxy.Counts) int { return c.Resets },
		},
		{
			"lost-replies", "5 % of replies lost", set(proxy.Faults{LoseReply: 0.05}),
			"lost replies", func(c proxy.Counts) int { return c.LostReplies },
		},
		{
			"lost-requests", "5 % of requests lost", set(proxy.Faults{LoseRequest: 0.05}),
			"lost requests", func(c proxy.Counts) int { return c.LostRequests },
		},
		{
			"slow-replies", "replies slower than the timeout", slowReplies,
			"delayed replies", func(c proxy.Counts) int { return c.Delayed },
		},
		{
			"half-open", "half-open connections", halfOpen,
			"silent connections", func(c proxy.Counts) int { return c.Silenced },
		},
		{
			"refused", "connections refused for 0.7 s", refuse,
			"refusals", func(c proxy.Counts) int { return c.Refused },
		},
		{
			"duplicates", "scripts delivered twice", set(proxy.Faults{Duplicate: 0.3, Replay: 0.2, Only: proxy.Command.Script}),
			"duplicates", func(c proxy.Counts) int { return min(c.Duplicates, c.Replays) },
		},
	} {
		register(scenario{name: s.name, row: s.row, short: true, run: func(ctx context.Context, t *trial) error {
			return network(ctx, t, s.harm, s.fault, s.count)
		}})
	}
}

// network lets three workers, each behind its proxy, work while harm is done to
// their connections.
func network(ctx context.Context, t *trial, harm func(context.Context, *trial, []*proxy.Proxy) error, fault string, count func(proxy.Counts) int) error {
	t.Within = drained
	t.Fired(fault, 0)
	ps, err := t.Proxied(ctx, 3)
	if err != nil {
		return err
	}
	f, err := t.Feed(ctx, 20)
	if err != nil {
		return err
	}
	if _, err := t.Busy(ctx); err != nil {
		return err
	}
	if err := harm(ctx, t, ps); err != nil {
		return err
	}
	for _, p := range ps {
		if err := p.Set(proxy.Faults{}); err != nil {
			return err
		}
	}
	t.Calm()
	var all proxy.Counts
	for _, p := range ps {
		all = all.Add(p.Counts())
	}
	t.Fired(fault, count(all))
	t.Judge("reconnects", all.Excess <= maxConnects, "a worker opened %d connections within a second, %d more than it had lost with a command, want at most %d",
		all.PerSecond, all.Excess, maxConnects)
	for _, w := range t.Fleet.Workers() {
		select {
		case <-w.Ended():
			t.Judge("workers", false, "worker %s has ended", w.Name)
		default:
			t.Judge("workers", true, "")
		}
	}
	return f.End()
}

// harmed is how long a fault of the network goes on.
const harmed = 3 * time.Second

// set is harm that lasts for a while.
func set(f proxy.Faults) func(context.Context, *trial, []*proxy.Proxy) error {
	return func(ctx context.Context, _ *trial, ps []*proxy.Proxy) error {
		for _, p := range ps {
			if err := p.Set(f); err != nil {
				return err
			}
		}
		return pause(ctx, harmed)
	}
}

func resetOften(ctx context.Context, _ *trial, ps []*proxy.Proxy) error {
	return every(ctx, 300*time.Millisecond, harmed, func() error {
		for _, p := range ps {
			p.Reset()
		}
		return nil
	})
}

// slowReplies keeps the replies for two of three workers longer than they wait.
func slowReplies(ctx context.Context, _ *trial, ps []*proxy.Proxy) error {
	for _, p := range ps[1:] {
		if err := p.Set(proxy.Faults{Delay: 6 * time.Second}); err != nil {
			return err
		}
	}
	return pause(ctx, 7*time.Second)
}

// halfOpen leaves two of three workers with connections on which nothing comes.
func halfOpen(ctx context.Context, _ *trial, ps []*proxy.Proxy) error {
	for _, p := range ps[1:] {
		if err := p.Set(proxy.Faults{Silent: true}); err != nil {
			return err
		}
	}
	return pause(ctx, harmed)
}

// refuse refuses all workers' connections, again and again.
func refuse(ctx context.Context, _ *trial, ps []*proxy.Proxy) error {
	return every(ctx, 500*time.Millisecond, harmed, func() error {
		for _, p := range ps {
			if err := p.Set(proxy.Faults{Refuse: true}); err != nil {
				return err
			}
		}
		if err := pause(ctx, 700*time.Millisecond); err != nil {
			return err
		}
		for _, p := range ps {
			if err := p.Set(proxy.Faults{}); err != nil {
				return err
			}
		}
		return nil
	})
}
