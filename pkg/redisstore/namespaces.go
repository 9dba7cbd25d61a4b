package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/floxrun/flox/pkg/flox"
)

// NamespaceInfo is one namespace on a server.
type NamespaceInfo struct {
	Name       string `json:"name"`
	Format     int    `json:"format"` // of its keys
	Partitions int    `json:"partitions"`
	Runs       int64  `json:"runs"`
	Active     int64  `json:"active"` // runs that have not ended
	Workers    int    `json:"workers"`
	Workflows  int    `json:"workflows"`
	// Trouble says why its configuration or keys cannot be read, "" if they can.
	Trouble string `json:"trouble,omitempty"`
}

// Namespaces returns the namespaces on the store's server, by name: all of which
// the configuration is there. The store's own is one of many here.
func (s *Store) Namespaces(ctx context.Context) ([]NamespaceInfo, error) {
	var all []NamespaceInfo
	seen := map[string]bool{}
	err := s.scanAll(ctx, "flox:{*}:config", func(keys []string) error {
		for _, key := range keys {
			name := strings.TrimSuffix(strings.TrimPrefix(key, "flox:{"), "}:config")
			if seen[name] || flox.CheckName("namespace", name) != nil {
				continue
			}
			seen[name] = true
			info, err := s.namespace(ctx, name)
			if err != nil {
				return fmt.Errorf("namespace %s: %w", name, err)
			}
			all = append(all, info)
		}
		return nil
	})
	slices.SortFunc(all, func(a, b NamespaceInfo) int { return cmp.Compare(a.Name, b.Name) })
	return all, err
}

// namespace counts what one namespace has.
func (s *Store) namespace(ctx context.Context, name string) (NamespaceInfo, error) {
	info := NamespaceInfo{Name: name}
	k := newKeyspace(name, 0)
	stored, err := s.client.HMGet(ctx, k.config(), "format", "partitions").Result()
	if err != nil {
		return info, info.trouble(s.wrongType(k.config(), "hash", err))
	}
	n, err := settlePartitions(name, stored, 0)
	if err != nil || n == 0 {
		return info, info.trouble(cmp.Or(err, error(errNoPartitions)))
	}
	info.Format, info.Partitions = int(integer(stored, 0)), n
	return info, info.trouble(s.countNamespace(ctx, newKeyspace(name, n), &info))
}

const errNoPartitions = textError("its configuration does not say how many partitions there are")

// textError is an error that is a constant.
type textError string

func (e textError) Error() string { return string(e) }

// trouble keeps an error that is the namespace's own and returns any other.
func (n *NamespaceInfo) trouble(err error) error {
	if err == nil || transient(err) {
		return err
	}
	n.Trouble = err.Error()
	return nil
}

func (s *Store) countNamespace(ctx context.Context, k keyspace, info *NamespaceInfo) error {
	pipe := s.client.Pipeline()
	workers, workflows := pipe.ZCard(ctx, k.workers()), pipe.HLen(ctx, k.workflows())
	var counts []interface{ Val() int64 }
	for _, p := range k.parts {
		for _, name := range indexes {
			counts = append(counts, pipe.ZCard(ctx, p.index(name)))
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return s.explain(err)
	}
	info.Workers, info.Workflows = int(workers.Val()), int(workflows.Val())
	for i, count := range counts {
		info.Runs += count.Val()
		if i%len(indexes) == 0 {
			info.Active += count.Val()
		}
	}
	return nil
}
