package testredis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// DownAfter is how long a master is silent before Sentinels take it for dead.
const DownAfter = time.Second

// SentinelServer is a master and its replicas, watched by Sentinels.
type SentinelServer struct {
	Name      string    // of the master, for the Sentinels
	Nodes     []*Server // the first one began as the master
	Sentinels []*Server
	dirs      []string
}

// NewSentinel starts a master with replicas and so many Sentinels, of which the
// greater half decides. Stop it after use.
func NewSentinel(ctx context.Context, replicas, sentinels int, cfg Config) (*SentinelServer, error) {
	s := &SentinelServer{Name: "main"}
	err := s.start(ctx, replicas, sentinels, cfg)
	if err != nil {
		s.Stop()
		return nil, fmt.Errorf("make a master with Sentinels: %w", err)
	}
	return s, nil
}

func (s *SentinelServer) start(ctx context.Context, replicas, sentinels int, cfg Config) error {
	master, err := New(ctx, cfg)
	if err != nil {
		return err
	}
	s.Nodes = append(s.Nodes, master)
	for range replicas {
		r, err := NewReplica(ctx, master)
		if err != nil {
			return err
		}
		s.Nodes = append(s.Nodes, r)
	}
	for range sentinels {
		if err := s.addSentinel(ctx, sentinels/2+1, cfg); err != nil {
			return err
		}
	}
	known := fmt.Sprintf("slaves=%d,sentinels=%d", replicas, sentinels)
	for _, one := range s.Sentinels {
		if err := one.AwaitInfo(ctx, "sentinel", known); err != nil {
			return err
		}
	}
	return nil
}

func (s *SentinelServer) addSentinel(ctx context.Context, quorum int, cfg Config) error {
	dir, err := os.MkdirTemp("", "flox-sentinel-")
	if err != nil {
		return err
	}
	s.dirs = append(s.dirs, dir)
	conf := filepath.Join(dir, "sentinel.conf")
	if err := os.WriteFile(conf, []byte(sentinelConf(s.Name, s.Nodes[0], quorum)), 0o600); err != nil {
		return err
	}
	one, err := New(ctx, Config{Dir: dir, Sentinel: conf, Binary: cfg.Binary})
	if err != nil {
		return err
	}
	s.Sentinels = append(s.Sentinels, one)
	return nil
}

// sentinelConf is the configuration of one that watches a master.
func sentinelConf(name string, master *Server, quorum int) string {
	text := fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d %d\nsentinel down-after-milliseconds %s %d\nsentinel failover-timeout %s 5000\n",
		name, master.port, quorum, name, DownAfter.Milliseconds(), name)
	if master.cfg.Password != "" {
		text += fmt.Sprintf("sentinel auth-pass %s %s\n", name, master.cfg.Password)
	}
	return text
}

// URL names all Sentinels.
func (s *SentinelServer) URL() string {
	var hosts []string
	for _, one := range s.Sentinels {
		hosts = append(hosts, one.Addr())
	}
	login := ""
	if p := s.Nodes[0].cfg.Password; p != "" {
		login = ":" + p + "@"
	}
	return "redis+sentinel://" + login + strings.Join(hosts, ",") + "/" + s.Name
}

// Master is the node that the first Sentinel that answers takes for the master.
func (s *SentinelServer) Master(ctx context.Context) (*Server, error) {
	err := errors.New("there is no Sentinel")
	for _, one := range s.Sentinels {
		client := redis.NewSentinelClient(&redis.Options{Addr: one.Addr(), Protocol: 2, DisableIdentity: true})
		var at []string
		at, err = client.GetMasterAddrByName(ctx, s.Name).Result()
		_ = client.Close()
		if err != nil {
			continue
		}
		for _, node := range s.Nodes {
			if len(at) == 2 && at[0]+":"+at[1] == node.Addr() {
				return node, nil
			}
		}
	}
	return nil, err
}

// Promoted waits until another node than old is the master and says so itself.
func (s *SentinelServer) Promoted(ctx context.Context, old *Server) (*Server, error) {
	var now *Server
	err := until(ctx, func(ctx context.Context) (err error) {
		if now, err = s.Master(ctx); err == nil && now == old {
			err = errors.New("the Sentinels have chosen no other master")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return now, now.AwaitInfo(ctx, "replication", "role:master")
}

// Stop ends all of them and removes their data.
func (s *SentinelServer) Stop() {
	for _, one := range s.Sentinels {
		one.Stop()
	}
	for _, node := range s.Nodes {
		node.Stop()
	}
	for _, dir := range s.dirs {
		_ = os.RemoveAll(dir)
	}
}
