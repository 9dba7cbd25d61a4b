package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/floxrun/flox/internal/testredis"
)

// serving is an orchestrator serve in the background.
type serving struct {
	t    *testing.T
	url  string
	log  *lockedBuffer
	stop context.CancelFunc
	code chan int
}

// lockedBuffer is written by a command and read by the test.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// freeAddress is one at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", testredis.FreePort(t)) // none that a connection may get
}

func serve(t *testing.T, args ...string) *serving {
	t.Helper()
	address := freeAddress(t)
	s := &serving{t: t, url: "http://" + address, log: &lockedBuffer{}, code: make(chan int, 1)}
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	t.Cleanup(stop)
	args = append([]string{"serve", "--listen", address, "--interval", "1s"}, args...)
	go func() { s.code <- Run(ctx, args, strings.NewReader(""), io.Discard, s.log) }()
	return s
}

// get asks it; code 0 is no answer.
func (s *serving) get(path string) (code int, body string) {
	s.t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	res, err := client.Get(s.url + path)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Errorf("GET %s: %v", path, err)
	}
	return res.StatusCode, string(raw)
}

func (s *serving) until(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited a minute in vain until %s; log:\n%s", what, s.log)
		}
	}
}

func (s *serving) ready() {
	s.t.Helper()
	s.until("/readyz says 200", func() bool { code, _ := s.get("/readyz"); return code == 200 })
}

// end stops it, and wants it to end well, and not to wait for an answer of Redis.
func (s *serving) end() {
	s.t.Helper()
	began := time.Now()
	s.stop()
	if code := <-s.code; code != ExitOK {
		s.t.Errorf("serve = %d, want 0; log:\n%s", code, s.log)
	}
	if took := time.Since(began); took > 2500*time.Millisecond {
		s.t.Errorf("serve took %v to end, want it to end at once", took)
	}
}

