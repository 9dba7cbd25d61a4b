package flox

import (
	"fmt"
	"testing"
)

type oldState struct {
	N Sum `json:"n"`
}

type newState struct {
	N     Sum          `json:"n"`
	Names List[string] `json:"names"`
}

func graphOf[S any](t *testing.T) *graph {
	b := New[S]("w")
	end := End[int](b, "end")
	wf, err := Build(b, end, end)
	if err != nil {
		t.Fatal(err)
	}
	return wf.g
}

// TestCompactLosesNothing reads a long log with the types of an older version,
// which must leave it alone, and with those that wrote it.
func TestCompactLosesNothing(t *testing.T) {
	const deltas = 2 * compactAfter
	st, older, newer := NewMemory(), graphOf[oldState](t), graphOf[newState](t)
	if err := st.Start(t.Context(), StartRequest{Run: "r", Nonce: "n", Workflow: "w", Node: "end", Queue: "w"}); err != nil {
		t.Fatal(err)
	}
	st.runs["r"].counts.Version = deltas
	for i := range deltas {
		b, err := newer.state.encode(newState{N: 1, Names: List[string]{fmt.Sprint(i)}})
		if err != nil {
			t.Fatal(err)
		}
		st.runs["r"].state = append(st.runs["r"].state, b)
	}
	read := func(g *graph) any {
		v, version, err := newRunState(st, "r", g, nil).in("").readState(t.Context(), g.state)
		if err != nil || version != deltas {
			t.Fatalf("readState = %v, %v, want version %d", version, err, deltas)
		}
		return v
	}
	if got := read(older).(oldState); got.N != deltas {
		t.Errorf("the older version sees %d, want %d", got.N, deltas)
	}
	if log, err := st.State(t.Context(), "r", 0); err != nil || log.Snapshot != nil {
		t.Errorf("log %d, %v: the older version has folded fields it does not know", log.Folded, err)
	}
	for range 2 { // the second reads the snapshot
		if got := read(newer).(newState); got.N != deltas || len(got.Names) != deltas || got.Names[deltas-1] != fmt.Sprint(deltas-1) {
			t.Errorf("the newer version sees %d, %d names", got.N, len(got.Names))
		}
	}
	if log, err := st.State(t.Context(), "r", 0); err != nil || log.Folded != deltas || len(log.Deltas) != 0 {
		t.Errorf("log folded %d, %v, want all of it", log.Folded, err)
	}
}
