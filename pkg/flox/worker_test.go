package flox_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

type trail struct {
	Steps flox.List[string] `json:"steps"`
	Total flox.Sum          `json:"total"`
}

func step(name string) trail { return trail{Steps: flox.List[string]{name}, Total: 1} }

// bench is a store in memory with workers on it, in virtual time.
type stage struct {
	t  *testing.T
	st flox.Store
}

// worker starts a worker and returns what ends it and waits for it.
func (s stage) worker(cfg flox.WorkerConfig, defs ...flox.Definition) (stop func()) {
	s.t.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	w, err := flox.NewWorker(s.st, &cfg, defs...)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Errorf("Run = %v, want nil", err)
		}
	}
}

func orchestrate[S, I, O any](t *testing.T, st flox.Store, wf *flox.Workflow[S, I, O]) *flox.Orchestrator[S, I, O] {
	t.Helper()
	orch, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		t.Fatal(err)
	}
	return orch
}

func build[S, I, O any](t *testing.T, b *flox.Builder[S], start flox.In[I], ends ...flox.Out[O]) *flox.Workflow[S, I, O] {
	t.Helper()
	wf, err := flox.Build(b, start, ends...)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}

func TestChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := flox.New[trail]("chain")
		inc := func(name string) flox.Ref[int, int] {
			return flox.AddFunc(b, name, func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
				ctx.Merge(step(name))
				return flox.Next(in + 1), nil
			})
		}
		first, second, third := inc("first"), inc("second"), inc("third").Queue("slow")
		first.To(second)
		second.To(third)
		res, err := flox.Run(t.Context(), build(t, b, first, third), 1)
		if err != nil || res.Output != 4 || res.Steps != 3 {
			t.Fatalf("Run = %+v, %v, want output 4 after 3 steps", res, err)
		}
		if want := []string{"first", "second", "third"}; !slices.Equal(res.State.Steps, want) {
			t.Errorf("state %v, want %v", res.State.Steps, want)
		}
	})
}

// fanWorkflow squares 0..n-1 in parallel and sums up.
func fanWorkflow(t *testing.T) *flox.Workflow[trail, int, int] {
	b := flox.New[trail]("fan")
	split := flox.Split(b, "split", func(n int) []int {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return all
	})
	square := flox.AddFunc(b, "square", func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
		ctx.Merge(trail{Total: 1})
		return flox.Next(in * in), nil
	})
	sum := flox.AddFunc(b, "sum", func(ctx *flox.Context[trail], in []int) (flox.Transition[int], error) {
		total := 0
		for i, v := range in {
			if v != i*i {
				return flox.Abort[int](fmt.Errorf("place %d holds %d", i, v)), nil
			}
			total += v
		}
		return flox.Next(total), nil
	})
	split.To(square)
	square.Join(sum)
	return build(t, b, split, sum)
}

func TestFanOutAndJoin(t *testing.T) {
	for _, n := range []int{0, 1, 2, 256, 257, 700} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				res, err := flox.Run(t.Context(), fanWorkflow(t), n)
				want := (n - 1) * n * (2*n - 1) / 6
				if err != nil || res.Output != want || res.State.Total != flox.Sum(n) {
					t.Fatalf("Run(%d) = %d with %d deltas, %v, want %d with %d", n, res.Output, res.State.Total, err, want, n)
				}
			})
		})
	}
}

// single builds a workflow of one node.
func single(t *testing.T, f func(*flox.Context[trail], int) (flox.Transition[int], error), set func(flox.Ref[int, int])) *flox.Workflow[trail, int, int] {
	b := flox.New[trail]("single")
	n := flox.AddFunc(b, "node", f)
	if set != nil {
		set(n)
	}
	return build(t, b, n, n)
}

func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wf := single(t, func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
			ctx.Merge(step(fmt.Sprint(ctx.Attempt())))
			if ctx.Attempt() < 4 {
				return nil, flox.RetryAfter(time.Hour, errors.New("busy"))
			}
			return flox.Next(ctx.Attempt()), nil
		}, nil)
		start := time.Now()
		res, err := flox.Run(t.Context(), wf, 0)
		if err != nil || res.Output != 4 || !slices.Equal(res.State.Steps, []string{"4"}) {
			t.Fatalf("Run = %+v, %v, want output 4 and the last attempt's delta alone", res, err)
		}
		if took := time.Since(start); took < 3*time.Hour || took > 3*time.Hour+3*time.Second {
			t.Errorf("took %v, want three waits of an hour", took)
		}
	})
}

