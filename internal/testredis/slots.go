package testredis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// NodeID is the name of a node in its Cluster.
func (s *Server) NodeID(ctx context.Context) (string, error) {
	client := s.Client()
	defer client.Close()
	return client.Do(ctx, "CLUSTER", "MYID").Text()
}

// HasSlot reports whether a node of a Cluster serves a slot, as it says itself.
func (s *Server) HasSlot(ctx context.Context, slot int) (bool, error) {
	client := s.Client()
	defer client.Close()
	nodes, err := client.ClusterNodes(ctx).Result()
	if err != nil {
		return false, err
	}
	for line := range strings.Lines(nodes) {
		f := strings.Fields(line) // id, address, flags, master, ping, pong, epoch, link, slots
		if len(f) < 9 || !strings.Contains(f[2], "myself") || !strings.Contains(f[2], "master") {
			continue
		}
		for _, r := range f[8:] {
			first, last, isRange := strings.Cut(r, "-")
			from, err := strconv.Atoi(first)
			if err != nil { // one that is being moved
				continue
			}
			to := from
			if isRange {
				to, _ = strconv.Atoi(last)
			}
			if from <= slot && slot <= to {
				return true, nil
			}
		}
	}
	return false, nil
}

// Masters are the nodes that serve slots now, as the first node that answers says.
func (c *ClusterServer) Masters(ctx context.Context) ([]*Server, error) {
	var nodes string
	err := errors.New("the cluster has no nodes")
	for _, s := range c.Nodes {
		client := s.Client()
		nodes, err = client.ClusterNodes(ctx).Result()
		_ = client.Close()
		if err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	var masters []*Server
	for line := range strings.Lines(nodes) {
		f := strings.Fields(line) // id, address, flags, master, ping, pong, epoch, link, slots
		if len(f) < 9 || !strings.Contains(f[2], "master") || strings.Contains(f[2], "fail") {
			continue
		}
		for _, s := range c.Nodes {
			if strings.HasPrefix(f[1], s.Addr()+"@") {
				masters = append(masters, s)
			}
		}
	}
	return masters, nil
}

// migrateKeys is how many keys are moved at a time.
const migrateKeys = 100

// MoveSlot moves a slot and its keys from one master to another, as redis-cli
// --cluster reshard does: clients meet MOVED, ASK and TRYAGAIN meanwhile. It gives
// how many keys were moved.
func (c *ClusterServer) MoveSlot(ctx context.Context, slot int, from, to *Server) (moved int, err error) {
	source, err := from.NodeID(ctx)
	if err != nil {
		return 0, err
	}
	target, err := to.NodeID(ctx)
	if err != nil {
		return 0, err
	}
	if err := to.do(ctx, "CLUSTER", "SETSLOT", slot, "IMPORTING", source); err != nil {
		return 0, fmt.Errorf("import slot %d: %w", slot, err)
	}
	if err := from.do(ctx, "CLUSTER", "SETSLOT", slot, "MIGRATING", target); err != nil {
		return 0, fmt.Errorf("migrate slot %d: %w", slot, err)
	}
	client := from.Client()
	defer client.Close()
	for {
		keys, err := client.ClusterGetKeysInSlot(ctx, slot, migrateKeys).Result()
		if err != nil {
			return moved, err
		}
		if len(keys) == 0 {
			break
		}
		if err := migrate(ctx, client, to, keys); err != nil {
			return moved, fmt.Errorf("move keys of slot %d: %w", slot, err)
		}
		moved += len(keys)
	}
	// The new owner first: a slot that nobody has is an error for the clients.
	for _, s := range []*Server{to, from} {
		if err := s.do(ctx, "CLUSTER", "SETSLOT", slot, "NODE", target); err != nil {
			return moved, fmt.Errorf("give slot %d away: %w", slot, err)
		}
	}
	return moved, nil
}

func migrate(ctx context.Context, from *redis.Client, to *Server, keys []string) error {
	args := []any{"MIGRATE", "127.0.0.1", to.port, "", 0, 2000, "REPLACE"}
	if to.cfg.Password != "" {
		args = append(args, "AUTH", to.cfg.Password)
	}
	args = append(args, "KEYS")
	for _, k := range keys {
		args = append(args, k)
	}
	return from.Do(ctx, args...).Err()
}
