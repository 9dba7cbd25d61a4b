package main

import (
	"context"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
)

// Topologies besides single.
const (
	always   = "always"   // one server that writes its AOF to disk before it answers
	slowLoad = "slowload" // as always, and it takes long to read its data
	clocked  = "clock"    // one server with a clock of its own
	sentinel = "sentinel" // a master, two replicas and three Sentinels
	cluster  = "cluster"  // three masters and three replicas
)

func init() {
	for server, binary := range map[string]string{"redis8": testredis.Redis8, "valkey": testredis.Valkey8} {
		servers[server] = func() (testredis.Config, error) {
			_, err := testredis.Cached(binary)
			return testredis.Config{Binary: binary}, err
		}
	}
	topologies[always] = alone("--appendfsync", "always")
	// Each command that it reads from its AOF takes so many µs, and it answers in
	// between.
	topologies[slowLoad] = alone("--appendfsync", "always", "--key-load-delay", "150", "--loading-process-events-interval-bytes", "1024")
	topologies[clocked] = clockSite
	topologies[sentinel] = sentinelSite
	topologies[cluster] = clusterSite
}

// alone is a topology of one server with arguments.
func alone(args ...string) func(context.Context, testredis.Config) (*site, error) {
	return func(ctx context.Context, cfg testredis.Config) (*site, error) {
		cfg.Args = append(cfg.Args, args...)
		return topologies[single](ctx, cfg)
	}
}

func sentinelSite(ctx context.Context, cfg testredis.Config) (*site, error) {
	s, err := testredis.NewSentinel(ctx, 2, 3, cfg)
	if err != nil {
		return nil, err
	}
	now := &current{clients: map[*testredis.Server]*redis.Client{}, of: func(ctx context.Context) ([]*testredis.Server, error) {
		master, err := s.Master(ctx)
		return []*testredis.Server{master}, err
	}}
	return &site{URL: s.URL(), Nodes: s.Nodes, Stop: now.stop(s.Stop), Masters: now.masters, Extra: s}, nil
}

func clusterSite(ctx context.Context, cfg testredis.Config) (*site, error) {
	c, err := testredis.NewCluster(ctx, 3, 1, cfg)
	if err != nil {
		return nil, err
	}
	now := &current{clients: map[*testredis.Server]*redis.Client{}, of: c.Masters}
	return &site{URL: c.URL(), Nodes: c.Nodes, Stop: now.stop(c.Stop), Masters: now.masters, Extra: c}, nil
}

// current connects to whoever is a master now.
type current struct {
	of func(context.Context) ([]*testredis.Server, error)

	mu      sync.Mutex
	clients map[*testredis.Server]*redis.Client
}

func (c *current) masters(ctx context.Context) ([]*redis.Client, error) {
	servers, err := c.of(ctx)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []*redis.Client
	for _, s := range servers {
		if c.clients[s] == nil {
			c.clients[s] = s.Client()
		}
		list = append(list, c.clients[s])
	}
	return list, nil
}

func (c *current) stop(servers func()) func() {
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, one := range c.clients {
			_ = one.Close()
		}
		servers()
	}
}
