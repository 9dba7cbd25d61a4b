package testredis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// NewReplica starts a replica of a server and waits until it follows it. It has
// the server's password and arguments. Stop it after use.
func NewReplica(ctx context.Context, master *Server) (*Server, error) {
	cfg := master.cfg
	cfg.Dir = ""
	cfg.Args = append(append([]string(nil), cfg.Args...), "--replicaof", "127.0.0.1", fmt.Sprint(master.port))
	s, err := New(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := s.AwaitInfo(ctx, "replication", "master_link_status:up"); err != nil {
		s.Stop()
		return nil, fmt.Errorf("replica of %s: %w", master.Addr(), err)
	}
	// The master counts it only when it has acknowledged what it got.
	if err := master.AwaitInfo(ctx, "replication", fmt.Sprintf("port=%d,state=online", s.port)); err != nil {
		s.Stop()
		return nil, fmt.Errorf("replica of %s: %w", master.Addr(), err)
	}
	return s, nil
}

// AwaitInfo waits until a section of the server's INFO says want. A server that
// does not answer is asked again.
func (s *Server) AwaitInfo(ctx context.Context, section, want string) error {
	client := s.Client()
	defer client.Close()
	return until(ctx, func(ctx context.Context) error {
		info, err := client.Info(ctx, section).Result()
		if err == nil && !strings.Contains(info, want) {
			return fmt.Errorf("INFO %s lacks %q", section, want)
		}
		return err
	})
}

// until repeats what may fail until it does not, for twice the time that a server
// may take to start.
func until(ctx context.Context, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 2*startLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(errors.New("not so in time"), err)
		}
	}
}
