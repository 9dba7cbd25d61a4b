package flox_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/floxrun/flox/pkg/flox"
)

// records is a store that has nothing but the records of run "r".
type records struct {
	flox.Store
	tokens []flox.TokenInfo
	steps  []flox.StepRecord
	errs   []flox.ErrorRecord
	broken string // the method that fails
}

var errBroken = errors.New("broken")

func (s *records) fails(method string) error {
	if s.broken == method {
		return errBroken
	}
	return nil
}

func (s *records) Info(_ context.Context, run string) (flox.RunInfo, error) {
	if run != "r" {
		return flox.RunInfo{}, flox.ErrNotFound
	}
	return flox.RunInfo{ID: run, Status: flox.StatusRunning}, s.fails("Info")
}

func (s *records) Checkpoint(_ context.Context, _, cursor string, limit int) ([]flox.TokenInfo, string, error) {
	from, _ := strconv.Atoi(cursor)
	to, next := min(from+limit, len(s.tokens)), ""
	if to < len(s.tokens) {
		next = strconv.Itoa(to)
	}
	return s.tokens[from:to], next, s.fails("Checkpoint")
}

func (s *records) History(_ context.Context, _ string, from, limit int) ([]flox.StepRecord, error) {
	return s.steps[from:min(from+limit, len(s.steps))], s.fails("History")
}

func (s *records) Errors(context.Context, string) ([]flox.ErrorRecord, error) {
	return s.errs, s.fails("Errors")
}

func TestProgress(t *testing.T) {
	st := &records{}
	for place, n := range map[flox.TokenPlace]int{
		flox.PlaceQueued: 600, flox.PlaceLeased: 1, flox.PlaceDelayed: 2, flox.PlaceWaiting: 3, flox.PlaceParked: 4,
	} {
		st.tokens = append(st.tokens, slices.Repeat([]flox.TokenInfo{{Node: "work", Place: place}}, n)...)
	}
	st.tokens = append(st.tokens, flox.TokenInfo{Node: "ship", Place: flox.PlaceParked, Failed: true, Attempt: 5})
	st.steps = slices.Repeat([]flox.StepRecord{{Node: "split", Outcome: "fan", Attempt: 1}}, 2000)
	for i, outcome := range []string{"next", "end", "deposit", "fallback", "hold", "await", "answered"} {
		st.steps = append(st.steps, flox.StepRecord{Node: "all", Outcome: outcome, Attempt: 1 + i%2})
	}
	st.steps = append(st.steps, flox.StepRecord{Node: "refund", Outcome: "undone", Attempt: 1, Undoes: "split"})
	st.errs = []flox.ErrorRecord{{Node: "refund"}, {Node: "refund"}, {Node: "ship"}, {Class: flox.ClassDeadline}}

	p, err := flox.NewControl(st).Progress(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]flox.NodeProgress{
		"work":   {Queued: 600, Running: 1, Delayed: 2, Waiting: 3, Parked: 4},
		"ship":   {Failed: 1, Attempts: 5},
		"split":  {Done: 2000, Undone: 1},
		"all":    {Done: 4, Held: 1, Failed: 1, Attempts: 4},
		"refund": {Done: 1, Attempts: 2},
	}
	if !maps.Equal(p.Nodes, want) || p.Run.ID != "r" {
		t.Errorf("Progress = %+v of run %q, want %+v of r", p.Nodes, p.Run.ID, want)
	}
}

func TestProgressErrors(t *testing.T) {
	if _, err := flox.NewControl(&records{}).Progress(t.Context(), "x"); !errors.Is(err, flox.ErrNotFound) {
		t.Errorf("progress of no run: %v, want ErrNotFound", err)
	}
	if _, err := flox.NewControl(&records{}).Progress(t.Context(), "a/b"); err == nil {
		t.Error("progress of a/b: no error, want one about the id")
	}
	for _, method := range []string{"Info", "Checkpoint", "History", "Errors"} {
		p, err := flox.NewControl(&records{broken: method}).Progress(t.Context(), "r")
		if p != nil || !errors.Is(err, errBroken) {
			t.Errorf("%s fails: Progress = %v, %v, want its error", method, p, err)
		}
	}
}

