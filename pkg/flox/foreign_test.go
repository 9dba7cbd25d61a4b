package flox_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/floxrun/flox/pkg/flox"
)

// TestRunOfAnotherWorkflow reads a run with another workflow's handle: that is
// refused, for the log would be folded into a snapshot of another type.
func TestRunOfAnotherWorkflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const items = 1000
		b := flox.New[visited]("sums")
		split := flox.Split(b, "split", func(int) []int { return make([]int, items) })
		add := flox.AddFunc(b, "add", func(ctx *flox.Context[visited], _ int) (flox.Transition[flox.None], error) {
			ctx.Merge(visited{1})
			return flox.Next(flox.None{}), nil
		})
		split.To(add)
		own := build(t, b, split, add)
		other := flox.New[struct{ Count flox.Max[int] }]("maxima")
		node := flox.Func(other, "node", conv[int, flox.None])

		st := flox.NewMemory()
		defer stage{t, st}.worker(flox.WorkerConfig{}, own)()
		orch, foreign := orchestrate(t, st, own), orchestrate(t, st, build(t, other, node, node))
		id, err := orch.Start(t.Context(), 1)
		if err == nil {
			_, err = orch.Control().Wait(t.Context(), id)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err1 := foreign.State(t.Context(), id)
		_, err2 := foreign.Wait(t.Context(), id)
		for _, err := range []error{err1, err2} {
			if err == nil || !strings.Contains(err.Error(), "is of workflow sums, not maxima") {
				t.Errorf("got %v, want a refusal that names both workflows", err)
			}
		}
		if state, err := orch.State(t.Context(), id); err != nil || state.Count != items {
			t.Errorf("State = %+v, %v, want a count of %d", state, err, items)
		}
	})
}

// TestStateOfAnotherVersion waits for a run whose state this version cannot read:
// that the run has failed is said all the same.
func TestStateOfAnotherVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		node := func(ctx *flox.Context[trail], _ int) (flox.Transition[int], error) {
			ctx.Merge(step("x"))
			return flox.NextAfter(0, 1), nil
		}
		old := flox.New[trail]("changed")
		x := flox.AddFunc(old, "x", node)
		fails := flox.Func(old, "fails", func(context.Context, int) (int, error) { return 0, flox.Permanent(errors.New("boom")) })
		x.To(fails)
		type retyped struct {
			Steps flox.Sum `json:"steps"`
		}
		later := flox.New[retyped]("changed")
		y := flox.Func(later, "x", same[int])

		st := flox.NewMemory()
		wf := build(t, old, x, fails)
		defer stage{t, st}.worker(flox.WorkerConfig{}, wf)()
		id, err := orchestrate(t, st, wf).Start(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		_, err = orchestrate(t, st, build(t, later, y, y)).Wait(t.Context(), id)
		if e, ok := errors.AsType[*flox.RunError](err); !ok || e.Node != "fails" || !strings.Contains(err.Error(), "state delta 0") {
			t.Errorf("Wait = %v, want that of the run and that of the state", err)
		}
	})
}

// TestNilWorkflows gives no workflow where one is needed.
func TestNilWorkflows(t *testing.T) {
	var none *flox.Workflow[flox.NoState, int, int]
	zero := &flox.Workflow[flox.NoState, int, int]{}
	_, err1 := flox.Run(t.Context(), none, 1)
	_, err2 := flox.NewOrchestrator[flox.NoState, int, int](flox.NewMemory(), nil, nil)
	_, err3 := flox.NewOrchestrator(flox.NewMemory(), zero, nil)
	_, err4 := flox.NewWorker(flox.NewMemory(), nil, nil)
	_, err5 := flox.NewWorker(flox.NewMemory(), nil, none)
	for i, err := range []error{err1, err2, err3, err4, err5} {
		if err == nil || !strings.Contains(err.Error(), "workflow is nil") {
			t.Errorf("%d: got %v, want an error that says the workflow is nil", i, err)
		}
	}
}

// TestWorkerStoppedBeforeItRuns ends a worker before it could register.
func TestWorkerStoppedBeforeItRuns(t *testing.T) {
	w, err := flox.NewWorker(flox.NewMemory(), nil, approval(t))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Run(ctx); err != nil {
		t.Errorf("Run = %v, want nil: it was told to stop", err)
	}
}