// TestServe asks for everything that serve answers, of a Redis that first is not
// there, then loses its answers, and comes back.
func TestServe(t *testing.T) {
	before := runtime.NumGoroutine()
	redis := freeAddress(t)
	s := serve(t, "--redis", "redis://"+redis, "--embedded")
	s.until("it waits", func() bool { return strings.Contains(s.log.String(), "waiting for redis") })
	if code, body := s.get("/healthz"); code != 200 || body != "ok\n" {
		t.Errorf("GET /healthz while it waits = %d %q, want 200", code, body)
	}
	if code, body := s.get("/readyz"); code != 503 || body != "not read lately: runs, queues, workers, servers\n" {
		t.Errorf("GET /readyz while it waits = %d %q, want 503", code, body)
	}
	up := `flox_redis_up{flox_namespace="default",server="` + redis + `"} `
	if code, body := s.get("/metrics"); code != 200 || !strings.Contains(body, up+"0\n") {
		t.Errorf("GET /metrics while it waits = %d, want 200 and %s0", code, up)
	}
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr(redis); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	s.ready()
	_, body := s.get("/metrics")
	for _, want := range []string{up + "1\n", "flox_workers_slots{", "flox_build_info{", "go_goroutines ", "process_open_fds "} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if strings.Contains(body, "flox_redis_info{") {
		t.Errorf("/metrics says of an embedded server what it does not know")
	}
	for path, want := range map[string]int{"/": 200, "/healthz": 200, "/nothing": 404} {
		if code, _ := s.get(path); code != want {
			t.Errorf("GET %s = %d, want %d", path, code, want)
		}
	}
	res, err := http.Post(s.url+"/metrics", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST /metrics = %d, want 405", res.StatusCode)
	}
	server.SetError("LOADING Redis is loading the dataset in memory")
	s.until("/readyz says 503", func() bool { code, _ := s.get("/readyz"); return code == 503 })
	server.SetError("")
	s.ready()
	s.end()
	for _, line := range []string{"waiting for redis", "redis is there", "redis cannot be read", "redis can be read again"} {
		if n := strings.Count(s.log.String(), line); n != 1 {
			t.Errorf("it said %q %d times, want once; log:\n%s", line, n, s.log)
		}
	}
	server.Close()
	http.DefaultClient.CloseIdleConnections()
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines after serve, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// TestServeEndsWhileRedisHangs ends it while it has asked and not been answered, and
// while it waits for the first answer.
func TestServeEndsWhileRedisHangs(t *testing.T) {
	server := testredis.Start(t)
	s := serve(t, "--redis", server.URL())
	s.ready()
	if err := syscall.Kill(server.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(server.PID(), syscall.SIGCONT)
	late := serve(t, "--redis", server.URL())
	time.Sleep(1500 * time.Millisecond)
	if code, _ := s.get("/metrics"); code != 200 {
		t.Errorf("GET /metrics while Redis hangs = %d, want 200", code)
	}
	if code, _ := late.get("/healthz"); code != 200 {
		t.Errorf("GET /healthz while Redis hangs = %d, want 200", code)
	}
	s.end()
	late.end()
}

// TestServeTwice has two of them on one namespace, of which one ends.
func TestServeTwice(t *testing.T) {
	server := testredis.Start(t, testredis.Password("secret"))
	one, two := serve(t, "--redis", server.URL()), serve(t, "--redis", server.URL())
	one.ready()
	two.ready()
	one.end()
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	time.Sleep(4 * leastInterval) // what was read before is stale
	two.ready()
	two.end()
}

func TestServeRefuses(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	locked := miniredis.RunT(t)
	locked.RequireAuth("secret")
	evicting := testredis.Start(t, testredis.Args("--maxmemory-policy", "allkeys-lru"))
	for _, tt := range []struct {
		args string
		code int
		want string // the end of the last line
	}{
		{"--listen off", 2, `--listen="off": want host:port`},
		{"--listen 9465", 2, `--listen="9465": want host:port`},
		{"--listen " + taken.Addr().String(), 1, "bind: address already in use; choose another address"},
		{"--interval 10ms", 2, "--interval=10ms: want 1s or more"},
		{"--interval soon", 2, `--interval="soon": want a duration such as 90s, 1h30m or 7d`},
		{"--log-level loud", 2, `--log-level="loud": want info|debug|warn|error`},
		{"more", 2, `serve: "more" is one argument too many; usage: orchestrator serve [flags]`},
		{"--redis http://here", 1, "redis URL: want redis://, rediss://, redis+sentinel:// or redis+cluster://, then user:password@host:port"},
		{"--embedded --redis redis://:wrong@" + locked.Addr(), 1, `correct it in the URL (user "default" if none is named)`},
		{"--redis " + evicting.URL(), 1, `has maxmemory-policy "allkeys-lru", which throws keys away when memory is short: set it to noeviction`},
	} {
		var errOut bytes.Buffer
		args := append([]string{"serve", "--listen", freeAddress(t)}, strings.Fields(tt.args)...)
		code := Run(t.Context(), args, strings.NewReader(""), io.Discard, &errOut)
		lines := strings.Split(strings.TrimSpace(errOut.String()), "\n")
		last := lines[len(lines)-1]
		if code != tt.code || !strings.HasPrefix(last, "error: ") || !strings.HasSuffix(last, tt.want) || strings.Contains(errOut.String(), "wrong@") {
			t.Errorf("serve %s = %d %q, want %d and one line that ends in %q", tt.args, code, errOut.String(), tt.code, tt.want)
		}
	}
}

func TestServeEnvironment(t *testing.T) {
	t.Setenv("FLOX_INTERVAL", "1ms")
	var errOut bytes.Buffer
	code := Run(t.Context(), []string{"serve"}, strings.NewReader(""), io.Discard, &errOut)
	if want := fmt.Sprintf("error: --interval=1ms: want %v or more\n", leastInterval); code != ExitUsage || errOut.String() != want {
		t.Errorf("serve with FLOX_INTERVAL=1ms = %d %q, want 2 %q", code, errOut.String(), want)
	}
}