func TestNodeStatus(t *testing.T) {
	for _, tt := range []struct {
		p    flox.NodeProgress
		want flox.NodeStatus
		text string
	}{
		{flox.NodeProgress{}, flox.NodeIdle, ""},
		{flox.NodeProgress{Held: 3}, flox.NodeHeld, "3 held"},
		{flox.NodeProgress{Held: 3, Done: 1, Undone: 1}, flox.NodeDone, "1 done · 1 undone · 3 held"},
		{flox.NodeProgress{Done: 2, Queued: 1}, flox.NodeWaiting, "2 done · 1 queued"},
		{flox.NodeProgress{Delayed: 1, Attempts: 1}, flox.NodeWaiting, "1 delayed · 1 attempt failed"},
		{flox.NodeProgress{Parked: 1}, flox.NodeWaiting, "1 parked"},
		{flox.NodeProgress{Waiting: 1, Running: 2}, flox.NodeRunning, "2 running · 1 waiting"},
		{flox.NodeProgress{Done: 9, Failed: 1, Running: 1, Attempts: 5}, flox.NodeFailed, "9 done · 1 running · 1 failed · 5 attempts failed"},
	} {
		if got := tt.p.Status(); got != tt.want || tt.p.String() != tt.text {
			t.Errorf("%+v is %q %q, want %q %q", tt.p, got, tt.p.String(), tt.want, tt.text)
		}
	}
}

// TestProgressUnderOtherNames checks that a node has what was done under its
// alias, and that what it does not have is named.
func TestProgressUnderOtherNames(t *testing.T) {
	g := &flox.Graph{Nodes: []flox.GraphNode{{Name: "new", Aliases: []string{"old"}}}}
	every := flox.NodeProgress{
		Done: 1, Held: 1, Failed: 1, Running: 1, Queued: 1, Delayed: 1, Waiting: 1, Parked: 1, Undone: 1, Attempts: 1,
	}
	p := &flox.Progress{Nodes: map[string]flox.NodeProgress{"new": every, "old": every, "z": every, "gone": every}}
	if got, want := fmt.Sprint(p.At(&g.Nodes[0])), "2 done · 2 undone · 2 held · 2 running · 2 queued · 2 delayed · "+
		"2 waiting · 2 parked · 2 failed · 2 attempts failed"; got != want {
		t.Errorf("under both names: %s, want %s", got, want)
	}
	if got := p.Elsewhere(g); !slices.Equal(got, []string{"gone", "z"}) {
		t.Errorf("Elsewhere = %v, want gone and z", got)
	}
}

// TestProgressOfRuns checks what is counted against what the engine writes.
func TestProgressOfRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := flox.New[flox.NoState]("trip").Retry(flox.RetryPolicy{MaxAttempts: 2})
		agree := flox.NewSignal[int]("agree")
		ask := flox.AddFunc(b, "ask", func(_ *flox.Context[flox.NoState], n int) (flox.Awaiting[int, int], error) {
			return flox.Await(agree, n, 0), nil
		}).Awaits(agree)
		book := flox.Func(b, "book", conv[flox.Answer[int, int], int])
		unbook := flox.Func(b, "unbook", conv[flox.Done[flox.Answer[int, int], int], flox.None])
		sail := flox.Func(b, "sail", func(context.Context, int) (int, error) { return 0, errBroken })
		ask.To(book)
		book.UndoWith(unbook)
		book.To(sail)
		wf, err := flox.Build(b, ask, sail)
		if err != nil {
			t.Fatal(err)
		}
		st := flox.NewMemory()
		control := flox.NewControl(st)
		ended := make(chan error)
		go func() {
			_, err := flox.RunOn(t.Context(), st, wf, 1)
			ended <- err
		}()
		synctest.Wait()
		want := func(nodes map[string]flox.NodeProgress) {
			t.Helper()
			if p, err := control.Progress(t.Context(), "r"); err != nil || !maps.Equal(p.Nodes, nodes) {
				t.Errorf("Progress = %+v, %v, want %+v", p, err, nodes)
			}
		}
		want(map[string]flox.NodeProgress{"ask": {Waiting: 1}})
		if err := agree.Send(t.Context(), control, "r", 1); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil {
			t.Error("the run has completed, want that it failed")
		}
		want(map[string]flox.NodeProgress{
			"ask": {Done: 1}, "book": {Done: 1, Undone: 1}, "unbook": {Done: 1}, "sail": {Failed: 1, Attempts: 2},
		})
	})
}
