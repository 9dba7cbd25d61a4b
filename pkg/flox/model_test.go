package flox_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// approval is a workflow that asks twice.
func approval(t *testing.T) *flox.Workflow[trail, int, string] {
	b := flox.New[trail]("approval")
	ask := flox.AddFunc(b, "ask", func(ctx *flox.Context[trail], in int) (flox.Awaiting[int, string], error) {
		ctx.Merge(step("ask"))
		return flox.Await(approve, in, 24*time.Hour), nil
	}).Awaits(approve)
	tell := flox.AddFunc(b, "tell", func(ctx *flox.Context[trail], a flox.Answer[int, string]) (flox.Transition[string], error) {
		return flox.Next(fmt.Sprint(a.Carry, " ", a.Payload, " ", a.TimedOut)), nil
	})
	ask.To(tell)
	return build(t, b, ask, tell)
}

func TestSignals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st, wf := flox.NewMemory(), approval(t)
		orch := orchestrate(t, st, wf)
		send := func(run, payload string) error { return approve.Send(t.Context(), orch, run, payload) }
		if err := send("early", "x"); !errors.Is(err, flox.ErrNotFound) {
			t.Errorf("Send to no run = %v, want ErrNotFound", err)
		}
		for _, id := range []string{"early", "late", "json", "never", "spoilt"} {
			if _, err := orch.Start(t.Context(), 7, flox.WithID(id)); err != nil {
				t.Fatal(err)
			}
		}
		if err := send("early", "soon"); err != nil {
			t.Errorf("Send before the Await = %v, want nil: it is kept", err)
		}
		if err := send("early", "again"); !errors.Is(err, flox.ErrRefused) || !strings.Contains(err.Error(), "an earlier one waits there") {
			t.Errorf("a second Send before the Await = %v, want a refusal", err)
		}
		defer stage{t, st}.worker(flox.WorkerConfig{}, wf)()
		time.Sleep(time.Hour)
		tokens, _, err := st.Checkpoint(t.Context(), "late", "", 10)
		if err != nil || len(tokens) != 1 || tokens[0].Place != flox.PlaceWaiting || tokens[0].Signal != "approve" {
			t.Errorf("Checkpoint = %+v, %v, want one token that waits for approve", tokens, err)
		}
		if err := send("late", "at last"); err != nil {
			t.Error(err)
		}
		if delivered, err := orch.Control().Signal(t.Context(), "json", "approve", []byte(`"by hand"`)); err != nil || !delivered {
			t.Errorf("Signal = %t, %v, want it delivered", delivered, err)
		}
		if _, err := orch.Control().Signal(t.Context(), "spoilt", "approve", []byte(`{"a":1}`)); err != nil {
			t.Error(err)
		}
		for id, want := range map[string]string{
			"early": "7 soon false", "late": "7 at last false", "json": "7 by hand false", "never": "7  true",
		} {
			if res, err := orch.Wait(t.Context(), id); err != nil || res.Output != want {
				t.Errorf("Wait(%s) = %q, %v, want %q", id, res.Output, err, want)
			}
		}
		_, err = orch.Wait(t.Context(), "spoilt")
		if e, ok := errors.AsType[*flox.RunError](err); !ok || e.Node != "ask" || !strings.Contains(e.Cause, "payload of the signal") {
			t.Errorf("Wait(spoilt) = %v, want a failure that names the payload of the signal", err)
		}
		if err := send("early", "too late"); !errors.Is(err, flox.ErrRefused) || !strings.Contains(err.Error(), "it is completed") {
			t.Errorf("Send to a completed run = %v, want a refusal", err)
		}
		if err := flox.NewSignal[string]("no name").Send(t.Context(), orch, "late", ""); err == nil {
			t.Error("Send of a signal with a bad name = nil, want an error")
		}
	})
}

// TestQuorumEndsTheOthers cancels the branches that come too late while they run.
func TestQuorumEndsTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := flox.New[trail]("first")
		var ended atomic.Int64
		var started sync.WaitGroup
		started.Add(2)
		split := flox.Split(b, "split", func(n int) []int { return []int{0, 1, 2} })
		ask := flox.AddFunc(b, "ask", func(ctx *flox.Context[trail], n int) (flox.Transition[int], error) {
			ctx.Merge(step(fmt.Sprint("ask ", n)))
			if n == 1 {
				started.Wait()
				return flox.Next(n), nil
			}
			started.Done()
			<-ctx.Done()
			ended.Add(1)
			return nil, ctx.Err()
		})
		first := flox.Func(b, "first", sumOf).Quorum(1)
		split.To(ask)
		ask.Join(first)
		st, wf := flox.NewMemory(), build(t, b, split, first)
		defer stage{t, st}.worker(flox.WorkerConfig{}, wf)()
		orch := orchestrate(t, st, wf)
		began := time.Now()
		id, err := orch.Start(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		res, err := orch.Wait(t.Context(), id)
		if took := time.Since(began); err != nil || res.Output != 1 || ended.Load() != 2 || took > time.Second {
			t.Errorf("got %d, %v after %v, %d contexts ended, want 1 at once, and 2", res.Output, err, took, ended.Load())
		}
		if !slices.Equal(res.State.Steps, []string{"ask 1"}) {
			t.Errorf("state %v, want that of the first alone", res.State.Steps)
		}
		info, err := st.Info(t.Context(), id)
		if err != nil || info.Counts.Dropped != 2 || info.Counts.Live != 0 {
			t.Errorf("counts %+v, %v, want 2 dropped, none live", info.Counts, err)
		}
	})
}

