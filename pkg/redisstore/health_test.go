package redisstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// syncBuffer is written by a store and read by the test.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// TestPatience opens a store whose server comes later, is not let in, or never comes.
func TestPatience(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t, testredis.Password("canary"))
	url := server.URL()
	server.Kill()
	log := &syncBuffer{}
	opened := make(chan error, 1)
	go func() {
		s, err := redisstore.Open(t.Context(), redisstore.Config{
			URL: url, Patience: -1, Logger: slog.New(slog.NewTextHandler(log, nil)),
		})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	for !strings.Contains(log.String(), "waiting for redis") {
		time.Sleep(5 * time.Millisecond)
	}
	time.Sleep(time.Second) // for some attempts more
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Errorf("Open = %v, want nil when the server has come", err)
	}
	for _, line := range []string{"waiting for redis", "redis is there"} {
		if n := strings.Count(log.String(), line); n != 1 {
			t.Errorf("it said %q %d times, want once:\n%s", line, n, log)
		}
	}
	if strings.Contains(log.String(), "canary") {
		t.Errorf("the log has the password:\n%s", log)
	}

	began := time.Now()
	refused(t, redisstore.Config{URL: "redis://" + server.Addr(), Patience: -1}, "wants a password")
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("Open took %v to say that a password is wanted", took)
	}
	server.Kill()
	began = time.Now()
	refused(t, redisstore.Config{URL: url, Patience: time.Second, Logger: slog.New(slog.DiscardHandler)}, "cannot be reached")
	if took := time.Since(began); took < time.Second || took > 30*time.Second {
		t.Errorf("Open of patience 1s gave up after %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := redisstore.Open(ctx, redisstore.Config{URL: url, Patience: -1, Logger: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("Open = nil with a server that never comes, want an error when its context ends")
	}
}

// TestPatienceWhereNothingAnswers has connections take as long as where a firewall
// swallows them: Open soon says what it waits for.
func TestPatienceWhereNothingAnswers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	log := &syncBuffer{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = redisstore.Open(ctx, redisstore.Config{
			URL: "redis://192.0.2.1:6379", Patience: -1, Logger: slog.New(slog.NewTextHandler(log, nil)),
			Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
				time.Sleep(3 * time.Second)
				return nil, &net.OpError{Op: "dial", Net: network, Err: os.ErrDeadlineExceeded}
			},
		})
	}()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(log.String(), "waiting for redis"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("Open has said nothing for 20s")
			break
		}
	}
	cancel()
	<-done
}

