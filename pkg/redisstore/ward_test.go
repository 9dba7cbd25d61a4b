package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// wardLease is the lease of the ward's workers.
const wardLease = 500 * time.Millisecond

// goAhead is what runs of workflow "ask" wait for.
var goAhead = flox.NewSignal[bool]("go-ahead")

type wardState struct {
	Sum flox.Sum `json:"sum"`
}

// ward is a namespace on a real server with runs at all stages, to be damaged by
// hand and examined.
type ward struct {
	t       *testing.T
	store   *redisstore.Store
	client  redis.UniversalClient
	backend *backend
	control *flox.Control
	url     string
	parts   int
	healthy *atomic.Bool // until then runs of workflow "fail" fail
}

func newWard(t *testing.T, server *testredis.Server, partitions int) *ward {
	t.Helper()
	c := server.Client()
	t.Cleanup(func() { _ = c.Close() })
	return wardOn(t, server.URL(), c, []redis.UniversalClient{c}, partitions)
}

func wardOn(t *testing.T, url string, c redis.UniversalClient, servers []redis.UniversalClient, partitions int) *ward {
	t.Helper()
	s := open(t, redisstore.Config{URL: url, Partitions: partitions, Logger: slog.New(slog.DiscardHandler)})
	return &ward{
		t: t, store: s, client: c, url: url, parts: partitions, healthy: new(atomic.Bool),
		backend: &backend{client: c, servers: servers, store: s, n: partitions}, control: flox.NewControl(s),
	}
}

func (w *ward) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// key names a key of a run, or, without one, of a partition.
func (w *ward) key(kind, run string) string {
	if run == "" {
		return fmt.Sprintf("flox:{%s:0}:%s", w.store.Namespace(), kind)
	}
	return fmt.Sprintf("flox:{%s:%d}:%s:%s", w.store.Namespace(), flox.Partition(run, w.parts), kind, run)
}

func (w *ward) home(kind string) string {
	return fmt.Sprintf("flox:{%s}:%s", w.store.Namespace(), kind)
}

// do sends a command that must succeed.
func (w *ward) do(args ...any) any {
	w.t.Helper()
	reply, err := w.client.Do(context.Background(), args...).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		w.t.Fatalf("%v = %v", args, err)
	}
	return reply
}

func (w *ward) workflows() []flox.Definition {
	sum := flox.New[wardState]("sum")
	split := flox.Split(sum, "split", func(n int) []int { return slices.Repeat([]int{n}, 3) })
	each := flox.AddFunc(sum, "each", func(ctx *flox.Context[wardState], n int) (flox.Transition[int], error) {
		ctx.Merge(wardState{Sum: flox.Sum(n)})
		return flox.Next(n), nil
	})
	add := flox.Func(sum, "add", func(_ context.Context, in []int) (int, error) { return len(in) * in[0], nil })
	split.To(each)
	each.Join(add)

	ask := flox.New[wardState]("ask")
	asks := flox.AddFunc(ask, "asks", func(ctx *flox.Context[wardState], n int) (flox.Awaiting[int, bool], error) {
		ctx.Merge(wardState{Sum: 1})
		return flox.Await(goAhead, n, time.Hour), nil
	}).Awaits(goAhead)
	told := flox.Func(ask, "told", func(_ context.Context, a flox.Answer[int, bool]) (int, error) { return a.Carry, nil })
	asks.To(told)

	fail := flox.New[wardState]("fail").Retry(flox.RetryPolicy{MaxAttempts: 1})
	first := flox.AddFunc(fail, "first", func(ctx *flox.Context[wardState], n int) (flox.Transition[int], error) {
		ctx.Merge(wardState{Sum: 1})
		return flox.Next(n), nil
	})
	fails := flox.Func(fail, "fails", func(_ context.Context, n int) (int, error) {
		if !w.healthy.Load() {
			return 0, errors.New("not yet")
		}
		return n, nil
	})
	first.To(fails)
	return []flox.Definition{built(w, sum, split, add), built(w, ask, asks, told), built(w, fail, first, fails)}
}

func built[I, O, X, Y any](w *ward, b *flox.Builder[wardState], start flox.Ref[I, O], end flox.Ref[X, Y]) flox.Definition {
	w.t.Helper()
	wf, err := flox.Build(b, start, end)
	w.must(err)
	return wf
}

// worker runs a worker until stop is called.
func (w *ward) worker() (stop func()) {
	w.t.Helper()
	wk, err := flox.NewWorker(w.store, &flox.WorkerConfig{
		Name: "ward", Lease: wardLease, Concurrency: 16, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}, w.workflows()...)
	w.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- wk.Run(ctx) }()
	stop = func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("worker: %v", err)
		}
	}
	w.until("the worker is ready", wk.Ready)
	return stop
}

func (w *ward) until(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("not in time: %s\n%s", what, w.dumpText())
		}
	}
}

func (w *ward) dumpText() string {
	dump := w.dump()
	var lines []string
	for _, key := range slices.Sorted(maps.Keys(dump)) {
		lines = append(lines, key+" = "+dump[key])
	}
	return strings.Join(lines, "\n")
}

// dump is all that the namespace keeps.
func (w *ward) dump() map[string]string {
	dump := w.backend.dump(w.t)
	for _, key := range []string{"config", "workflows"} {
		dump[key] = fmt.Sprint(w.client.HGetAll(context.Background(), w.home(key)).Val())
	}
	dump["workers"] = fmt.Sprint(w.client.ZRangeWithScores(context.Background(), w.home("workers"), 0, -1).Val())
	return dump
}

func (w *ward) start(workflow, id string, input int, opts ...flox.StartOption) {
	w.t.Helper()
	_, err := w.control.Start(w.t.Context(), workflow, fmt.Append(nil, input), append(opts, flox.WithID(id))...)
	w.must(err)
}

func (w *ward) status(run string) flox.Status {
	w.t.Helper()
	info, err := w.store.Info(w.t.Context(), run)
	w.must(err)
	return info.Status
}

func (w *ward) settled(run string, status flox.Status) {
	w.t.Helper()
	w.until(fmt.Sprintf("run %s is %s", run, status), func() bool { return w.status(run) == status })
}
