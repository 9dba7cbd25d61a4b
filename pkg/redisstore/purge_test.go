package redisstore

import (
	"reflect"
	"testing"

	"github.com/alicebob/miniredis/v2"

	"github.com/floxrun/flox/pkg/flox"
)

// cancelled is a store with one cancelled run, which has one token left.
func cancelled(t *testing.T) (*Store, *miniredis.Miniredis) {
	t.Helper()
	m := miniredis.RunT(t)
	s, err := Open(t.Context(), Config{URL: "redis://" + m.Addr(), Embedded: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	err = s.Start(t.Context(), flox.StartRequest{Run: "r", Nonce: "born", Workflow: "wf", Node: "first", Queue: "q"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Control(t.Context(), flox.ControlRequest{Run: "r", Op: flox.ControlCancel, Nonce: "n"}); err != nil {
		t.Fatal(err)
	}
	return s, m
}

func (s *Store) wantRemoval(t *testing.T, r removal, want int64) {
	t.Helper()
	r.upon = unasked
	if done, err := s.removeRun(t.Context(), r); done.code != want || err != nil {
		t.Errorf("delete.lua with %+v = %+v, %v, want %d", r, done, err, want)
	}
}

// TestLateDelete repeats the calls of a Delete whose run is gone, when another has
// its id: the repeats leave that one alone.
func TestLateDelete(t *testing.T) {
	s, _ := cancelled(t)
	s.wantRemoval(t, removal{run: "r", born: "another", keep: -1}, replyNoRun)
	s.wantRemoval(t, removal{run: "r", keep: -1, bare: true, marked: true}, replyRefused)
	if err := s.finishDelete(t.Context(), "r", "born"); err != nil {
		t.Errorf("finishDelete = %v, want nothing done", err)
	}
	if info, err := s.Info(t.Context(), "r"); err != nil || info.Counts.Live != 1 {
		t.Errorf("Info = %+v, %v, want the run with its token", info, err)
	}
	s.wantRemoval(t, removal{run: "r", born: "born", keep: -1}, replyTokens)
}

// TestPurgeKeepsItsMark drops the last token of a run that is being deleted: until
// the run is gone too, janitors must find it.
func TestPurgeKeepsItsMark(t *testing.T) {
	s, m := cancelled(t)
	_, p := s.keys.of("r")
	m.Del(p.todo())
	s.wantRemoval(t, removal{run: "r", keep: -1}, replyTokens)
	page, _, err := s.scan(t.Context(), "r", "0", scanFields)
	if err != nil || len(page) != 1 {
		t.Fatalf("scan = %v, %v, want one token", page, err)
	}
	got, err := s.settleChunk(t.Context(), "r", page)
	if want := (settled{left: false, moved: 1, purging: purgeDelete, born: "born"}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("settle.lua = %+v, %v, want %+v", got, err, want)
	}
	if marks, err := m.ZMembers(p.todo()); err != nil || len(marks) != 1 {
		t.Errorf("runs with work left are %v, %v, want the run", marks, err)
	}
	if done, err := s.Settle(t.Context(), ""); done.More || err != nil {
		t.Errorf("Settle = %+v, %v, want all done", done, err)
	}
	if m.Exists(p.run("r")) || m.Exists(p.todo()) {
		t.Errorf("keys left: %v, want neither the run nor a mark", m.Keys())
	}
}

// TestExpireStopsAtAnEarlyRun asks for runs before their time by the script's
// clock: the sweep comes back to them.
func TestExpireStopsAtAnEarlyRun(t *testing.T) {
	s, _ := cancelled(t)
	w := sweep{0, flox.StatusCancelled, flox.DefaultRetention}
	table := retentions{}
	s.expired.begin(table)
	n, err := s.sweep(t.Context(), w, table, 1<<50)
	if n != 0 || err != nil || s.expired.from(w) != 0 {
		t.Errorf("sweep = %d, %v and comes to %d, want it where it began", n, err, s.expired.from(w))
	}
	s.wantRemoval(t, removal{run: "r", keep: 1 << 40, found: flox.StatusCancelled, workflow: "wf"}, replyEarly)
	s.wantRemoval(t, removal{run: "r", keep: 0, found: flox.StatusCancelled, workflow: "wf"}, replyTokens)
}
