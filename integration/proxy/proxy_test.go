package proxy_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/integration/proxy"
	"github.com/floxrun/flox/internal/testredis"
)

func TestMain(m *testing.M) {
	redis.SetLogger(quiet{}) // of connections that fail, which is what is tested
	m.Run()
}

type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// through starts a server and a proxy of it, and returns a client of each. The
// proxy's never repeats a command.
func through(t *testing.T) (*proxy.Proxy, *redis.Client, *redis.Client) {
	t.Helper()
	return throughFor(t, time.Minute)
}

// throughFor is through for a client that waits for its replies as long as that.
func throughFor(t *testing.T, timeout time.Duration) (*proxy.Proxy, *redis.Client, *redis.Client) {
	t.Helper()
	server := testredis.Start(t)
	p, err := proxy.New(server.Addr(), 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	direct := server.Client()
	t.Cleanup(func() { direct.Close() })
	client := redis.NewClient(&redis.Options{Addr: p.Addr(), Protocol: 2, DisableIdentity: true, MaxRetries: -1, DialerRetries: 1, ReadTimeout: timeout})
	t.Cleanup(func() { client.Close() })
	return p, client, direct
}

func set(t *testing.T, p *proxy.Proxy, f proxy.Faults) {
	t.Helper()
	if err := p.Set(f); err != nil {
		t.Fatal(err)
	}
}

func only(name string) func(proxy.Command) bool {
	return func(c proxy.Command) bool { return c.Name() == name }
}

func value(t *testing.T, c *redis.Client, key string) int {
	t.Helper()
	n, err := c.Get(t.Context(), key).Int()
	if err != nil && !errors.Is(err, redis.Nil) {
		t.Fatal(err)
	}
	return n
}

func TestPassesOn(t *testing.T) {
	p, c, _ := through(t)
	large := strings.Repeat("x\r\n$", 1<<20)
	if err := c.Set(t.Context(), "large", large, 0).Err(); err != nil {
		t.Fatal(err)
	}
	if got := c.Get(t.Context(), "large").Val(); got != large {
		t.Errorf("%d bytes came back, want %d", len(got), len(large))
	}
	pipe := c.Pipeline()
	for i := range 200 {
		pipe.Set(t.Context(), fmt.Sprint("k", i), i, 0)
		pipe.Get(t.Context(), fmt.Sprint("k", i))
		pipe.LRange(t.Context(), "none", 0, -1)
	}
	cmds, err := pipe.Exec(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if got := cmds[3*i+1].(*redis.StringCmd).Val(); got != fmt.Sprint(i) {
			t.Errorf("k%d = %q", i, got)
		}
	}
	sub := c.Subscribe(t.Context(), "news")
	defer sub.Close()
	if _, err := sub.Receive(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.Publish(t.Context(), "news", "hello")
	if m, err := sub.ReceiveMessage(t.Context()); err != nil || m.Payload != "hello" {
		t.Errorf("message = %v, %v", m, err)
	}
	if n := p.Counts(); n.Commands < 602 || n.Accepted < 1 || n.PerSecond < 1 {
		t.Errorf("counts %+v", n)
	}
}

func TestLosesReplies(t *testing.T) {
	p, c, direct := through(t)
	set(t, p, proxy.Faults{LoseReply: 1, Only: only("INCR")})
	if err := c.Incr(t.Context(), "n").Err(); err == nil {
		t.Error("the reply was not lost")
	}
	if n := value(t, direct, "n"); n != 1 {
		t.Errorf("n = %d, want 1: the command runs", n)
	}
	if n := p.Counts().LostReplies; n != 1 {
		t.Errorf("%d replies lost, want 1", n)
	}
	set(t, p, proxy.Faults{})
	if err := c.Incr(t.Context(), "n").Err(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestLosesOneOfAPipeline loses the reply of a command in the middle: those before
// it are answered, all of them run.
func TestLosesOneOfAPipeline(t *testing.T) {
	p, _, direct := through(t)
	set(t, p, proxy.Faults{LoseReply: 1, Only: only("INCR")})
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "SET a 1\r\nINCR n\r\nSET b 1\r\n")
	if answers, err := io.ReadAll(conn); err != nil || string(answers) != "+OK\r\n" {
		t.Errorf("answers %q, %v; want one", answers, err)
	}
	if value(t, direct, "a") != 1 || value(t, direct, "n") != 1 || value(t, direct, "b") != 1 {
		t.Error("not all of them ran")
	}
}

func TestLosesRequests(t *testing.T) {
	p, c, direct := through(t)
	set(t, p, proxy.Faults{LoseRequest: 1, Only: only("INCR")})
	if err := c.Incr(t.Context(), "n").Err(); err == nil {
		t.Error("the request was not lost")
	}
	if n := value(t, direct, "n"); n != 0 {
		t.Errorf("n = %d, want 0: the command never arrived", n)
	}
	if n := p.Counts().LostRequests; n != 1 {
		t.Errorf("%d requests lost, want 1", n)
	}
}

func TestDuplicates(t *testing.T) {
	p, c, direct := through(t)
	set(t, p, proxy.Faults{Duplicate: 1, Only: only("INCR")})
	pipe := c.Pipeline()
	var incs []*redis.IntCmd
	var echoes []*redis.StringCmd
	for i := range 50 {
		incs = append(incs, pipe.Incr(t.Context(), "n"))
		echoes = append(echoes, pipe.Echo(t.Context(), i))
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	first := 0
	for i := range 50 {
		got := int(incs[i].Val())
		if got != 2*i+1 && got != 2*i+2 {
			t.Errorf("increment %d = %d, want %d or %d", i, got, 2*i+1, 2*i+2)
		}
		first += got % 2
		if echoes[i].Val() != fmt.Sprint(i) {
			t.Errorf("echo %d = %q", i, echoes[i].Val())
		}
	}
	if first == 0 || first == 50 {
		t.Errorf("the first answer was given %d times of 50", first)
	}
	if n := value(t, direct, "n"); n != 100 {
		t.Errorf("n = %d, want 100", n)
	}
	if n := p.Counts().Duplicates; n != 50 {
		t.Errorf("%d duplicates, want 50", n)
	}
}

func TestReplays(t *testing.T) {
	p, c, direct := through(t)
	set(t, p, proxy.Faults{Replay: 1, Only: only("INCR")})
	if n, err := c.Incr(t.Context(), "n").Result(); n != 1 || err != nil {
		t.Fatalf("Incr = %d, %v", n, err)
	}
	for value(t, direct, "n") != 2 {
		if t.Context().Err() != nil {
			t.Fatal("the command was not sent again")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestDelays(t *testing.T) {
	p, c, direct := throughFor(t, 300*time.Millisecond)
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	set(t, p, proxy.Faults{Delay: time.Second})
	err := c.Incr(t.Context(), "n").Err()
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("Incr = %v, want a timeout", err)
	}
	if value(t, direct, "n") != 1 || p.Counts().Delayed == 0 {
		t.Errorf("n = %d, %d delayed", value(t, direct, "n"), p.Counts().Delayed)
	}
}

func TestSilence(t *testing.T) {
	p, c, direct := throughFor(t, 300*time.Millisecond)
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	set(t, p, proxy.Faults{Silent: true})
	for range 2 { // the connection that there was, and a new one
		var timeout net.Error
		if err := c.Incr(t.Context(), "n").Err(); !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Errorf("Incr = %v, want a timeout", err)
		}
	}
	if n := value(t, direct, "n"); n != 0 || p.Counts().Silenced < 2 {
		t.Errorf("n = %d, %d silenced", n, p.Counts().Silenced)
	}
	set(t, p, proxy.Faults{})
	if err := c.Incr(t.Context(), "n").Err(); err != nil {
		t.Errorf("afterwards, on a new connection: %v", err)
	}
}

func TestRefusal(t *testing.T) {
	p, c, _ := through(t)
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	set(t, p, proxy.Faults{Refuse: true})
	if _, err := net.Dial("tcp", p.Addr()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("Dial = %v, want it refused", err)
	}
	if err := c.Ping(t.Context()).Err(); err == nil {
		t.Error("Ping was answered")
	}
	set(t, p, proxy.Faults{})
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if n := p.Counts(); n.Refused != 1 || n.Resets < 1 {
		t.Errorf("counts %+v", n)
	}
}

func TestResets(t *testing.T) {
	p, _, _ := through(t)
	conn, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answer := make([]byte, 7)
	fmt.Fprint(conn, "PING\r\n") // words instead of an array are understood
	if _, err := conn.Read(answer); err != nil || string(answer) != "+PONG\r\n" {
		t.Fatalf("answer %q, %v", answer, err)
	}
	p.Reset()
	if _, err := conn.Read(answer); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("Read = %v, want a reset", err)
	}
}

func TestHolds(t *testing.T) {
	for _, reply := range []bool{false, true} {
		p, c, direct := throughFor(t, 300*time.Millisecond)
		held, want := p.HoldRequest(only("INCR")), 0
		if reply {
			held, want = p.HoldReply(only("INCR"), func(reply []byte) bool { return reply[0] == ':' }), 1
			if err := c.Do(t.Context(), "INCR").Err(); err == nil || !strings.Contains(err.Error(), "wrong number") {
				t.Errorf("INCR of nothing = %v, want its error: it is not what is held", err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		answered := make(chan error, 1)
		go func() { answered <- c.Incr(ctx, "n").Err() }()
		select {
		case <-held.Done():
		case <-ctx.Done():
			t.Fatal("nothing was held")
		}
		if n := value(t, direct, "n"); n != want {
			t.Errorf("reply %v: n = %d, want %d", reply, n, want)
		}
		if err := <-answered; err == nil {
			t.Errorf("reply %v: the command was answered", reply)
		}
		if err := c.Incr(ctx, "n").Err(); err != nil {
			t.Errorf("reply %v: the next is held, too: %v", reply, err)
		}
		held.Release()
		for value(t, direct, "n") != 2 { // a request arrives although its client has gone
			if ctx.Err() != nil {
				t.Fatalf("reply %v: n = %d, want 2", reply, value(t, direct, "n"))
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func TestHoldsAll(t *testing.T) {
	p, c, direct := throughFor(t, 300*time.Millisecond)
	held := p.HoldAll(only("INCR"))
	answered := make(chan error, 1)
	go func() { answered <- c.Incr(t.Context(), "n").Err() }()
	<-held.Done()
	if err := c.Ping(t.Context()).Err(); err == nil {
		t.Error("a command on another connection was answered")
	}
	if err := <-answered; err == nil {
		t.Error("the command was answered")
	}
	if n := value(t, direct, "n"); n != 0 {
		t.Errorf("n = %d, want 0", n)
	}
	held.Release()
	for value(t, direct, "n") != 1 {
		if t.Context().Err() != nil {
			t.Fatal("what was held did not arrive")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Errorf("after the release: %v", err)
	}
}

func TestServerGone(t *testing.T) {
	server := testredis.Start(t)
	p, err := proxy.New(server.Addr(), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	c := redis.NewClient(&redis.Options{Addr: p.Addr(), MaxRetries: -1, DialerRetries: 1})
	defer c.Close()
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	if err := c.Ping(t.Context()).Err(); err == nil {
		t.Error("Ping was answered without a server")
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.Ping(t.Context()).Err(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}