// TestHangingServer has a server take what is sent and answer nothing: opening ends
// with its context, and closing does not wait.
func TestHangingServer(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	s, err := redisstore.Open(t.Context(), redisstore.Config{URL: server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(server.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(server.PID(), syscall.SIGCONT)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := redisstore.Open(ctx, redisstore.Config{URL: server.URL()}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Open = %v, want that the deadline is over", err)
	}
	if _, err := s.Stats(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Stats = %v, want that the deadline is over", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close = %v, want nil", err)
	}
	if took := time.Since(began); took > 2500*time.Millisecond {
		t.Errorf("it took %v to open and close, want less than the 3s of a read", took)
	}
}

// TestHealthThroughSentinel checks that the master is named, not the Sentinel.
func TestHealthThroughSentinel(t *testing.T) {
	t.Parallel()
	master := testredis.Start(t)
	sentinel := testredis.StartSentinel(t, "main", master)
	s := open(t, redisstore.Config{URL: "redis+sentinel://" + sentinel.Addr() + "/main"})
	all, err := s.Health(t.Context())
	if err != nil || len(all) != 1 || all[0].Err != nil || all[0].Address != master.Addr() {
		t.Fatalf("Health = %+v, %v, want that of %s", all, err, master.Addr())
	}
	h := all[0]
	if used, ok := h.Number("used_memory"); !ok || used <= 0 || h.Version() == "" || h.Mode() != "standalone" {
		t.Errorf("Health says %v bytes (%t), version %q, mode %q", used, ok, h.Version(), h.Mode())
	}
	if h.Time.Before(h.Sent.Add(-time.Second)) || h.Time.After(h.Answered.Add(time.Second)) {
		t.Errorf("the time of a server on this machine is %v, between %v and %v", h.Time, h.Sent, h.Answered)
	}
	if _, ok := h.Lag(); ok {
		t.Error("Lag is known, want that there is no replica")
	}
	sentinel.Kill()
	master.Kill()
	all, err = s.Health(t.Context())
	if err != nil || len(all) != 1 || all[0].Err == nil || all[0].Address != master.Addr() {
		t.Errorf("Health of dead servers = %+v, %v, want an error of %s", all, err, master.Addr())
	}
}

func TestLag(t *testing.T) {
	h := redisstore.ServerHealth{Info: map[string]string{
		"master_repl_offset": "1000", "slave_expires_tracked_keys": "7",
		"slave0": "ip=10.0.0.1,port=6379,state=online,offset=990,lag=0", "slave1": "ip=10.0.0.2,port=6379,state=online,offset=400,lag=1",
	}}
	if lag, ok := h.Lag(); !ok || lag != 600 {
		t.Errorf("Lag = %v, %t, want 600", lag, ok)
	}
}

// TestSurvey compares a survey with what the runs say of themselves one by one.
func TestSurvey(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL(), Partitions: 3})
	ctx := t.Context()
	const size = 1200 // tokens, of more than one HSCAN
	b := flox.New[flox.NoState]("wide")
	split := flox.Split(b, "split", func(n int) []int { return make([]int, n) })
	open := make(chan struct{})
	wait := flox.Func(b, "wait", func(ctx context.Context, n int) (int, error) {
		select {
		case <-open:
		case <-ctx.Done():
		}
		return n, ctx.Err()
	}).Queue("slow")
	last := flox.Func(b, "last", func(_ context.Context, n int) (int, error) { return 0, flox.Permanent(errors.New("no")) })
	split.To(wait)
	wait.To(last)
	wf, err := flox.BuildAll(b, split, last)
	if err != nil {
		t.Fatal(err)
	}
	stop := sync.OnceFunc(run(t, s, flox.WorkerConfig{Concurrency: size + 10}, wf))
	defer stop()
	ctl := flox.NewControl(s)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	start := func(input string, opts ...flox.StartOption) string {
		t.Helper()
		id, err := ctl.Start(ctx, "wide", []byte(input), opts...)
		must(err)
		return id
	}
	until := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("waited 30s in vain until %s", what)
			}
		}
	}
	until("the workflow is registered", func() bool { _, err := ctl.Workflow(ctx, "wide"); return err == nil })
	wide := start(fmt.Sprint(size))
	fails := []string{start("1"), start("1"), start("1")}
	for range 7 {
		start("1", flox.After(time.Hour))
	}
	until("the branches are out", func() bool { info, err := s.Info(ctx, wide); must(err); return info.Counts.Live == size })
	must(ctl.Pause(ctx, wide))
	close(open)
	for _, id := range fails {
		_, err := ctl.Wait(ctx, id)
		must(err)
	}
	until("all is parked", func() bool { info, err := s.Info(ctx, wide); must(err); return info.Counts.Parked == size })
	stop()

	held := map[string]int64{}
	for _, id := range append(fails, wide) {
		for cursor := ""; ; {
			tokens, next, err := s.Checkpoint(ctx, id, cursor, 100)
			must(err)
			for _, token := range tokens {
				if token.Place == flox.PlaceParked {
					held[token.Queue]++
				}
			}
			if cursor = next; next == "" {
				break
			}
		}
	}
	client := server.Client()
	defer client.Close()
	// A run that something else has written to is passed over.
	must(client.ZAdd(ctx, fmt.Sprintf("flox:{%s:0}:runs:failed", s.Namespace()), redis.Z{Score: 1, Member: "foreign|wide"}).Err())
	must(client.Set(ctx, fmt.Sprintf("flox:{%s:0}:run:foreign", s.Namespace()), "x", 0).Err())
	asked := 0
	var mu sync.Mutex
	got, err := s.Survey(ctx, func(_ context.Context, n int) error {
		mu.Lock()
		defer mu.Unlock()
		asked += n
		return nil
	})
	must(err)
	if fmt.Sprint(got.Held) != fmt.Sprint(held) || held["slow"]+held["wide"] != size+3 {
		t.Errorf("Survey has %v held, the runs have %v, of %d tokens", got.Held, held, size+3)
	}
	if want := map[string]int64{"wide": 7}; fmt.Sprint(got.Delayed) != fmt.Sprint(want) {
		t.Errorf("Survey has %v delayed, want %v", got.Delayed, want)
	}
	if want := map[redisstore.FailedRuns]int64{{Workflow: "wide", Class: "permanent"}: 3}; fmt.Sprint(got.Failed) != fmt.Sprint(want) {
		t.Errorf("Survey has %v failed, want %v", got.Failed, want)
	}
	if asked < 1000 {
		t.Errorf("it asked for %d reads, want some for each HSCAN of %d tokens", asked, size)
	}
	enough := errors.New("enough")
	if _, err := s.Survey(ctx, func(context.Context, int) error { return enough }); !errors.Is(err, enough) {
		t.Errorf("Survey = %v, want what its pace says", err)
	}
}
