package redisstore

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// format is the version of the keys' layout.
const format = 1

// Partitions of a namespace that nothing was said about, and the most that one has.
const (
	singlePartitions  = 1
	clusterPartitions = 64
	mostPartitions    = 1024
)

// openAttempts is how often Open asks a server that cannot answer just now, however
// little patience it has: one lost connection, or a moment of failover, should not
// end a program.
const openAttempts = 4

// openSilence is how long it says nothing, be it for fewer attempts: where packets
// vanish each takes long.
const openSilence = 2 * time.Second

// checkPatiently repeats check while the trouble may pass by itself: the server is
// not there yet, loads its data, is being replaced. It ends with ctx even while a
// server hangs, which only closing the client can do.
func (s *Store) checkPatiently(ctx context.Context, cfg Config, namespace string) error {
	began, waiting := time.Now(), false
	closing := context.AfterFunc(ctx, func() { _ = s.client.Close() })
	defer closing()
	var trouble error // what kept the last check from succeeding
	for attempt := 1; ; attempt++ {
		err := s.check(ctx, namespace, cfg.Partitions)
		if err == nil && closing() {
			if waiting {
				s.logger.Info("redis is there", "address", s.address, "waited", time.Since(began).Round(time.Second))
			}
			return nil
		}
		if ctx.Err() != nil { // err may be that the client is closed
			return cmp.Or(trouble, context.Cause(ctx))
		}
		trouble = err
		if !transient(err) || attempt >= openAttempts && cfg.Patience >= 0 && time.Since(began) >= cfg.Patience {
			return err
		}
		if !waiting && (attempt >= openAttempts || time.Since(began) >= openSilence) {
			waiting = true
			s.logger.Warn("waiting for redis", "error", err)
		}
		if s.pause(ctx, attempt+1) != nil {
			return err
		}
	}
}

// check looks whether flox can work on the server, before anything is written.
func (s *Store) check(ctx context.Context, namespace string, partitions int) error {
	if err := s.reach(ctx); err != nil {
		return err
	}
	if !s.embedded {
		if err := s.servers(ctx, s.checkServer); err != nil {
			return err
		}
	}
	return s.checkNamespace(ctx, namespace, partitions)
}

// reach tells a server that is not there from one that does not let us in.
func (s *Store) reach(ctx context.Context) error {
	err := s.client.Ping(ctx).Err()
	switch {
	case err == nil:
		return nil
	case strings.Contains(err.Error(), "cluster support disabled"):
		return fmt.Errorf("redis at %s is not a cluster: use redis:// in the URL", s.address)
	case s.distrust(err) != nil:
		return s.distrust(err)
	case transient(err):
		if why := s.mismatch(ctx); why != nil {
			return why
		}
		return fmt.Errorf("redis at %s cannot be reached (%w): is it running, and is the address right?", s.address, err)
	}
	return s.explain(err)
}

func (s *Store) checkServer(ctx context.Context, c *redis.Client) error {
	info, err := serverInfo(ctx, c, "server", "memory", "cluster", "replication")
	if err != nil {
		return s.explain(err)
	}
	at := s.address
	if s.cluster {
		at = c.Options().Addr
	}
	if err := checkKind(at, s.cluster, info); err != nil || s.lenient {
		return err
	}
	if err := checkInfo(at, info); err != nil {
		return err
	}
	return s.checkReplicas(at, info)
}

// serverInfo reads sections of INFO, "" for those that it has by default. The user
// of a server with access lists may lack CONFIG, but not INFO.
func serverInfo(ctx context.Context, c *redis.Client, sections ...string) (map[string]string, error) {
	info := map[string]string{}
	for _, section := range sections {
		text, err := c.Info(ctx, strings.Fields(section)...).Result() // an embedded server knows none by name
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(text) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				info[name] = value
			}
		}
	}
	return info, nil
}

// checkInfo judges what INFO of the server at an address says.
func checkInfo(at string, info map[string]string) error {
	if err := checkVersion(at, info); err != nil {
		return err
	}
	if policy := info["maxmemory_policy"]; policy != "noeviction" {
		return fmt.Errorf("redis at %s has maxmemory-policy %q, which throws keys away when memory is short: set it to noeviction", at, policy)
	}
	return nil
}

