package main

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
)

const single = "single"

// servers are the kinds of server, by name. The function says how one is started,
// or why it cannot be.
var servers = map[string]func() (testredis.Config, error){
	"redis": func() (testredis.Config, error) { return testredis.Config{}, nil },
}

// topologies are the ways that servers can be set up, by name.
var topologies = map[string]func(ctx context.Context, cfg testredis.Config) (*site, error){
	single: func(ctx context.Context, cfg testredis.Config) (*site, error) {
		s, err := testredis.New(ctx, cfg)
		if err != nil {
			return nil, err
		}
		return &site{URL: s.URL(), Nodes: []*testredis.Server{s}, Stop: s.Stop}, nil
	},
}

// site is the servers of one trial.
type site struct {
	URL   string              // for workers and clients
	Nodes []*testredis.Server // all that may hold data; each is followed
	Stop  func()
	// Masters connects to the servers that hold data now; nil: all Nodes do.
	Masters func(ctx context.Context) ([]*redis.Client, error)
	// Extra is what else a topology's scenarios need, such as its Sentinels.
	Extra any
}
