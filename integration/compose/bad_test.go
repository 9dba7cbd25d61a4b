//go:build compose

package compose

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestBadInput sets the stack up wrongly, in each way that people do, and reads
// what they would: docker compose logs. A reason is said in one line each time that
// a container ends of it.
func TestBadInput(t *testing.T) {
	t.Run("wrong password", func(t *testing.T) {
		t.Parallel()
		s := newStack(t, "password", "FLOX_REDIS_URL=redis://:wrong@redis:6379")
		s.compose("up", "-d", "redis", "worker", "orchestrator")
		s.refuses("worker", "refuses the user or password")
		s.refuses("orchestrator", "refuses the user or password")
	})
	t.Run("password that cannot be", func(t *testing.T) {
		t.Parallel()
		s := newStack(t, "odd", "FLOX_REDIS_PASSWORD=a b@c")
		if _, _, err := s.composeWithin(time.Minute, nil, "up", "-d", "redis"); err != nil {
			t.Fatal(err)
		}
		s.refuses("redis", "FLOX_REDIS_PASSWORD: want letters, digits")
	})
	t.Run("volume without permission", func(t *testing.T) {
		t.Parallel()
		s := newStack(t, "volume")
		dir := filepath.Join(t.TempDir(), "data")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		out, errs, err := s.composeWithin(time.Minute, nil, "run", "--rm", "-T", "-v", dir+":/data", "redis")
		if err == nil || !strings.Contains(out+errs, "Permission denied") {
			t.Errorf("redis on a volume of somebody else: %v\n%s%s\nwant Permission denied", err, out, errs)
		}
	})
	t.Run("port in use", func(t *testing.T) {
		t.Parallel()
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		_, port, _ := net.SplitHostPort(l.Addr().String())
		s := newStack(t, "port", "FLOX_PROMETHEUS_PORT="+port)
		_, errs, err := s.composeWithin(time.Minute, nil, "up", "-d", "prometheus")
		if err == nil || !strings.Contains(errs, port) || !strings.Contains(errs, "address already in use") {
			t.Errorf("up with a port in use: %v\n%s\nwant the port and that it is in use", err, errs)
		}
	})
	t.Run("port of a worker in use", func(t *testing.T) {
		t.Parallel()
		s := newStack(t, "listen")
		s.compose("up", "-d", "--no-deps", "worker")
		out, err := docker("run", "--rm", "--network", "container:"+s.only("worker").ID, testImage)
		if err == nil || !strings.Contains(out, "--listen=0.0.0.0:9464: bind: address already in use; choose another address") {
			t.Errorf("a second worker at one address: %v\n%s", err, out)
		}
	})
	t.Run("Redis not there yet", notThereYet)
	t.Run("old Redis", func(t *testing.T) {
		t.Parallel()
		s := newStack(t, "old")
		s.compose("up", "-d", "site") // for its network
		s.env = append(s.env, "FLOX_REDIS_URL=redis://"+oldRedis(t, s))
		s.compose("up", "-d", "--no-deps", "worker", "orchestrator")
		s.refuses("worker", "6.2.14: flox needs Redis 7.0 or newer")
		s.refuses("orchestrator", "6.2.14: flox needs Redis 7.0 or newer")
	})
	t.Run("eviction", func(t *testing.T) {
		t.Parallel()
		s := newStack(t, "eviction")
		s.compose("up", "-d", "redis")
		s.until("redis is healthy", 20*time.Second, func() bool { return s.only("redis").healthy() })
		s.docker("exec", s.only("redis").ID, "redis-cli", "config", "set", "maxmemory-policy", "allkeys-lru")
		s.compose("up", "-d", "--no-deps", "worker")
		s.refuses("worker", `maxmemory-policy "allkeys-lru"`, "set it to noeviction")
		s.docker("exec", s.only("redis").ID, "redis-cli", "config", "set", "maxmemory-policy", "noeviction")
		s.workers(1) // by itself
	})
}

