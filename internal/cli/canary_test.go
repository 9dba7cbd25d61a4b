package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
	"github.com/floxrun/flox/pkg/worker"
)

// canary is in every secret of this test: whatever a process says to others at its
// default level must not have it.
const canary = "canary"

type secretState struct{ Notes flox.List[string] }

var secretSignal = flox.NewSignal[string]("go")

// secretive ends in as many ways as its input says. All that it handles is secret.
func secretive(t *testing.T) *flox.Workflow[secretState, string, string] {
	t.Helper()
	b := flox.New[secretState]("secretive").Retry(flox.RetryPolicy{MaxAttempts: 2, Backoff: flox.Exponential(time.Millisecond, time.Millisecond)})
	b.Timeout(200 * time.Millisecond)
	first := flox.AddFunc(b, "first", func(ctx *flox.Context[secretState], in string) (flox.Transition[string], error) {
		ctx.Merge(secretState{flox.List[string]{"canary-state"}})
		switch {
		case strings.HasSuffix(in, "retried"):
			return nil, errors.New("canary-error")
		case strings.HasSuffix(in, "permanent"):
			return nil, flox.Permanent(fmt.Errorf("no: %w", errors.New("canary-error")))
		case strings.HasSuffix(in, "abort"):
			return flox.Abort[string](errors.New("canary-abort")), nil
		case strings.HasSuffix(in, "panic"):
			panic("canary-panic")
		case strings.HasSuffix(in, "timeout"):
			<-ctx.Done()
			return nil, fmt.Errorf("canary-timeout: %w", ctx.Err())
		case strings.HasSuffix(in, "large"):
			return flox.Next(strings.Repeat("canary-large", 100_000)), nil
		}
		return flox.Next(in), nil
	})
	ask := flox.AddFunc(b, "ask", func(_ *flox.Context[secretState], in string) (flox.Awaiting[string, string], error) {
		return flox.Await(secretSignal, in, time.Minute), nil
	}).Awaits(secretSignal)
	last := flox.AddFunc(b, "last", func(ctx *flox.Context[secretState], a flox.Answer[string, string]) (flox.Transition[string], error) {
		return flox.Next("canary-output" + a.Payload + fmt.Sprint(ctx.State())), nil
	})
	first.To(ask)
	ask.To(last)
	wf, err := flox.Build(b, first, last)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}