func TestFailures(t *testing.T) {
	type process = func(*flox.Context[trail], int) (flox.Transition[int], error)
	for name, c := range map[string]struct {
		run      process
		attempts int
		class    string
		message  string
	}{
		"error": {func(*flox.Context[trail], int) (flox.Transition[int], error) {
			return nil, errors.New("no luck")
		}, 3, flox.ClassError, "no luck"},
		"permanent": {func(*flox.Context[trail], int) (flox.Transition[int], error) {
			return nil, flox.Permanent(errors.New("never"))
		}, 1, flox.ClassPermanent, "never"},
		"abort": {func(*flox.Context[trail], int) (flox.Transition[int], error) {
			return flox.Abort[int](errors.New("decided")), nil
		}, 1, flox.ClassAbort, "decided"},
		"panic": {func(*flox.Context[trail], int) (flox.Transition[int], error) {
			panic("oh no")
		}, 3, flox.ClassPanic, "oh no"},
		"nothing": {func(*flox.Context[trail], int) (flox.Transition[int], error) {
			return nil, nil
		}, 1, flox.ClassPermanent, "neither a transition nor an error"},
		"timeout": {func(ctx *flox.Context[trail], _ int) (flox.Transition[int], error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, 3, flox.ClassTimeout, "timed out"},
		"deaf": {func(ctx *flox.Context[trail], _ int) (flox.Transition[int], error) {
			time.Sleep(time.Hour)
			return flox.Next(1), nil
		}, 3, flox.ClassTimeout, "ignored its context"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wf := single(t, c.run, func(r flox.Ref[int, int]) {
					r.Retry(flox.RetryPolicy{MaxAttempts: 3}).Timeout(time.Minute)
				})
				s := stage{t, flox.NewMemory()}
				defer s.worker(flox.WorkerConfig{}, wf)()
				orch := orchestrate(t, s.st, wf)
				id, err := orch.Start(t.Context(), 1)
				if err != nil {
					t.Fatal(err)
				}
				_, err = orch.Wait(t.Context(), id)
				failed, ok := errors.AsType[*flox.RunError](err)
				if !ok || failed.Status != flox.StatusFailed || !strings.Contains(failed.Cause, c.message) {
					t.Fatalf("Wait = %v, want a failed run with %q in its cause", err, c.message)
				}
				records, err := s.st.Errors(t.Context(), id)
				if err != nil || len(records) != c.attempts {
					t.Fatalf("%d errors recorded (%v), want %d", len(records), err, c.attempts)
				}
				last := records[len(records)-1]
				if !last.Final || (c.class != "" && last.Class != c.class) || last.Attempt != c.attempts {
					t.Errorf("last error %+v, want class %s, final, attempt %d", last, c.class, c.attempts)
				}
				if c.class == flox.ClassPanic && !strings.Contains(last.Stack, "worker_test.go") {
					t.Errorf("stack %q does not name the node's file", last.Stack)
				}
				time.Sleep(2 * time.Hour) // let the deaf node's goroutines end
			})
		})
	}
}

func TestFallback(t *testing.T) {
	for name, c := range map[string]struct {
		fail  func() (flox.Transition[int], error)
		steps []string
	}{
		"error drops the delta":   {func() (flox.Transition[int], error) { return nil, flox.Permanent(errors.New("x")) }, []string{"rescue"}},
		"abort commits the delta": {func() (flox.Transition[int], error) { return flox.Abort[int](errors.New("x")), nil }, []string{"risky", "rescue"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := flox.New[trail]("rescued")
				risky := flox.AddFunc(b, "risky", func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
					ctx.Merge(step("risky"))
					return c.fail()
				})
				rescue := flox.AddFunc(b, "rescue", func(ctx *flox.Context[trail], in flox.Failure[int]) (flox.Transition[int], error) {
					ctx.Merge(step("rescue"))
					if in.Input != 7 || in.Node != "risky" || in.Attempt != 1 || in.Err.Message != "x" {
						return nil, flox.Permanent(fmt.Errorf("got %+v", in))
					}
					return flox.Next(-in.Input), nil
				})
				risky.OnFailure(rescue)
				res, err := flox.Run(t.Context(), build(t, b, risky, risky, rescue), 7)
				if err != nil || res.Output != -7 || !slices.Equal(res.State.Steps, c.steps) {
					t.Fatalf("Run = %+v, %v, want -7 and steps %v", res, err, c.steps)
				}
			})
		})
	}
}

func TestStepLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := flox.New[trail]("loop").MaxSteps(10)
		n := flox.AddFunc(b, "again", func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
			ctx.Merge(step("again"))
			return flox.Next(in + 1), nil
		})
		end := flox.End[int](b, "end")
		n.Route(flox.When(func(i int) bool { return i > 1000 }, end), flox.Otherwise(n))
		res, err := flox.Run(t.Context(), build(t, b, n, end), 0)
		if !errors.Is(err, flox.ErrStepLimit) || res.Steps != 10 {
			t.Fatalf("Run = %+v, %v, want %v after 10 steps", res, err, flox.ErrStepLimit)
		}
	})
}