// refuses waits until a service's container has ended a few times, and wants each
// of its ends to be explained by one line with all of words, and next to nothing else.
func (s *stack) refuses(service string, words ...string) {
	s.t.Helper()
	var c container
	s.until(service+" was started again some times", time.Minute, func() bool {
		c = s.only(service)
		return c.RestartCount >= 5
	})
	said := s.logs(service)
	errs := s.lines(service, "error: ")
	for _, line := range errs {
		for _, w := range words {
			if !strings.Contains(line, w) {
				s.t.Errorf("%s said %q, want one line with %q", service, line, w)
			}
		}
	}
	// Beside the reason there is that the HTTP server has started, at most. The engine
	// goes on meanwhile: a start or two may not be counted yet, or not have ended.
	n, starts := strings.Count(said, "\n"), c.RestartCount+1
	if len(errs) < starts-1 || len(errs) > starts+1 || n > 2*(starts+1) {
		s.t.Errorf("%s said %d lines, %d of them errors, in %d starts:\n%s", service, n, len(errs), starts, said)
	}
}

// notThereYet starts workers well before their Redis.
func notThereYet(t *testing.T) {
	t.Parallel()
	s := newStack(t, "late")
	s.compose("up", "-d", "--no-deps", "worker", "orchestrator")
	for _, service := range []string{"worker", "orchestrator"} {
		s.until(service+" says that it waits", 30*time.Second, func() bool { return len(s.lines(service, "wait")) > 0 })
	}
	time.Sleep(5 * time.Second)
	for _, service := range []string{"worker", "orchestrator"} {
		if c := s.only(service); c.State.Status != "running" || c.RestartCount != 0 {
			t.Errorf("%s: %+v, %d restarts; want it to wait", service, c.State, c.RestartCount)
		}
		if waits := s.lines(service, "wait"); len(waits) != 1 {
			t.Errorf("%s said %d times that it waits, want once:\n%s", service, len(waits), s.logs(service))
		}
	}
	s.compose("up", "-d", "redis")
	s.workers(1)
	s.until("the orchestrator is healthy", 30*time.Second, func() bool { return s.only("orchestrator").healthy() })
}

// oldRedis answers as a Redis 6.2 does, at an address that containers reach.
func oldRedis(t *testing.T, s *stack) string {
	t.Helper()
	var gateway string
	for _, n := range s.only("site").NetworkSettings.Networks {
		gateway = n.Gateway
	}
	l, err := net.Listen("tcp", net.JoinHostPort(gateway, "0"))
	if err != nil {
		t.Fatalf("%v; this test runs beside the engine", err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go answerOld(conn)
		}
	}()
	return l.Addr().String()
}

// answerOld answers commands until the client has had enough.
func answerOld(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	for {
		command, err := readCommand(in)
		if err != nil {
			return
		}
		switch strings.ToUpper(command) {
		case "PING":
			fmt.Fprint(conn, "+PONG\r\n")
		case "INFO":
			info := "redis_version:6.2.14\r\nredis_mode:standalone\r\nmaxmemory_policy:noeviction\r\ncluster_enabled:0\r\n"
			fmt.Fprintf(conn, "$%d\r\n%s\r\n", len(info), info)
		default: // also of HELLO 3 it knows less than clients ask for
			fmt.Fprintf(conn, "-ERR unknown command `%s`\r\n", command)
		}
	}
}

// readCommand reads an array of strings and returns the first.
func readCommand(in *bufio.Reader) (name string, err error) {
	var n, size int
	if _, err := fmt.Fscanf(in, "*%d\r\n", &n); err != nil {
		return "", err
	}
	for i := range n {
		if _, err := fmt.Fscanf(in, "$%d\r\n", &size); err != nil {
			return "", err
		}
		word := make([]byte, size+2)
		for read := 0; read < len(word); {
			k, err := in.Read(word[read:])
			if err != nil {
				return "", err
			}
			read += k
		}
		if i == 0 {
			name = string(word[:size])
		}
	}
	return name, nil
}