func TestNoSecretIsTold(t *testing.T) {
	var told lockedBuffer // to whoever listens
	spans := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(&told, r.Body) }))
	defer spans.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", spans.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
	server := testredis.Start(t, testredis.Password("canary-in-url"))
	wf := secretive(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()

	st, err := redisstore.Open(ctx, redisstore.Config{URL: server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	orch, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := server.Client()
	defer c.Close()

	ends := map[string]flox.Status{"good": flox.StatusCompleted}
	for _, how := range []string{"retried", "permanent", "abort", "panic", "timeout", "large", "input", "signal", "state"} {
		ends[how] = flox.StatusFailed
	}
	for how := range ends {
		if _, err := orch.Start(ctx, "canary-"+how, flox.WithID(how)); err != nil {
			t.Fatal(err)
		}
	}
	key := func(kind, run string) string { return "flox:{default:0}:" + kind + ":" + run }
	c.HSet(ctx, key("run", "input"), "i:0", "\x00\x81\xa6canary\xa6canary")
	at := freeAddress(t)
	worked := make(chan error, 1)
	go func() {
		worked <- worker.Run(ctx, []string{"--redis", server.URL(), "--listen", at, "--lease", "300ms", "--tracing", "otlp"}, io.Discard, &told, wf)
	}()
	s := serve(t, "--redis", server.URL())
	for how, payload := range map[string]string{"good": `"canary-signal"`, "signal": `{"canary-signal":1}`, "state": `"x"`} {
		if how == "state" { // what was merged is there when the token waits
			waitFor(t, "the run to wait", func() bool { return c.HGet(ctx, key("run", how), "w:go").Val() != "" })
			c.LSet(ctx, key("state", how), 0, "\x00\x82\xa5notes\xa6canary")
		}
		if _, err := orch.Control().Signal(ctx, how, "go", []byte(payload)); err != nil {
			t.Fatal(err)
		}
	}
	for how, want := range ends {
		bounded, cancel := context.WithTimeout(ctx, 30*time.Second)
		info, err := orch.Control().Wait(bounded, how)
		cancel()
		if err != nil || info.Status != want {
			t.Errorf("run %s = %s, %v, want %s", how, info.Status, err, want)
		}
	}
	errs, err := orch.Control().Errors(ctx, "panic")
	if err != nil || len(errs) == 0 || !strings.Contains(errs[0].Message, "canary-panic") {
		t.Errorf("errors of the run that panicked = %+v, %v, want the text", errs, err)
	}

	// Connections are lost, then there is nobody, then another password.
	if err := server.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	server.Kill()
	waitFor(t, "the worker to complain", func() bool { return strings.Contains(told.String(), "store call failed") })
	if err := server.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := orch.Start(ctx, "canary-retried", flox.WithID("again")); err != nil {
		t.Fatal(err)
	}
	if info, err := orch.Control().Wait(ctx, "again"); err != nil || info.Status != flox.StatusFailed {
		t.Errorf("run again = %+v, %v", info, err)
	}
	waitFor(t, "serve to have read", func() bool { return strings.Contains(page(t, s.url+"/metrics"), "secretive") })
	waitFor(t, "serve to be ready", func() bool { return page(t, s.url+"/readyz") == "ready\n" })
	for _, url := range []string{"http://" + at, s.url} {
		for _, path := range []string{"/metrics", "/healthz", "/readyz", "/", "/canary-not-there"} {
			if text := page(t, url+path); path == "/metrics" && !strings.Contains(text, "secretive") {
				t.Errorf("%s%s does not name the workflow:\n%.500s", url, path, text)
			} else {
				fmt.Fprint(&told, text)
			}
		}
	}
	var wrong sync.WaitGroup
	for _, url := range []string{
		"redis://:canary-wrong@" + server.Addr(), "redis://canary-user:canary-wrong@" + server.Addr(), "rediss://:canary-wrong@" + server.Addr(),
		"redis://:canary-wrong@127.0.0.1:1", "redis://:canary%zz@" + server.Addr(), "redis://:canary@", "redis://:canary@h:x:y", "redis:canary@h",
		"redis+cluster://:canary-in-url@" + server.Addr(), "redis+sentinel://:canary-in-url@" + server.Addr() + "/main", "canary://:canary@h",
	} {
		wrong.Go(func() {
			err := worker.Run(ctx, []string{"--redis", url, "--wait-for-redis", "10ms", "--listen", "off"}, io.Discard, &told, wf)
			if err == nil {
				t.Errorf("worker on %s = nil, want an error", url)
			}
			fmt.Fprintln(&told, err)
			var out bytes.Buffer
			if code := Run(ctx, []string{"list", "--redis", url, "--timeout", "3s"}, strings.NewReader(""), &out, &out); code == 0 {
				t.Errorf("list on %s = 0, want an error", url)
			}
			_, _ = told.Write(out.Bytes())
		})
	}
	wrong.Wait()
	stop()
	if err := <-worked; err != nil {
		t.Error(err)
	}
	s.stop()
	<-s.code
	fmt.Fprint(&told, s.log.String())

	for _, want := range []string{"item failed", "redis at", "flox.run", "flox_"} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("%q was told nowhere: nothing is proven", want)
		}
	}
	for line := range strings.Lines(told.String()) {
		if strings.Contains(strings.ReplaceAll(line, "canary-not-there", ""), canary) {
			t.Errorf("told: %.600q", line)
		}
	}
}

func page(t *testing.T, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body)
	return string(text)
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long for %s", what)
		}
	}
}