// TestCrashedWorkers starts an item that takes its worker with it, every time.
func TestCrashedWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var started atomic.Int64
		wf := single(t, func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
			started.Add(1)
			time.Sleep(24 * time.Hour) // its worker's store is cut off meanwhile: as good as dead
			return nil, errors.New("unheard")
		}, nil)
		st := flox.NewMemory()
		orch := orchestrate(t, st, wf)
		var stops []func()
		for range 3 {
			cut := &cutStore{Store: st}
			stops = append(stops, stage{t, cut}.worker(flox.WorkerConfig{}, wf))
			id := flox.WithID("poison")
			if _, err := orch.Start(t.Context(), 1, id, flox.IfExists()); err != nil {
				t.Fatal(err)
			}
			time.Sleep(30 * time.Second)
			cut.dead.Store(true)
		}
		stops = append(stops, stage{t, st}.worker(flox.WorkerConfig{}, wf))
		_, err := orch.Wait(t.Context(), "poison")
		if err == nil || !strings.Contains(err.Error(), "crashed its worker 3 times") {
			t.Errorf("Wait = %v, want a run failed by a crashing item", err)
		}
		if n := started.Load(); n != 3 {
			t.Errorf("started %d times, want 3", n)
		}
		for _, stop := range stops {
			stop()
		}
		time.Sleep(48 * time.Hour)
	})
}

// cutStore is a store that a worker cannot reach any more.
type cutStore struct {
	flox.Store
	dead atomic.Bool
}

var errCut = errors.New("connection lost")

func (c *cutStore) Claim(ctx context.Context, req flox.ClaimRequest) ([]flox.Entry, error) {
	if c.dead.Load() {
		return nil, errCut
	}
	return c.Store.Claim(ctx, req)
}

func (c *cutStore) Renew(ctx context.Context, l flox.Lease) (flox.Health, error) {
	if c.dead.Load() {
		return 0, errCut
	}
	return c.Store.Renew(ctx, l)
}

func (c *cutStore) Reclaim(ctx context.Context, req flox.ReclaimRequest) ([]flox.Entry, error) {
	if c.dead.Load() {
		return nil, errCut
	}
	return c.Store.Reclaim(ctx, req)
}

func (c *cutStore) Commit(ctx context.Context, commit flox.Commit) (flox.CommitResult, error) {
	if c.dead.Load() {
		return flox.CommitResult{}, errCut
	}
	return c.Store.Commit(ctx, commit)
}

func (c *cutStore) Handback(ctx context.Context, l flox.Lease, unknown bool) (flox.Verdict, error) {
	if c.dead.Load() {
		return 0, errCut
	}
	return c.Store.Handback(ctx, l, unknown)
}

func TestPauseResumeCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := flox.New[trail]("slow")
		var cancelled atomic.Bool
		wait := func(name string) flox.Ref[int, int] {
			return flox.AddFunc(b, name, func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
				select {
				case <-time.After(time.Minute):
					return flox.Next(in), nil
				case <-ctx.Done():
					cancelled.Store(errors.Is(context.Cause(ctx), flox.ErrCancelled))
					return nil, ctx.Err()
				}
			})
		}
		first, second := wait("first"), wait("second")
		first.To(second)
		wf := build(t, b, first, second)
		s := stage{t, flox.NewMemory()}
		defer s.worker(flox.WorkerConfig{}, wf)()
		orch := orchestrate(t, s.st, wf)
		id, err := orch.Start(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		control := orch.Control()
		if err := control.Pause(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		info, _ := control.Show(t.Context(), id)
		if info.Status != flox.StatusPaused || info.Counts.Committed != 1 || info.Counts.Parked != 1 {
			t.Fatalf("paused run %+v, want the first step committed and the token parked", info)
		}
		if err := control.Pause(t.Context(), id); !errors.Is(err, flox.ErrRefused) {
			t.Errorf("second Pause = %v, want it refused", err)
		}
		if err := control.Resume(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		if err := control.Cancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !cancelled.Load() {
			t.Error("the running node's context was not cancelled")
		}
		_, err = orch.Wait(t.Context(), id)
		if !errors.Is(err, flox.ErrCancelled) {
			t.Errorf("Wait = %v, want %v", err, flox.ErrCancelled)
		}
	})
}

