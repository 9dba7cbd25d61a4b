package testredis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// slots is how many slots a Redis Cluster has.
const slots = 16384

// ClusterServer is a Redis Cluster of masters without replicas.
type ClusterServer struct {
	Nodes []*Server
}

// NewCluster starts a cluster. Stop it after use.
func NewCluster(ctx context.Context, masters int, cfg Config) (*ClusterServer, error) {
	cfg.Cluster = true
	c := &ClusterServer{}
	for range masters {
		s, err := New(ctx, cfg)
		if err != nil {
			c.Stop()
			return nil, err
		}
		c.Nodes = append(c.Nodes, s)
	}
	if err := c.join(ctx); err != nil {
		c.Stop()
		return nil, fmt.Errorf("make a cluster of %d: %w", masters, err)
	}
	return c, nil
}

// join shares the slots out, makes the nodes known to each other and waits until
// all agree.
func (c *ClusterServer) join(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*startLimit)
	defer cancel()
	for i, s := range c.Nodes {
		first, last := i*slots/len(c.Nodes), (i+1)*slots/len(c.Nodes)-1
		if err := s.do(ctx, "CLUSTER", "ADDSLOTSRANGE", first, last); err != nil {
			return err
		}
		if err := s.do(ctx, "CLUSTER", "SET-CONFIG-EPOCH", i+1); err != nil {
			return err
		}
	}
	for _, s := range c.Nodes[1:] {
		if err := s.do(ctx, "CLUSTER", "MEET", "127.0.0.1", c.Nodes[0].port); err != nil {
			return err
		}
	}
	for _, s := range c.Nodes {
		if err := c.agreed(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// do sends one command.
func (s *Server) do(ctx context.Context, args ...any) error {
	client := s.Client()
	defer client.Close()
	return client.Do(ctx, args...).Err()
}

// agreed waits until a node knows all others and all slots.
func (c *ClusterServer) agreed(ctx context.Context, s *Server) error {
	client := s.Client()
	defer client.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	known := fmt.Sprintf("cluster_known_nodes:%d\r\n", len(c.Nodes))
	for {
		info, err := client.ClusterInfo(ctx).Result()
		if err == nil && strings.Contains(info, "cluster_state:ok") && strings.Contains(info, known) {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(errors.New("the nodes do not agree in time"), err)
		}
	}
}

// URL names all nodes.
func (c *ClusterServer) URL() string {
	var hosts []string
	for _, s := range c.Nodes {
		hosts = append(hosts, s.Addr())
	}
	return "redis+cluster://" + strings.Join(hosts, ",")
}

// Client connects to the cluster. Close it after use.
func (c *ClusterServer) Client() *redis.ClusterClient {
	var hosts []string
	for _, s := range c.Nodes {
		hosts = append(hosts, s.Addr())
	}
	return redis.NewClusterClient(&redis.ClusterOptions{Addrs: hosts, Protocol: 2, DisableIdentity: true})
}

// Stop ends all nodes.
func (c *ClusterServer) Stop() {
	for _, s := range c.Nodes {
		s.Stop()
	}
}