func checkVersion(at string, info map[string]string) error {
	name, version, least := "Redis", info["redis_version"], []int{7, 0}
	if v, ok := info["valkey_version"]; ok {
		name, version, least = "Valkey", v, []int{7, 2}
	}
	if olderThan(version, least) {
		return fmt.Errorf("redis at %s is %s %s: flox needs Redis 7.0 or newer, or Valkey 7.2 or newer", at, name, version)
	}
	return nil
}

// checkKind tells a server alone from one of a Cluster.
func checkKind(at string, cluster bool, info map[string]string) error {
	switch {
	case cluster && info["cluster_enabled"] != "1":
		return fmt.Errorf("redis at %s is not a cluster: use redis:// in the URL", at)
	case !cluster && info["cluster_enabled"] == "1":
		return fmt.Errorf("redis at %s belongs to a cluster: use redis+cluster:// in the URL", at)
	}
	return nil
}

func olderThan(version string, least []int) bool {
	parts := strings.Split(version, ".")
	for i, want := range least {
		if i >= len(parts) {
			return true
		}
		n, err := strconv.Atoi(parts[i])
		if err != nil || n < want {
			return true
		}
		if n > want {
			return false
		}
	}
	return false
}

// checkNamespace settles how many partitions there are and looks at their keys.
func (s *Store) checkNamespace(ctx context.Context, namespace string, partitions int) error {
	s.keys = newKeyspace(namespace, 0)
	n, err := s.storedPartitions(ctx, partitions)
	if err != nil && (!s.lenient || transient(err)) {
		return err
	}
	s.unfit = err
	if n == 0 {
		n = singlePartitions
		if s.cluster {
			n = clusterPartitions
		}
	}
	s.keys = newKeyspace(namespace, n)
	if s.lenient {
		return nil
	}
	return s.checkTypes(ctx)
}

// storedPartitions is how many partitions the namespace has, or is wanted to have.
func (s *Store) storedPartitions(ctx context.Context, wanted int) (int, error) {
	stored, err := s.client.HMGet(ctx, s.keys.config(), "format", "partitions").Result()
	if err != nil {
		return 0, s.wrongType(s.keys.config(), "hash", err)
	}
	n, err := settlePartitions(s.keys.ns, stored, wanted)
	if err != nil {
		return 0, fmt.Errorf("redis at %s: %w", s.address, err)
	}
	return n, nil
}

// settlePartitions compares what the namespace has with what is wanted; zero
// means that neither says.
func settlePartitions(namespace string, stored []any, wanted int) (int, error) {
	for i, field := range []string{"format", "partitions"} {
		if text(stored, i) != "" && integer(stored, i) < 1 {
			return 0, fmt.Errorf("namespace %s says %s %q, which flox did not write: use another namespace", namespace, field, text(stored, i))
		}
	}
	if f := integer(stored, 0); f > format {
		return 0, fmt.Errorf("namespace %s was made by a newer flox (format %d, this one knows %d): use the newer flox", namespace, f, format)
	}
	has := int(integer(stored, 1))
	if has > mostPartitions { // each has memory of its own here
		return 0, fmt.Errorf("namespace %s says partitions %q, which flox did not write (it has at most %d): use another namespace",
			namespace, text(stored, 1), mostPartitions)
	}
	if has != 0 && wanted != 0 && has != wanted {
		return 0, fmt.Errorf("namespace %s has %d partitions, not %d: that is fixed once it is used; set partitions to %d or use another namespace",
			namespace, has, wanted, has)
	}
	return max(has, wanted), nil
}

// configure writes down what the namespace is, before anything else is written,
// and compares it with what others wrote. first is the script that comes next.
func (s *Store) configure(ctx context.Context, first *script) error {
	if err := s.permit(ctx, first); err != nil {
		return err
	}
	key, n := s.keys.config(), len(s.keys.parts)
	for _, field := range [][2]any{{"format", format}, {"partitions", n}} {
		if _, err := s.command(ctx, s.keys.home(), "HSETNX", key, field[0], field[1]); err != nil {
			return err
		}
	}
	stored, err := s.command(ctx, s.keys.home(), "HMGET", key, "format", "partitions")
	if err != nil {
		return err
	}
	if _, err := settlePartitions(s.keys.ns, list(stored), n); err != nil {
		return fmt.Errorf("redis at %s: %w", s.address, err)
	}
	s.configured.Store(true)
	return nil
}