// TestDrain ends a worker in the middle of a step that is too long for the
// grace period: another worker does it again, and it counts as no failure.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts []int
		wf := single(t, func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
			attempts = append(attempts, ctx.Attempt())
			if len(attempts) == 1 {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return flox.Next(in), nil
		}, nil)
		s := stage{t, flox.NewMemory()}
		stop := s.worker(flox.WorkerConfig{}, wf)
		orch := orchestrate(t, s.st, wf)
		id, err := orch.Start(t.Context(), 5)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		start := time.Now()
		stop()
		if took := time.Since(start); took > 8*time.Second {
			t.Errorf("drained in %v, want at most the grace of 8s", took)
		}
		defer s.worker(flox.WorkerConfig{}, wf)()
		res, err := orch.Wait(t.Context(), id)
		if err != nil || res.Output != 5 || !slices.Equal(attempts, []int{1, 1}) {
			t.Errorf("Wait = %+v, %v after attempts %v, want 5 after two first attempts", res, err, attempts)
		}
	})
}

// TestUnknownNode gives a run to a worker of an older version first.
func TestUnknownNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		version := func(name string) *flox.Workflow[flox.NoState, int, int] {
			b := flox.New[flox.NoState]("versions")
			n := flox.Func(b, name, func(_ context.Context, in int) (int, error) { return in + 1, nil })
			return build(t, b, n, n)
		}
		older, newer := version("old"), version("new")
		s := stage{t, flox.NewMemory()}
		defer s.worker(flox.WorkerConfig{}, older)()
		orch := orchestrate(t, s.st, newer)
		id, err := orch.Start(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if info, _ := orch.Control().Show(t.Context(), id); info.Status.Terminal() {
			t.Fatalf("run is %s, want it to wait for a newer worker", info.Status)
		}
		defer s.worker(flox.WorkerConfig{}, newer)()
		if res, err := orch.Wait(t.Context(), id); err != nil || res.Output != 2 {
			t.Errorf("Wait = %+v, %v, want 2", res, err)
		}
	})
}

// A node is moved to another queue while a token waits at it: the new version
// serves the old queue, too.
func TestNodeMovedToAnotherQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		version := func(queue string) *flox.Workflow[flox.NoState, int, int] {
			b := flox.New[flox.NoState]("moved")
			a := flox.AddFunc(b, "a", func(_ *flox.Context[flox.NoState], in int) (flox.Transition[int], error) {
				return flox.NextAfter(time.Hour, in), nil
			})
			z := flox.Func(b, "z", func(_ context.Context, in int) (int, error) { return in + 1, nil }).Queue(queue)
			a.To(z)
			return build(t, b, a, z)
		}
		s := stage{t, flox.NewMemory()}
		stop := s.worker(flox.WorkerConfig{}, version("slow"))
		newer := version("fast")
		orch := orchestrate(t, s.st, newer)
		id, err := orch.Start(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stop()
		defer s.worker(flox.WorkerConfig{}, newer)()
		if res, err := orch.Wait(t.Context(), id); err != nil || res.Output != 2 {
			t.Errorf("Wait = %+v, %v, want 2", res, err)
		}
	})
}

func TestStartRefusesLargeInput(t *testing.T) {
	b := flox.New[flox.NoState]("large")
	n := flox.Func(b, "n", func(_ context.Context, in string) (string, error) { return in, nil })
	st := flox.NewMemory()
	orch := orchestrate(t, st, build(t, b, n, n))
	_, err := orch.Start(t.Context(), strings.Repeat("x", flox.DefaultMaxPayload))
	if err == nil || !strings.Contains(err.Error(), "exceeds the payload limit of 1048576") {
		t.Errorf("Start = %v, want the payload limit", err)
	}
	if page, err := st.List(t.Context(), flox.ListRequest{Limit: 1}); err != nil || len(page.Runs) != 0 {
		t.Errorf("List = %v, %v, want nothing written", page, err)
	}
}

func TestStartOfATakenID(t *testing.T) {
	named := func(name string) *flox.Workflow[flox.NoState, int, int] {
		b := flox.New[flox.NoState](name)
		n := flox.Func(b, "n", func(_ context.Context, in int) (int, error) { return in, nil })
		return build(t, b, n, n)
	}
	st := flox.NewMemory()
	orch, other := orchestrate(t, st, named("mine")), orchestrate(t, st, named("theirs"))
	for _, c := range []struct {
		orch  *flox.Orchestrator[flox.NoState, int, int]
		opts  []flox.StartOption
		wants bool
	}{
		{orch, nil, false},
		{orch, nil, true},
		{orch, []flox.StartOption{flox.IfExists()}, false},
		{other, []flox.StartOption{flox.IfExists()}, true},
	} {
		id, err := c.orch.Start(t.Context(), 1, append(c.opts, flox.WithID("id"))...)
		if errors.Is(err, flox.ErrRunExists) != c.wants || (err == nil) != (id == "id") {
			t.Errorf("Start = %q, %v, want ErrRunExists: %t", id, err, c.wants)
		}
	}
}