// TestManyDeltas merges 10,000 deltas of parallel items into one run's state, on
// several workers that read it now and then: all are there, and the log is short.
func TestManyDeltas(t *testing.T) {
	const items = 10_000
	b := flox.New[trail]("many")
	split := flox.Split(b, "split", func(n int) []int {
		all := make([]int, n)
		for i := range all {
			all[i] = i
		}
		return all
	})
	add := flox.AddFunc(b, "add", func(ctx *flox.Context[trail], n int) (flox.Transition[flox.None], error) {
		ctx.Merge(step(fmt.Sprint(n)))
		if n%97 == 0 && len(ctx.State().Steps) == 0 {
			return nil, errors.New("the state is empty, though this item has merged")
		}
		return flox.Next(flox.None{}), nil
	})
	split.To(add)
	wf, err := flox.Build(b, split, add)
	if err != nil {
		t.Fatal(err)
	}
	st := flox.NewMemory()
	for i := range 3 {
		defer stage{t, st}.worker(flox.WorkerConfig{Name: fmt.Sprint("w", i)}, wf)()
	}
	orch := orchestrate(t, st, wf)
	id, err := orch.Start(t.Context(), items)
	if err != nil {
		t.Fatal(err)
	}
	res, err := orch.Wait(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, s := range res.State.Steps {
		seen[s] = true
	}
	if len(seen) != items || len(res.State.Steps) != items || res.State.Total != items {
		t.Errorf("%d deltas, %d different, sum %d, want %d", len(res.State.Steps), len(seen), res.State.Total, items)
	}
	log, err := st.State(t.Context(), id, 0)
	if err != nil || log.Snapshot == nil || len(log.Deltas) > items/2 || log.Version != items {
		t.Errorf("log: snapshot of %d bytes, %d deltas, version %d, %v, want a snapshot and few deltas",
			len(log.Snapshot), len(log.Deltas), log.Version, err)
	}
}

func TestUndoFailsAndIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := flox.New[trail]("trip")
		var broken atomic.Bool
		broken.Store(true)
		book := plus(b, "book", 1).UndoWith(flox.AddFunc(b, "cancel",
			func(ctx *flox.Context[trail], d flox.Done[int, int]) (flox.Transition[flox.None], error) {
				ctx.Merge(step("cancel"))
				if broken.Load() {
					return nil, flox.Permanent(errBoom)
				}
				return flox.Next(flox.None{}), nil
			}))
		pay := flox.Func(b, "pay", func(context.Context, int) (int, error) { return 0, flox.Permanent(errors.New("no money")) })
		book.To(pay)
		st, wf := flox.NewMemory(), build(t, b, book, pay)
		defer stage{t, st}.worker(flox.WorkerConfig{}, wf)()
		orch := orchestrate(t, st, wf)
		id, err := orch.Start(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		_, err = orch.Wait(t.Context(), id)
		e, ok := errors.AsType[*flox.RunError](err)
		if !ok || len(e.Undone) > 0 || e.Node != "pay" || !strings.Contains(e.Cause, "no money; node cancel: attempt 1: boom") {
			t.Fatalf("Wait = %v, want a failure of pay, and of what undoes book", err)
		}
		broken.Store(false)
		if err := orch.Control().Retry(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		res, err := orch.Wait(t.Context(), id)
		if e, ok := errors.AsType[*flox.RunError](err); !ok || !slices.Equal(e.Undone, []string{"book"}) {
			t.Errorf("Wait = %v, want a failure with book undone", err)
		}
		if !slices.Equal(res.State.Steps, []string{"book", "cancel"}) {
			t.Errorf("state %v, want book and cancel once", res.State.Steps)
		}
		if err := orch.Control().Retry(t.Context(), id); !errors.Is(err, flox.ErrRefused) {
			t.Errorf("Retry of an undone run = %v, want a refusal", err)
		}
	})
}
