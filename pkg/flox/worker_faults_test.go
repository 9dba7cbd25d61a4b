package flox_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// awayStore is a store that goes away and comes back: while it is away, calls
// wait, as those of a client that repeats them do, and fail when their time is up.
type awayStore struct {
	flox.Store
	crashes atomic.Int64 // of items that were loaded, at most

	mu   sync.Mutex
	back chan struct{} // closed when it comes back; nil while it is there
}

func (s *awayStore) goAway() { s.mu.Lock(); defer s.mu.Unlock(); s.back = make(chan struct{}) }

func (s *awayStore) comeBack() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.back)
	s.back = nil
}

// reach waits until the store is there, for at most as long as the client repeats.
func (s *awayStore) reach(ctx context.Context) error {
	s.mu.Lock()
	back := s.back
	s.mu.Unlock()
	if back == nil {
		return nil
	}
	limit := time.NewTimer(15 * time.Second)
	defer limit.Stop()
	select {
	case <-back:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-limit.C:
		return errCut
	}
}

func (s *awayStore) Claim(ctx context.Context, req flox.ClaimRequest) ([]flox.Entry, error) {
	short, cancel := context.WithTimeout(ctx, req.Wait)
	defer cancel()
	if err := s.reach(short); err != nil {
		return nil, err
	}
	return s.Store.Claim(ctx, req)
}

func (s *awayStore) Load(ctx context.Context, e flox.Entry, owner string, limit int) (flox.Loaded, error) {
	if err := s.reach(ctx); err != nil {
		return flox.Loaded{}, err
	}
	loaded, err := s.Store.Load(ctx, e, owner, limit)
	s.crashes.Store(max(s.crashes.Load(), int64(loaded.Item.Crashes)))
	return loaded, err
}

func (s *awayStore) Renew(ctx context.Context, l flox.Lease) (flox.Health, error) {
	if err := s.reach(ctx); err != nil {
		return 0, err
	}
	return s.Store.Renew(ctx, l)
}

func (s *awayStore) Reclaim(ctx context.Context, req flox.ReclaimRequest) ([]flox.Entry, error) {
	if err := s.reach(ctx); err != nil {
		return nil, err
	}
	return s.Store.Reclaim(ctx, req)
}

func (s *awayStore) Handback(ctx context.Context, l flox.Lease, unknown bool) (flox.Verdict, error) {
	if err := s.reach(ctx); err != nil {
		return 0, err
	}
	return s.Store.Handback(ctx, l, unknown)
}

func (s *awayStore) Commit(ctx context.Context, c flox.Commit) (flox.CommitResult, error) {
	if err := s.reach(ctx); err != nil {
		return flox.CommitResult{}, err
	}
	return s.Store.Commit(ctx, c)
}

// TestOutagesAreNoCrashes lets the store be away for longer than a lease, more
// often than an item may crash: no worker has died, so nothing is charged.
func TestOutagesAreNoCrashes(t *testing.T) {
	for name, away := range map[string]time.Duration{
		"as long as a lease": 10500 * time.Millisecond, "a lease and a half": 15 * time.Second, "five leases": 50 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wf := single(t, func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
					select {
					case <-time.After(40 * time.Second):
						return flox.Next(in), nil
					case <-ctx.Done():
						return nil, ctx.Err()
					}
				}, nil)
				st := &awayStore{Store: flox.NewMemory()}
				s := stage{t, st}
				defer s.worker(flox.WorkerConfig{Name: "a"}, wf)()
				defer s.worker(flox.WorkerConfig{Name: "b"}, wf)()
				orch := orchestrate(t, st.Store, wf)
				id, err := orch.Start(t.Context(), 5)
				if err != nil {
					t.Fatal(err)
				}
				for range 4 {
					time.Sleep(20 * time.Second)
					st.goAway()
					time.Sleep(away)
					st.comeBack()
				}
				if res, err := orch.Wait(t.Context(), id); err != nil || res.Output != 5 {
					t.Errorf("Wait = %+v, %v, want 5", res, err)
				}
				if n := st.crashes.Load(); n != 0 {
					t.Errorf("the item was charged with %d crashes, want none", n)
				}
			})
		})
	}
}

