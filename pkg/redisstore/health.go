package redisstore

import (
	"cmp"
	"context"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// ServerHealth is what a master says of itself.
type ServerHealth struct {
	Address string // host:port
	// Err says why it did not answer; nothing below is set then.
	Err error
	// Info are the fields of INFO by name. An embedded server has few.
	Info map[string]string
	// Time is its clock, read between Sent and Answered by this process's.
	Time, Sent, Answered time.Time
}

// Number is a field of INFO that is a number; ok is false if it is not there.
func (h ServerHealth) Number(field string) (n float64, ok bool) {
	n, err := strconv.ParseFloat(h.Info[field], 64)
	return n, err == nil
}

// Version is the server's: of Valkey its own.
func (h ServerHealth) Version() string {
	return cmp.Or(h.Info["valkey_version"], h.Info["redis_version"])
}

// Mode is standalone or cluster.
func (h ServerHealth) Mode() string { return cmp.Or(h.Info["redis_mode"], h.Info["server_mode"]) }

// Lag is how many bytes the replica that is the furthest behind has not got yet;
// ok is false if there is none.
func (h ServerHealth) Lag() (bytes float64, ok bool) {
	written, known := h.Number("master_repl_offset")
	for field, value := range h.Info {
		number, is := strings.CutPrefix(field, "slave")
		if _, err := strconv.Atoi(number); !known || !is || err != nil {
			continue
		}
		_, offset, _ := strings.Cut(value, "offset=")
		offset, _, _ = strings.Cut(offset, ",")
		if has, err := strconv.ParseFloat(offset, 64); err == nil {
			bytes, ok = max(bytes, written-has), true
		}
	}
	return bytes, ok
}

// Health asks every master how it is, by address. It needs the commands INFO and
// TIME alone. A server that does not answer has its Err set; the error of Health
// is that no server is known.
func (s *Store) Health(ctx context.Context) ([]ServerHealth, error) {
	var mu sync.Mutex
	var all []ServerHealth
	err := s.servers(ctx, func(ctx context.Context, c *redis.Client) error {
		h := s.health(ctx, c)
		mu.Lock()
		defer mu.Unlock()
		all = append(all, h)
		return nil
	})
	slices.SortFunc(all, func(a, b ServerHealth) int { return cmp.Compare(a.Address, b.Address) })
	if err != nil {
		return all, s.explain(err)
	}
	return all, nil
}

func (s *Store) health(ctx context.Context, c *redis.Client) ServerHealth {
	h := ServerHealth{Address: s.serverAddress(ctx, c)}
	info, err := serverInfo(ctx, c, "")
	if err != nil {
		h.Err = s.explain(err)
		return h
	}
	h.Sent = time.Now()
	h.Time, err = c.Time(ctx).Result()
	h.Answered = time.Now()
	if err != nil {
		h.Err = s.explain(err)
		return h
	}
	h.Info = info
	return h
}

// serverAddress is where a client's server is. Of one that Sentinels name, they are
// asked; the last answer holds while none gives one.
func (s *Store) serverAddress(ctx context.Context, c *redis.Client) string {
	switch {
	case s.cluster:
		return c.Options().Addr
	case s.target.kind != kindSentinel:
		return s.address
	}
	for _, host := range s.target.hosts {
		sentinel := redis.NewSentinelClient(&redis.Options{
			Addr: host, Dialer: s.dial, TLSConfig: s.target.tls, Protocol: 2, DisableIdentity: true,
			MaxRetries: -1, DialerRetries: 1, DialTimeout: time.Second, ReadTimeout: time.Second,
		})
		at, err := sentinel.GetMasterAddrByName(ctx, s.target.master).Result()
		_ = sentinel.Close()
		if err == nil && len(at) == 2 {
			address := net.JoinHostPort(at[0], at[1])
			s.master.Store(&address)
			break
		}
	}
	if last := s.master.Load(); last != nil {
		return *last
	}
	return s.address
}

// Hosts are the addresses in a URL, host:port, by which its servers are found.
func Hosts(url string) ([]string, error) {
	t, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	return t.hosts, nil
}
