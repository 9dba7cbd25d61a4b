// Package testredis runs real Redis servers for tests and experiments: processes
// of redis-server on free local ports, with their data in a directory of their own.
package testredis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// Config says how a server is started. The zero Config works.
type Config struct {
	Password string   // default: none
	Args     []string // further arguments of redis-server, such as "--maxmemory", "1mb"
	Dir      string   // where its data is; default: a new one that Stop removes
	// Cluster starts the server as a node of a Redis Cluster.
	Cluster bool
	// Binary is the server to start: a path, Redis8 or Valkey8. Default: what the
	// environment variable EnvBinary says, else redis-server in PATH.
	Binary string
	// Env are further environment variables of the process, as "NAME=value".
	Env []string
	// Sentinel, if set, is the configuration file of a Sentinel to start instead.
	Sentinel string
}

// Server is a running redis-server. Its methods are not for concurrent use.
type Server struct {
	cfg    Config
	binary string
	port   int
	dir    string
	ownDir bool
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended
}

// startLimit is how long a server may take to answer.
const startLimit = 15 * time.Second

// New starts a server. Stop it after use.
func New(ctx context.Context, cfg Config) (*Server, error) {
	binary, err := cfg.binary()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, dir: cfg.Dir, binary: binary}
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "flox-redis-")
		if err != nil {
			return nil, err
		}
		s.dir, s.ownDir = dir, true
	}
	// Another process may take a free port before the server does.
	for range 5 {
		if s.port, err = freePort(); err != nil {
			break
		}
		if err = s.launch(ctx); err == nil {
			return s, nil
		}
		s.Kill()
	}
	s.Stop()
	return nil, fmt.Errorf("redis-server did not start: %w; its log: %s", err, s.log())
}

// asked is how many ports this process has looked at.
var asked atomic.Int64

// freePort finds a port that is free, and so is the one 10000 above, where a
// Cluster's nodes talk. The kernel's own range for clients is avoided. None comes
// again before all others have.
func freePort() (int, error) {
	const first, count = 11000, 9000
	for range count {
		// Each process starts elsewhere, so that tests side by side do not meet.
		port := first + (os.Getpid()*37+int(asked.Add(1))*7)%count
		if isFree(port) && isFree(port+10000) {
			return port, nil
		}
	}
	return 0, errors.New("no free port")
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

// launch starts the process and waits until it has loaded its data.
func (s *Server) launch(ctx context.Context) error {
	s.cmd = exec.Command(s.binary, s.args()...)
	s.cmd.Env = append(os.Environ(), s.cfg.Env...)
	if err := s.cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	s.exited = exited
	go func(cmd *exec.Cmd) {
		_ = cmd.Wait()
		close(exited)
	}(s.cmd)
	return s.ready(ctx)
}

// args are the arguments of redis-server.
func (s *Server) args() []string {
	common := []string{
		"--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir,
		"--logfile", filepath.Join(s.dir, "redis.log"),
	}
	if s.cfg.Sentinel != "" {
		return append(append([]string{s.cfg.Sentinel, "--sentinel"}, common...), s.cfg.Args...)
	}
	args := append(common, "--save", "", "--appendonly", "yes", "--appendfsync", "everysec",
		"--repl-diskless-sync-delay", "0") // else a replica waits 5 s for others to come
	if s.cfg.Password != "" {
		args = append(args, "--requirepass", s.cfg.Password, "--masterauth", s.cfg.Password)
	}
	if s.cfg.Cluster {
		args = append(args, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
	}
	return append(args, s.cfg.Args...)
}

func (s *Server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	client := s.Client()
	defer client.Close()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := client.Ping(ctx).Err()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.exited:
			return errors.New("the process has ended")
		case <-ctx.Done():
			return err
		}
	}
}

// log returns the end of the server's log.
func (s *Server) log() string {
	raw, err := os.ReadFile(filepath.Join(s.dir, "redis.log"))
	if err != nil {
		return "none"
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], "; ")
}

// Addr is the server's host and port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// URL is the server's URL, with the password.
func (s *Server) URL() string {
	if s.cfg.Password != "" {
		return "redis://:" + s.cfg.Password + "@" + s.Addr()
	}
	return "redis://" + s.Addr()
}

// Dir is where the server's data is.
func (s *Server) Dir() string { return s.dir }

// PID is the process id.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Client connects to the server. Close it after use.
func (s *Server) Client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.Addr(), Password: s.cfg.Password, Protocol: 2, DisableIdentity: true})
}

// Kill ends the process at once, as a crash does. Its data stays.
func (s *Server) Kill() {
	if s.exited == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	<-s.exited
}

// Restart kills the server, if it still runs, and starts it again on the same
// port with the same data.
func (s *Server) Restart(ctx context.Context) error {
	s.Kill()
	return s.launch(ctx)
}

// Stop kills the server and removes its data.
func (s *Server) Stop() {
	s.Kill()
	if s.ownDir {
		_ = os.RemoveAll(s.dir)
	}
}
