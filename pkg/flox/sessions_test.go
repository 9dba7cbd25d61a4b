package flox

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

// TestSessionSet adds and removes sessions in any order, and compares the set with
// a plain list.
func TestSessionSet(t *testing.T) {
	var set sessionSet
	var want []*session
	same := func(got, want []*session) bool {
		seen := map[*session]bool{}
		for _, s := range got {
			seen[s] = true
		}
		return len(got) == len(want) && len(seen) == len(want) && !slices.ContainsFunc(want, func(s *session) bool { return !seen[s] })
	}
	for round := range 5000 {
		if len(want) == 0 || len(want) < 40 && rand.IntN(2) == 0 {
			s := &session{held: Lease{Entry: Entry{Run: strconv.Itoa(rand.IntN(5))}}}
			set.add(s)
			want = append(want, s)
		} else {
			i := rand.IntN(len(want))
			set.remove(want[i])
			want = slices.Delete(want, i, i+1)
		}
		if set.len() != len(want) || !same(set.list(nil), want) {
			t.Fatalf("round %d: the set has %d sessions, want %d", round, set.len(), len(want))
		}
		for run := range 5 {
			of := slices.DeleteFunc(slices.Clone(want), func(s *session) bool { return s.held.Run != strconv.Itoa(run) })
			if !same(set.of(strconv.Itoa(run)), of) {
				t.Fatalf("round %d: run %d has %d sessions, want %d", round, run, len(set.of(strconv.Itoa(run))), len(of))
			}
		}
	}
	for _, s := range want {
		set.remove(s)
	}
	if len(set.byRun) != 0 || set.first != nil {
		t.Errorf("an empty set has %d runs", len(set.byRun))
	}
}
