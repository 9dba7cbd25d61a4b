package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
	"github.com/floxrun/flox/pkg/worker"
)

// guest is the input of the tests' workflows.
type guest struct {
	Name   string    `json:"name"`
	Age    uint8     `json:"age,omitempty"`
	Miles  int64     `json:"miles,omitempty"`
	Stamps uint64    `json:"stamps,omitempty"`
	Born   time.Time `json:"born,omitzero"`
	Photo  []byte    `json:"photo,omitempty"`
	Tags   []string  `json:"tags,omitempty"`
	Stays  []stay    `json:"stays,omitempty"`
}

type stay struct {
	Nights int `json:"nights"`
}

type greeting struct {
	Text string `json:"text"`
}

type tally struct {
	Greeted flox.Sum `json:"greeted"`
}

// world is an embedded Redis, a worker on it, and what its nodes wait for.
type world struct {
	t       *testing.T
	redis   *miniredis.Miniredis
	entered chan struct{} // a node of workflow "gate" has begun
	open    chan struct{} // each value lets one go on
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, redis: miniredis.RunT(t), entered: make(chan struct{}, 8), open: make(chan struct{}, 8)}
	st, err := redisstore.Open(t.Context(), redisstore.Config{
		URL: "redis://" + w.redis.Addr(), Namespace: "default", Embedded: true, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	wk, err := flox.NewWorker(st, &flox.WorkerConfig{
		Name: "tester", Schema: worker.InputSchema, Logger: slog.New(slog.DiscardHandler),
	}, w.workflows()...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- wk.Run(ctx) }()
	t.Cleanup(func() {
		close(w.open)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("worker: %v", err)
		}
		st.Close()
	})
	w.until("the worker is ready", wk.Ready)
	return w
}

// workflows: greet completes, gate waits in its first node, fail and panic fail.
func (w *world) workflows() []flox.Definition {
	greet := func(ctx *flox.Context[tally], in guest) (flox.Transition[greeting], error) {
		ctx.Merge(tally{Greeted: 1})
		return flox.Next(greeting{"Hello, " + in.Name + "!"}), nil
	}
	return []flox.Definition{
		build(w.t, "greet", greet),
		build(w.t, "gate", func(ctx *flox.Context[tally], in guest) (flox.Transition[greeting], error) {
			w.entered <- struct{}{}
			select {
			case <-w.open:
				return greet(ctx, in)
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}),
		build(w.t, "fail", func(*flox.Context[tally], guest) (flox.Transition[greeting], error) {
			return nil, flox.Permanent(errors.New("out of\nflowers \x1b[31m"))
		}),
		build(w.t, "panic", func(*flox.Context[tally], guest) (flox.Transition[greeting], error) {
			panic("what a guest")
		}),
	}
}

// build makes a workflow of two nodes, the first of which is f.
func build(t *testing.T, name string, f func(*flox.Context[tally], guest) (flox.Transition[greeting], error)) flox.Definition {
	t.Helper()
	b := flox.New[tally](name).Retry(flox.RetryPolicy{MaxAttempts: 1})
	first := flox.AddFunc(b, "first", f)
	last := flox.Func(b, "last", func(_ context.Context, in greeting) (greeting, error) { return in, nil })
	first.To(last)
	wf, err := flox.Build(b, first, last)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}

// until waits for what no event tells.
func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited a minute in vain until %s", what)
		}
	}
}

// result is what one command line came to.
type result struct {
	code        int
	out, errOut string
}

func (w *world) run(args ...string) result { return w.runIn(strings.NewReader(""), args...) }

func (w *world) runIn(stdin io.Reader, args ...string) result {
	var out, errOut bytes.Buffer
	args = append([]string{"--redis", "redis://" + w.redis.Addr(), "--embedded"}, args...)
	code := Run(w.t.Context(), args, stdin, &out, &errOut)
	return result{code, out.String(), errOut.String()}
}

// ok runs a command that must succeed and say nothing but its result.
func (w *world) ok(args ...string) string {
	w.t.Helper()
	r := w.run(args...)
	if r.code != ExitOK || r.errOut != "" {
		w.t.Fatalf("%v: exit code %d, stderr %q, want 0 and nothing", args, r.code, r.errOut)
	}
	return r.out
}

// json runs a command that must succeed with -o json and decodes its result.
func (w *world) json(v any, args ...string) {
	w.t.Helper()
	out := w.ok(append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(out), v); err != nil {
		w.t.Fatalf("%v -o json: %v in %s", args, err, out)
	}
}

// start starts a run and waits for its end.
func (w *world) start(id, workflow string) result {
	return w.run("start", workflow, "--id", id, "--wait", "--input", `{"name":"Ada"}`)
}

// wantParts reports the parts that out lacks.
func wantParts(t *testing.T, what, out string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(out, p) {
			t.Errorf("%s: %q is missing in:\n%s", what, p, out)
		}
	}
}
