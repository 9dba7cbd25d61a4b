package flox_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// sourceStage is a store with a worker, whose runs take as many seconds as their
// input says; a negative input fails.
type sourceStage struct {
	st         flox.Store
	orch       *flox.Orchestrator[trail, int, int]
	busy, most atomic.Int64
	begun      atomic.Int64
	stop       func()
}

func sourced(_ tctx, in int) (tnext, error) { return flox.Next(in), nil }

func newSourceStage(t *testing.T) *sourceStage {
	s := &sourceStage{st: flox.NewMemory()}
	wf := single(t, func(_ tctx, in int) (tnext, error) {
		s.begun.Add(1)
		s.most.Store(max(s.most.Load(), s.busy.Add(1)))
		defer s.busy.Add(-1)
		if in < 0 {
			return nil, flox.Permanent(errors.New("negative"))
		}
		time.Sleep(time.Duration(in) * time.Second)
		return flox.Next(in), nil
	}, nil)
	s.stop = stage{t, s.st}.worker(flox.WorkerConfig{}, wf)
	s.orch = orchestrate(t, s.st, wf)
	synctest.Wait() // until it has registered
	return s
}

func (s *sourceStage) ids(t *testing.T) []string {
	t.Helper()
	page, err := s.orch.Control().List(t.Context(), flox.ListRequest{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range page.Runs {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return ids
}

func TestSourceIsBackPressured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSourceStage(t)
		defer s.stop()
		asked := 0
		values := func(yield func(string, int) bool) {
			for i := range 10 {
				asked++
				if ended := int(s.begun.Load() - s.busy.Load()); asked-ended > 3 {
					t.Errorf("value %d was asked for when %d runs had ended, want at most 3 out", asked, ended)
				}
				if !yield(fmt.Sprint("id", i), 60*(i%2)) {
					return
				}
			}
		}
		if err := s.orch.Source(t.Context(), values, 3); err != nil {
			t.Fatalf("Source = %v, want nil", err)
		}
		if s.most.Load() != 3 || s.busy.Load() != 0 || s.begun.Load() != 10 {
			t.Errorf("at most %d at a time, %d still busy, %d begun, want 3, 0, 10", s.most.Load(), s.busy.Load(), s.begun.Load())
		}
		if ids := s.ids(t); len(ids) != 10 || ids[0] != "id0" {
			t.Errorf("runs %v, want id0 to id9", ids)
		}
	})
}

func TestSourceGoesOnAfterFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSourceStage(t)
		defer s.stop()
		if err := s.orch.Source(t.Context(), flox.Seq(slices.Values([]int{-1, 1, -1})), 1); err != nil {
			t.Errorf("Source = %v, want nil", err)
		}
		if ids := s.ids(t); len(ids) != 3 || s.begun.Load() != 3 {
			t.Errorf("runs %v, %d begun, want 3 with ids of their own", ids, s.begun.Load())
		}
	})
}

func TestSourceCountsTakenIDsUntilTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSourceStage(t)
		defer s.stop()
		if _, err := s.orch.Start(t.Context(), 100, flox.WithID("taken")); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		err := s.orch.Source(t.Context(), pairs("taken", 7, "next", 1), 1)
		if took := time.Since(start); err != nil || took != 101*time.Second {
			t.Errorf("Source = %v after %v, want nil after 1m41s", err, took)
		}
		if s.begun.Load() != 2 {
			t.Errorf("%d runs were executed, want 2", s.begun.Load())
		}
		// Once more: all have ended, nothing is done.
		if err := s.orch.Source(t.Context(), pairs("taken", 7, "next", 1), 1); err != nil || s.begun.Load() != 2 {
			t.Errorf("Source again = %v with %d runs executed, want nil and 2", err, s.begun.Load())
		}
	})
}

func pairs(idsAndInputs ...any) iter.Seq2[string, int] {
	return func(yield func(string, int) bool) {
		for i := 0; i < len(idsAndInputs); i += 2 {
			if !yield(idsAndInputs[i].(string), idsAndInputs[i+1].(int)) {
				return
			}
		}
	}
}

func TestSourceCancelledRunIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSourceStage(t)
		defer s.stop()
		go func() {
			time.Sleep(10 * time.Second)
			if err := s.orch.Control().Cancel(t.Context(), "long"); err != nil {
				t.Error(err)
			}
		}()
		start := time.Now()
		err := s.orch.Source(t.Context(), pairs("long", 3600, "short", 1), 1)
		if took := time.Since(start); err != nil || took != 11*time.Second {
			t.Errorf("Source = %v after %v, want nil after 11s", err, took)
		}
		time.Sleep(time.Hour) // the cancelled node sleeps on
	})
}

// infoStore answers every question about a run with err.
type infoStore struct {
	flox.Store
	err error
}

func (s infoStore) Info(context.Context, string) (flox.RunInfo, error) { return flox.RunInfo{}, s.err }

func TestSourceCannotWait(t *testing.T) {
	down := errors.New("store is down")
	for _, c := range []struct{ answer, want error }{
		{flox.ErrNotFound, nil}, // the run was deleted: it has ended
		{down, down},
	} {
		synctest.Test(t, func(t *testing.T) {
			orch := orchestrate(t, infoStore{flox.NewMemory(), c.answer}, single(t, sourced, nil))
			if err := orch.Source(t.Context(), pairs("a", 1, "b", 1), 1); !errors.Is(err, c.want) {
				t.Errorf("Source when a run's info is %v = %v, want %v", c.answer, err, c.want)
			}
		})
	}
}

func TestSourceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSourceStage(t)
		defer s.stop()
		enough := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 90*time.Second, enough)
		defer cancel()
		ch := make(chan int, 1)
		ch <- 3600 // in flight when the context ends; the channel is blocked then
		if err := s.orch.Source(ctx, flox.Chan(ch), 2); !errors.Is(err, enough) {
			t.Errorf("Source = %v, want %v", err, enough)
		}
		close(ch)
		if ids := s.ids(t); len(ids) != 1 {
			t.Errorf("runs %v, want the one that goes on", ids)
		}
		time.Sleep(time.Hour)
	})
}

func TestSourceFailsToStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSourceStage(t)
		defer s.stop()
		other := orchestrate(t, s.st, fanWorkflow(t))
		if _, err := other.Start(t.Context(), 1, flox.WithID("theirs")); err != nil {
			t.Fatal(err)
		}
		asked := 0
		err := s.orch.Source(t.Context(), func(yield func(string, int) bool) {
			for _, id := range []string{"ours", "theirs", "never"} {
				asked++
				if !yield(id, 3600) {
					return
				}
			}
		}, 2)
		if !errors.Is(err, flox.ErrRunExists) || !strings.Contains(err.Error(), "source of workflow single") {
			t.Errorf("Source = %v, want %v", err, flox.ErrRunExists)
		}
		if asked > 2 {
			t.Errorf("%d values were asked for, want 2", asked)
		}
		if err := s.orch.Source(t.Context(), pairs("bad id", 1), 1); err == nil || !strings.Contains(err.Error(), "bad id") {
			t.Errorf("Source with a bad id = %v, want an error", err)
		}
		if err := s.orch.Source(t.Context(), pairs(), 0); err == nil || !strings.Contains(err.Error(), "0 runs in flight: want 1 or more") {
			t.Errorf("Source with 0 in flight = %v, want an error", err)
		}
		time.Sleep(time.Hour)
	})
}

func TestSourcePassesOnPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSourceStage(t)
		defer s.stop()
		defer func() {
			if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "broken iterator") || !strings.Contains(fmt.Sprint(p), "source_test.go") {
				t.Errorf("panic %v, want the iterator's with its stack", p)
			}
		}()
		_ = s.orch.Source(t.Context(), func(func(string, int) bool) { panic("broken iterator") }, 1)
	})
}
