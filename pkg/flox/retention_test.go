package flox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// keeping is a workflow of one node, which fails when it is told to.
func keeping(t *testing.T, name string, set func(b *flox.Builder[flox.NoState])) *flox.Workflow[flox.NoState, bool, bool] {
	t.Helper()
	b := flox.New[flox.NoState](name)
	work := flox.Func(b, "work", func(_ context.Context, fails bool) (bool, error) {
		if fails {
			return false, flox.Permanent(errors.New("told to"))
		}
		return true, nil
	})
	if set != nil {
		set(b)
	}
	return build(t, b, work, work)
}

// TestRetention lets workers remove what has ended.
func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := flox.NewMemory()
		short := keeping(t, "short", func(b *flox.Builder[flox.NoState]) {
			b.Retention(10*time.Minute).Retention(30*time.Minute, flox.StatusFailed)
		})
		ever := keeping(t, "ever", func(b *flox.Builder[flox.NoState]) { b.Retention(flox.KeepForever) })
		for range 2 {
			defer stage{t, st}.worker(flox.WorkerConfig{}, short, ever)()
		}
		began := time.Now()
		for _, def := range []*flox.Workflow[flox.NoState, bool, bool]{short, ever} {
			for _, fails := range []bool{false, true} {
				id := flox.WithID(fmt.Sprint(def.Name(), "-", fails))
				if _, err := orchestrate(t, st, def).Start(t.Context(), fails, id); err != nil {
					t.Fatal(err)
				}
			}
		}
		for minutes, gone := range map[int][]string{
			9: nil, 11: {"short-false"}, 29: {"short-false"}, 31: {"short-false", "short-true"}, 90: {"short-false", "short-true"},
		} {
			time.AfterFunc(time.Until(began.Add(time.Duration(minutes)*time.Minute)), func() {
				wantGone(t, st, gone, "short-false", "short-true", "ever-false", "ever-true")
			})
		}
		time.Sleep(100 * time.Minute)
	})
}

// wantGone checks which runs are gone; the others are there.
func wantGone(t *testing.T, st flox.Store, gone []string, runs ...string) {
	for _, run := range runs {
		_, err := flox.NewControl(st).Show(t.Context(), run)
		if want := slices.Contains(gone, run); want != errors.Is(err, flox.ErrNotFound) || !want && err != nil {
			t.Errorf("at %v Show(%s) = %v, want it gone: %t", time.Now().Format(time.TimeOnly), run, err, want)
		}
	}
}

// TestDefaultRetention has no worker at all: nobody ever registered the workflow.
func TestDefaultRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := flox.NewMemory()
		if _, err := flox.RunCheckpointed(t.Context(), st, "run", keeping(t, "week", nil), false); err != nil {
			t.Fatal(err)
		}
		for _, want := range []int{0, 1} {
			if n, err := st.Delete(t.Context(), ""); n != want || err != nil {
				t.Errorf("Delete of what has expired = %d, %v, want %d", n, err, want)
			}
			time.Sleep(flox.DefaultRetention)
		}
	})
}

// TestRetentionDoesNotHoldUp has far more runs to remove than go at once: they go
// together, not some each time that a worker looks.
func TestRetentionDoesNotHoldUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := flox.NewMemory()
		def := keeping(t, "short", func(b *flox.Builder[flox.NoState]) { b.Retention(time.Minute) })
		stop := stage{t, st}.worker(flox.WorkerConfig{}, def)
		defer stop()
		orch := orchestrate(t, st, def)
		for range 1000 {
			if _, err := orch.Start(t.Context(), false); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(90 * time.Second)
		page, err := flox.NewControl(st).List(t.Context(), flox.ListRequest{Limit: 10})
		if err != nil || len(page.Runs) != 0 {
			t.Errorf("List = %d runs, %v, want none left", len(page.Runs), err)
		}
	})
}

// TestDeleteEndsWhatRuns deletes a failed run while one of its nodes still runs: the
// node's context ends at once, not with the next heartbeat.
func TestDeleteEndsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := flox.NewMemory()
		b := flox.New[flox.NoState]("pair")
		both := flox.Split(b, "both", func(bool) []bool { return []bool{true, false} })
		started, ended := make(chan struct{}), make(chan error, 1)
		work := flox.Func(b, "work", func(ctx context.Context, fails bool) (bool, error) {
			if fails {
				<-started
				return false, flox.Permanent(errors.New("told to"))
			}
			close(started)
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return false, ctx.Err()
		})
		both.To(work)
		wf, err := flox.BuildAll(b, both, work)
		if err != nil {
			t.Fatal(err)
		}
		defer stage{t, st}.worker(flox.WorkerConfig{Lease: time.Hour}, wf)()
		c := flox.NewControl(st)
		if _, err := orchestrate(t, st, wf).Start(t.Context(), true, flox.WithID("run")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Wait(t.Context(), "run"); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := c.Delete(t.Context(), "run"); err != nil {
			t.Fatal(err)
		}
		if cause := <-ended; !errors.Is(cause, flox.ErrLeaseLost) || time.Since(began) > time.Second {
			t.Errorf("the node's context ended after %v of %v, want it at once of a lost lease", time.Since(began), cause)
		}
	})
}
