package main

import (
	"context"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
)

// place is where a namespace is kept: a server, or a Cluster of several masters.
type place struct {
	url   string
	addr  string          // of a single server
	nodes []*redis.Client // one for each master
}

// place starts an empty server, or a Cluster of so many masters.
func (e *env) place(ctx context.Context, masters int) (place, error) {
	if masters > 1 {
		return e.cluster(ctx, masters)
	}
	s, err := e.server(ctx)
	if err != nil {
		return place{}, err
	}
	return place{url: s.URL(), addr: s.Addr(), nodes: []*redis.Client{e.client(s)}}, nil
}

// cluster starts an empty Cluster without replicas.
func (e *env) cluster(ctx context.Context, masters int) (place, error) {
	c, err := testredis.NewCluster(ctx, masters, 0, settings)
	if err != nil {
		return place{}, err
	}
	e.atEnd(c.Stop)
	p := place{url: c.URL()}
	for _, s := range c.Nodes {
		p.nodes = append(p.nodes, e.client(s))
	}
	return p, nil
}
