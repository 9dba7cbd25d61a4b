package flox

import (
	"slices"
	"testing"
)

func TestAfter(t *testing.T) {
	undo := EncodeRecord(undoInput{Item: "0.0.2.5", Node: "book"})
	for _, tt := range []struct {
		token string
		step  int
		in    Input
		want  []string
	}{
		{RootToken, 0, Input{}, nil},
		{RootToken, 3, Input{}, []string{"0.2"}},
		{ChildToken("0", 2, 7), 0, Input{}, []string{"0.2"}},
		{ChildToken("0.2.7", 1, 1), 4, Input{}, []string{"0.2.7.1.1.3"}},
		{"h-0123456789abcdef0123456789abcdef01234567", 0, Input{}, nil},
		{ChildToken("h-0123456789abcdef0123456789abcdef01234567", 4, 2), 0, Input{}, []string{"h-0123456789abcdef0123456789abcdef01234567.4"}},
		{JoinToken("0.2"), 0, Input{Joined: true, Sources: []string{"0.3", "0.2.1.0"}}, []string{"0.3", "0.2.1.0"}},
		{JoinToken("0.2"), 0, Input{Joined: true}, []string{"0.2"}}, // of no branches
		{JoinToken("0.2"), 1, Input{}, []string{"0.2.j.0"}},
		{UndoToken(2), 0, Input{Payload: undo}, []string{"0.0.2.5"}},
		{UndoToken(2), 1, Input{}, []string{"u2.0"}},
		{UndoToken(2), 0, Input{Payload: []byte("broken")}, nil},
		{RestartToken(1), 0, Input{}, nil},
	} {
		s := &session{lease: Lease{Entry: Entry{Token: tt.token}, Step: tt.step}, item: Item{Input: tt.in}}
		if got := s.after(); !slices.Equal(got, tt.want) {
			t.Errorf("%s comes after %v, want %v", s.lease.Item(), got, tt.want)
		}
	}
}

// TestNoTracerCostsNothing wants no allocation in a worker that has no tracer.
func TestNoTracerCostsNothing(t *testing.T) {
	s := &session{w: &Worker{}, ctx: t.Context()}
	if allocs := testing.AllocsPerRun(100, func() {
		if s.begin() != s.ctx {
			t.Error("the node's context is another one")
		}
		s.finish()
	}); allocs != 0 {
		t.Errorf("%v allocations an item, want none", allocs)
	}
}