// muteStore grants what is loaded and does not say so while it is mute, as Redis
// whose replicas are to confirm it and are away.
type muteStore struct {
	flox.Store
	mute    atomic.Bool
	crashes atomic.Int64 // of items that were loaded, at most
}

func (s *muteStore) Load(ctx context.Context, e flox.Entry, owner string, limit int) (flox.Loaded, error) {
	loaded, err := s.Store.Load(ctx, e, owner, limit)
	s.crashes.Store(max(s.crashes.Load(), int64(loaded.Item.Crashes)))
	if s.mute.Load() {
		<-ctx.Done()
		return flox.Loaded{}, ctx.Err()
	}
	return loaded, err
}

// TestMuteStoreMakesNoCrashes does not tell workers for a hundred leases what they
// were granted. They keep it, and give it back when they are to stop: what did not
// begin has not crashed.
func TestMuteStoreMakesNoCrashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var began atomic.Int64
		wf := single(t, func(_ *flox.Context[trail], in int) (flox.Transition[int], error) {
			began.Add(1)
			return flox.Next(in), nil
		}, nil)
		st := &muteStore{Store: flox.NewMemory()}
		st.mute.Store(true)
		s := stage{t, st}
		cfg := flox.WorkerConfig{Name: "a", Lease: time.Second, DrainGrace: time.Second}
		orch := orchestrate(t, st.Store, wf)
		id, err := orch.Start(t.Context(), 5)
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			stop := s.worker(cfg, wf)
			time.Sleep(25 * time.Second)
			stop()
		}
		cfg.Name = "b"
		defer s.worker(cfg, wf)()
		time.Sleep(100 * time.Millisecond)
		if n := began.Load(); n != 0 {
			t.Errorf("the node ran %d times while nothing was granted", n)
		}
		st.mute.Store(false)
		if res, err := orch.Wait(t.Context(), id); err != nil || res.Output != 5 {
			t.Errorf("Wait = %+v, %v, want 5", res, err)
		}
		if n := st.crashes.Load(); n != 0 || began.Load() != 1 {
			t.Errorf("the item was charged with %d crashes and ran %d times, want none and 1", n, began.Load())
		}
	})
}

// TestWorkerTakesNoMoreThanItsSlots leaves work that a worker has no slot for
// to others.
func TestWorkerTakesNoMoreThanItsSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const slots, runs = 4, 40
		wf := single(t, func(_ *flox.Context[trail], in int) (flox.Transition[int], error) {
			time.Sleep(time.Minute)
			return flox.Next(in), nil
		}, nil)
		st := flox.NewMemory()
		orch := orchestrate(t, st, wf)
		var ids []string
		for i := range runs {
			id, err := orch.Start(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		defer stage{t, st}.worker(flox.WorkerConfig{Concurrency: slots}, wf)()
		for range runs / slots {
			time.Sleep(30 * time.Second)
			queues, err := st.Queues(t.Context(), []string{"single"})
			if err != nil || queues[0].Leased != slots {
				t.Errorf("Queues = %+v, %v, want %d leased", queues, err, slots)
			}
			time.Sleep(30 * time.Second)
		}
		for _, id := range ids {
			if _, err := orch.Wait(t.Context(), id); err != nil {
				t.Errorf("Wait = %v", err)
			}
		}
	})
}

// spoiltStore is a store in which a key of every run has a wrong type.
type spoiltStore struct {
	flox.Store
	refuses func(flox.Commit) bool
	calls   int
}

func (s *spoiltStore) Commit(ctx context.Context, c flox.Commit) (flox.CommitResult, error) {
	s.calls++
	if s.calls > 100 {
		return flox.CommitResult{Verdict: flox.VerdictGone}, nil
	}
	if s.refuses(c) {
		return flox.CommitResult{Verdict: flox.VerdictInvalid}, nil
	}
	return s.Store.Commit(ctx, c)
}

