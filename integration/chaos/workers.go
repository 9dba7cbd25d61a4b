package main

import (
	"context"

	"github.com/floxrun/flox/integration/proxy"
	"github.com/floxrun/flox/pkg/redisstore"
)

// Workers starts n workers and waits until all of the fleet are ready.
func (t *trial) Workers(ctx context.Context, n int, env ...string) error {
	for range n {
		if _, err := t.Fleet.Start(env...); err != nil {
			return err
		}
	}
	return t.Ready(ctx)
}

// Proxied starts n workers, each behind a proxy of its own, and waits until all of
// the fleet are ready. It is for one server.
func (t *trial) Proxied(ctx context.Context, n int, env ...string) ([]*proxy.Proxy, error) {
	var made []*proxy.Proxy
	for range n {
		p, err := t.Proxy()
		if err != nil {
			return nil, err
		}
		made = append(made, p)
		if _, err := t.Fleet.Start(append([]string{"FLOX_REDIS=redis://" + p.Addr()}, env...)...); err != nil {
			return nil, err
		}
	}
	return made, t.Ready(ctx)
}

// Proxy starts a proxy of the first server.
func (t *trial) Proxy() (*proxy.Proxy, error) {
	p, err := proxy.New(t.Site.Nodes[0].Addr(), t.Random.Uint64())
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.proxies = append(t.proxies, p)
	t.closers = append(t.closers, func() { _ = p.Close() })
	return p, nil
}

// Ready waits until every worker of the fleet is known to the store.
func (t *trial) Ready(ctx context.Context) error {
	st, err := redisstore.Open(ctx, redisstore.Config{URL: t.Site.URL, Namespace: t.Namespace, Patience: patience})
	if err != nil {
		return err
	}
	defer st.Close()
	return t.Await(ctx, "all workers are ready", func() (bool, error) {
		known, err := st.Workers(ctx)
		if err != nil {
			return false, err
		}
		pids := map[int]bool{}
		for _, w := range known {
			pids[w.PID] = true
		}
		for _, w := range t.Fleet.Workers() {
			if !pids[w.PID()] {
				return false, nil
			}
		}
		return true, nil
	})
}
