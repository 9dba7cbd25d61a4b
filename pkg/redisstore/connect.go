package redisstore

import (
	"context"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// blockingConns is the most reads that wait at a time, for each server.
const blockingConns = 512

// reload is how often a Cluster's layout is read again; the library's minute is
// too long to go on asking a dead master.
const reload = time.Second

// answerLimit is how long an answer may take that the server does not keep back.
const answerLimit = 3 * time.Second

type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)

// connect makes a client; it opens no connection yet. The library's retries are
// off: this package repeats commands itself. conns 0 is the library's default.
func (t *target) connect(dial dialer, conns int, held time.Duration) redis.UniversalClient {
	switch t.kind {
	case kindSentinel:
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: t.master, SentinelAddrs: t.hosts, Username: t.user, Password: t.password, DB: t.db,
			Dialer: dial, TLSConfig: t.tls, PoolSize: conns, ReadTimeout: answerLimit + held, Protocol: 2, DisableIdentity: true,
			MaxRetries: -1, DialerRetries: 1,
		})
	case kindCluster:
		return redis.NewClusterClient(&redis.ClusterOptions{
			Addrs: t.hosts, Username: t.user, Password: t.password,
			Dialer: dial, TLSConfig: t.tls, PoolSize: conns, ReadTimeout: answerLimit + held, Protocol: 2, DisableIdentity: true,
			MaxRetries: -1, DialerRetries: 1,
			ClusterStateReloadInterval: reload,
		})
	default:
		return redis.NewClient(&redis.Options{
			Addr: t.hosts[0], Username: t.user, Password: t.password, DB: t.db,
			Dialer: dial, TLSConfig: t.tls, PoolSize: conns, ReadTimeout: answerLimit + held, Protocol: 2, DisableIdentity: true,
			MaxRetries: -1, DialerRetries: 1,
		})
	}
}

// follow makes the clients' dialer keep their connections in mind.
func (t *target) follow(ls *links, dial dialer) dialer {
	if dial == nil {
		dial = redis.NewDialer(&redis.Options{TLSConfig: t.tls, DialTimeout: dialLimit})
	}
	return ls.dialer(dial)
}

// dialLimit is how long a connection may take, as with go-redis' own dialer.
const dialLimit = 5 * time.Second

// servers calls f for every master.
func (s *Store) servers(ctx context.Context, f func(ctx context.Context, c *redis.Client) error) error {
	switch c := s.client.(type) {
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, f)
	case *redis.Client:
		return f(ctx, c)
	}
	return nil
}
