package cli

import (
	"context"
	"fmt"
	"testing"

	"github.com/floxrun/flox/pkg/flox"
)

func TestHistory(t *testing.T) {
	w := newWorld(t)
	w.start("a", "greet")
	wantParts(t, "history", w.ok("history", "a"), "OFFSET", "first  next     1", "last   end      1")
	w.ok("start", "gate", "--id", "live", "--input", `{"name":"Ada"}`)
	<-w.entered
	followed := make(chan result)
	go func() { followed <- w.run("history", "live", "--follow", "-o", "json") }()
	w.open <- struct{}{}
	r := <-followed
	lines := decodeLines(t, "history --follow", r.out)
	if r.code != ExitOK || len(lines) != 2 || lines[1].(map[string]any)["node"] != "last" {
		t.Errorf("history --follow = %+v, want the two steps of the run to its end", r)
	}
	w.start("bad", "fail")
	if r := w.run("history", "bad", "--follow"); r.code != ExitFailed {
		t.Errorf("history --follow of a failed run = %+v, want 3", r)
	}
}

// forgetful keeps so many steps of a history.
type forgetful struct {
	flox.Store
	steps []flox.StepRecord
}

func (f *forgetful) add(n, keep int) {
	for range n {
		number := 0
		if len(f.steps) > 0 {
			fmt.Sscan(f.steps[len(f.steps)-1].Item, &number)
		}
		f.steps = append(f.steps, flox.StepRecord{Item: fmt.Sprint(number + 1)})
	}
	f.steps = f.steps[max(0, len(f.steps)-keep):]
}

func (f *forgetful) History(_ context.Context, _ string, from, limit int) ([]flox.StepRecord, error) {
	from = min(from, len(f.steps))
	return f.steps[from:min(from+limit, len(f.steps))], nil
}

// TestHistoryReader checks that steps are read once and in order while the first
// ones are forgotten, and that it is known when some were before they were read.
func TestHistoryReader(t *testing.T) {
	const keep = 3*historyPage + 10
	st := &forgetful{}
	h := historyReader{s: &session{st: st}}
	want := 1
	for _, added := range []int{0, 1, historyPage, historyPage + 1, 0, 2 * historyPage, keep - 1, 3, 1} {
		st.add(added, keep)
		for {
			steps, err := h.next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(steps) == 0 {
				break
			}
			for _, s := range steps {
				if s.Item != fmt.Sprint(want) {
					t.Fatalf("after %d more: read step %s, want %d", added, s.Item, want)
				}
				want++
			}
		}
		if last := st.steps; len(last) > 0 && last[len(last)-1].Item != fmt.Sprint(want-1) {
			t.Fatalf("after %d more: read up to %d, want %s", added, want-1, last[len(last)-1].Item)
		}
	}
	if h.missed {
		t.Error("missed is set, but none was")
	}
	st.add(2*keep, keep)
	if steps, err := h.next(t.Context()); err != nil || len(steps) == 0 || steps[0].Item != st.steps[0].Item || !h.missed {
		t.Errorf("next after all that was known is forgotten = %d steps, %v, missed %v; want what is kept, and missed", len(steps), err, h.missed)
	}
}
