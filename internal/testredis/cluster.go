package testredis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// slots is how many slots a Redis Cluster has.
const slots = 16384

// ClusterServer is a Redis Cluster.
type ClusterServer struct {
	// Nodes are all its nodes: those that were made masters, then the replicas of
	// the first of them, of the second, and so on.
	Nodes []*Server
}

// NewCluster starts a cluster of so many masters, with so many replicas each. Stop
// it after use.
func NewCluster(ctx context.Context, masters, replicas int, cfg Config) (*ClusterServer, error) {
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
	err := c.join(ctx)
	for i := 0; err == nil && i < masters*replicas; i++ {
		err = c.addReplica(ctx, c.Nodes[i/replicas], cfg)
	}
	for _, s := range c.Nodes {
		if err == nil {
			err = c.agreed(ctx, s)
		}
	}
	if err != nil {
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

// addReplica starts a node and makes it follow a master.
func (c *ClusterServer) addReplica(ctx context.Context, master *Server, cfg Config) error {
	s, err := New(ctx, cfg)
	if err != nil {
		return err
	}
	c.Nodes = append(c.Nodes, s)
	if err := s.do(ctx, "CLUSTER", "MEET", "127.0.0.1", master.port); err != nil {
		return err
	}
	id, err := master.NodeID(ctx)
	if err != nil {
		return err
	}
	// It must have heard of the master first.
	err = until(ctx, func(ctx context.Context) error { return s.do(ctx, "CLUSTER", "REPLICATE", id) })
	if err != nil {
		return err
	}
	return master.AwaitInfo(ctx, "replication", fmt.Sprintf("port=%d,state=online", s.port))
}

// agreed waits until a node knows all others and all slots.
func (c *ClusterServer) agreed(ctx context.Context, s *Server) error {
	client := s.Client()
	defer client.Close()
	known := fmt.Sprintf("cluster_known_nodes:%d\r\n", len(c.Nodes))
	return until(ctx, func(ctx context.Context) error {
		info, err := client.ClusterInfo(ctx).Result()
		if err == nil && !(strings.Contains(info, "cluster_state:ok") && strings.Contains(info, known)) {
			err = errors.New("the nodes do not agree")
		}
		return err
	})
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