// TestSpoiltRunFails ends a run of which a key has a wrong type, whatever key
// that is, also if its node has a fallback.
func TestSpoiltRunFails(t *testing.T) {
	for name, refuses := range map[string]func(flox.Commit) bool{
		"state":   func(c flox.Commit) bool { return c.Delta != nil },
		"history": func(c flox.Commit) bool { return c.Record != nil },
		"errors":  func(c flox.Commit) bool { return c.Err != nil },
		"all":     func(c flox.Commit) bool { return c.Delta != nil || c.Record != nil || c.Err != nil },
	} {
		for _, fails := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					b := flox.New[trail]("spoilt")
					first := flox.AddFunc(b, "first", func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
						ctx.Merge(step("first"))
						if fails {
							return nil, errors.New("boom")
						}
						return flox.Next(in), nil
					})
					rescue := flox.AddFunc(b, "rescue", func(_ *flox.Context[trail], in flox.Failure[int]) (flox.Transition[int], error) {
						return flox.Next(in.Input), nil
					})
					first.OnFailure(rescue)
					wf := build(t, b, first, first, rescue)
					st := &spoiltStore{Store: flox.NewMemory(), refuses: refuses}
					defer stage{t, st}.worker(flox.WorkerConfig{}, wf)()
					orch := orchestrate(t, st, wf)
					id, err := orch.Start(t.Context(), 1)
					if err != nil {
						t.Fatal(err)
					}
					time.Sleep(10 * time.Minute)
					info, err := orch.Control().Show(t.Context(), id)
					if err != nil || !info.Status.Terminal() || st.calls > 20 {
						t.Errorf("run is %s after %d commits, %v, want it to have ended", info.Status, st.calls, err)
					}
				})
			})
		}
	}
}

// TestStateAfterTimeout reads the state when the node's time is up: that is the
// node's failure, not the store's.
func TestStateAfterTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var started atomic.Int64
		wf := single(t, func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
			started.Add(1)
			time.Sleep(2 * time.Second)
			return flox.Next(len(ctx.State().Steps)), nil
		}, func(r flox.Ref[int, int]) {
			r.Timeout(time.Second).Retry(flox.RetryPolicy{MaxAttempts: 3})
		})
		st := flox.NewMemory()
		defer stage{t, st}.worker(flox.WorkerConfig{}, wf)()
		orch := orchestrate(t, st, wf)
		id, err := orch.Start(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		info, err := orch.Control().Show(t.Context(), id)
		if err != nil || info.Status != flox.StatusFailed || !strings.Contains(info.Cause, "timed out") || started.Load() != 3 {
			t.Errorf("run is %s (%s) after %d attempts, %v, want it failed after 3", info.Status, info.Cause, started.Load(), err)
		}
	})
}

// TestDrainWhileTheStoreIsAway stops a worker that cannot tell anybody: it ends
// in time all the same, with everything it started.
func TestDrainWhileTheStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wf := single(t, func(ctx *flox.Context[trail], in int) (flox.Transition[int], error) {
			select {
			case <-time.After(5 * time.Second):
				return flox.Next(in), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}, nil)
		st := &awayStore{Store: flox.NewMemory()}
		stop := stage{t, st}.worker(flox.WorkerConfig{Concurrency: 2}, wf)
		orch := orchestrate(t, st.Store, wf)
		var ids []string
		for i := range 5 {
			id, err := orch.Start(t.Context(), i)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		time.Sleep(time.Second)
		st.goAway()
		time.Sleep(7 * time.Second)
		begun := time.Now()
		stop()
		if took := time.Since(begun); took > 8*time.Second {
			t.Errorf("drained in %v while the store was away, want at most the grace of 8s", took)
		}
		synctest.Wait()
		st.comeBack()
		defer stage{t, st}.worker(flox.WorkerConfig{}, wf)()
		for i, id := range ids {
			if res, err := orch.Wait(t.Context(), id); err != nil || res.Output != i {
				t.Errorf("Wait = %+v, %v, want %d", res, err, i)
			}
		}
	})
}
