package redisstore

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/floxrun/flox/pkg/flox"
)

// soloist commits the steps of a run with one token.
type soloist struct {
	t     *testing.T
	s     *Store
	run   string
	lease flox.Lease
}

func newSoloist(t *testing.T, s *Store, run string) *soloist {
	t.Helper()
	if err := s.Start(t.Context(), flox.StartRequest{Run: run, Nonce: "n", Workflow: "wf", Node: "n0", Queue: "q", Input: []byte("in"), NeedsOutput: true}); err != nil {
		t.Fatal(err)
	}
	x := &soloist{t: t, s: s, run: run}
	x.load()
	return x
}

// load takes the token from the queue.
func (x *soloist) load() flox.Loaded {
	x.t.Helper()
	entries, err := x.s.Claim(x.t.Context(), flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 1, Wait: time.Minute})
	if err != nil || len(entries) != 1 {
		x.t.Fatalf("Claim = %v, %v, want an entry", entries, err)
	}
	l, err := x.s.Load(x.t.Context(), entries[0], "o", 3)
	if err != nil || l.Grant != flox.GrantOK {
		x.t.Fatalf("Load = %+v, %v, want it granted", l, err)
	}
	x.lease = l.Lease
	return l
}

func (x *soloist) commit(c flox.Commit) flox.CommitResult {
	x.t.Helper()
	c.Lease, c.Read, c.Queue = x.lease, -1, "q"
	c.Record = flox.EncodeStep(&flox.StepRecord{Item: x.lease.Item(), Node: c.Node, Outcome: "next", Attempt: 1, Worker: "w"})
	r, err := x.s.Commit(x.t.Context(), c)
	if err != nil {
		x.t.Fatalf("Commit(%s) = %v", x.lease.Item(), err)
	}
	x.lease.Step, x.lease.Note = x.lease.Step+1, r.Note
	return r
}

// next goes on to one of three nodes, every other time with a delta.
func (x *soloist) next() flox.CommitResult {
	x.t.Helper()
	step := x.lease.Step
	c := flox.Commit{Op: flox.OpNext, Keep: true, Node: "n" + strconv.Itoa((step+1)%3), Input: fmt.Append(nil, "in of ", step+1)}
	if step%2 == 1 {
		c.Delta = fmt.Append(nil, "delta of ", step)
	}
	return x.commit(c)
}

// alone says whether the last commit was that of a token known to be alone.
func (x *soloist) alone() bool {
	note, ok := readNote(x.lease)
	return ok && note.alone != nil
}

// strip takes from the lease what is known of the run being the token's alone.
func (x *soloist) strip() {
	if note, ok := readNote(x.lease); ok {
		x.lease.Note = writeNote(note.committed, nil, note.record)
	}
}

var (
	stamps   = regexp.MustCompile(`^\d{13}(\||$)`)
	entryIDs = regexp.MustCompile(`\d{13}-\d+`)
)

// fields are what the run has, without what differs from one time to the next.
func (x *soloist) fields() map[string]string {
	x.t.Helper()
	fields, err := x.s.client.HGetAll(x.t.Context(), x.s.keys.parts[0].run(x.run)).Result()
	if err != nil {
		x.t.Fatal(err)
	}
	if fields["cause"] == "" { // that it has none may be said or not
		delete(fields, "cause")
	}
	for name, value := range fields {
		fields[name] = entryIDs.ReplaceAllString(stamps.ReplaceAllString(value, "now$1"), "entry")
	}
	return fields
}

// TestAloneIsAsOtherwise commits the same chain in three ways: the token is known to be
// alone, it is not, and each step has a script of its own. All leave the same.
func TestAloneIsAsOtherwise(t *testing.T) {
	s := openOne(t)
	alone, plain, own := newSoloist(t, s, "alone"), newSoloist(t, s, "plain"), newSoloist(t, s, "own")
	all := []*soloist{alone, plain, own}
	same := func(what string) {
		t.Helper()
		want := own.fields()
		for _, x := range all {
			if diff := cmp.Diff(want, x.fields()); diff != "" {
				t.Errorf("%s: run %s differs from run own:\n%s", what, x.run, diff)
			}
		}
	}
	for step := range 20 { // more than have their records in the run
		own.lease.Note = ""
		plain.strip()
		if !alone.alone() {
			t.Fatalf("step %d: the token is not known to be alone: %q", step, alone.lease.Note)
		}
		want := own.next()
		for _, x := range all[:2] {
			if got := x.next(); got.Version != want.Version || got.Committed != want.Committed || got.Verdict != want.Verdict {
				t.Fatalf("step %d of run %s = %+v, want %+v", step, x.run, got, want)
			}
		}
		same(fmt.Sprint("step ", step))
	}
	own.lease.Note = ""
	plain.strip()
	for _, x := range all {
		if r := x.commit(flox.Commit{Op: flox.OpEnd, Output: []byte("out")}); r.Ended != flox.StatusCompleted || r.Lasted > time.Minute {
			t.Errorf("end of run %s = %+v, want it completed within a minute", x.run, r)
		}
		steps, err := s.History(t.Context(), x.run, 0, 100)
		if err != nil || len(steps) != 21 {
			t.Errorf("the history of run %s has %d steps, %v, want 21", x.run, len(steps), err)
		}
		if log, err := s.State(t.Context(), x.run, 0); err != nil || len(log.Deltas) != 10 {
			t.Errorf("the state of run %s has %d deltas, %v, want 10", x.run, len(log.Deltas), err)
		}
	}
	same("the end")
}

// TestAloneInAFrame lets a token stand in a frame of which it is the only branch: it has
// made every item of the run, but what it does is not what one does that is alone.
func TestAloneInAFrame(t *testing.T) {
	s := openOne(t)
	x := newSoloist(t, s, "framed")
	x.commit(flox.Commit{Op: flox.OpFan, Node: "branch", Input: []byte("in"),
		Fan: &flox.Fan{Size: 1, Frame: &flox.FrameSpec{Join: "join", Queue: "q"}}})
	x.load()
	x.next()
	r := x.commit(flox.Commit{Op: flox.OpDeposit, Output: []byte("out"), JoinQueue: "q"})
	if r.Verdict != flox.VerdictReleased {
		t.Errorf("the deposit of the only branch = %+v, want it done", r)
	}
	if l := x.load(); l.Item.Node != "join" || len(l.Item.Input.Deposits) != 1 || l.Item.Committed != 3 {
		t.Errorf("after the deposit there is %+v, want the join with it, of 3 items", l.Item)
	}
}

// TestAloneAfterARepair changes what the run counts behind the holder's back: the
// token's own script decides then.
func TestAloneAfterARepair(t *testing.T) {
	s := openOne(t)
	for _, field := range []string{"committed", "sv"} {
		x := newSoloist(t, s, field)
		x.next()
		if err := s.client.HSet(t.Context(), s.keys.parts[0].run(field), field, 7).Err(); err != nil {
			t.Fatal(err)
		}
		x.next() // with a delta
		if got := x.fields()[field]; got != "8" || x.alone() {
			t.Errorf("%s = %s after a commit, alone: %v; want 8 and no", field, got, x.alone())
		}
	}
}
