package redisstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// What the conformance suite cannot see: the records in Redis, its types, and
// which streams a script is given.

// scene is a store with the server's own view of it.
type scene struct {
	*redisstore.Store
	t      *testing.T
	client *redis.Client
}

func newScene(t *testing.T) scene {
	server := testredis.Start(t)
	c := server.Client()
	t.Cleanup(func() { _ = c.Close() })
	return scene{open(t, redisstore.Config{URL: server.URL()}), t, c}
}

func (s scene) key(kind, run string) string {
	return fmt.Sprintf("flox:{%s:0}:%s:%s", s.Namespace(), kind, run)
}

// take claims and loads the one item that is ready in a queue.
func (s scene) take(queue string) flox.Loaded {
	s.t.Helper()
	entries, err := s.Claim(s.t.Context(), flox.ClaimRequest{Consumer: "w", Queues: []string{queue}, Max: 1, Wait: time.Minute})
	if err != nil || len(entries) != 1 {
		s.t.Fatalf("Claim(%s) = %v, %v, want an entry", queue, entries, err)
	}
	l, err := s.Load(s.t.Context(), entries[0], "owner-"+entries[0].ID, 3)
	if err != nil || l.Grant != flox.GrantOK {
		s.t.Fatalf("Load = grant %d, %v, want it granted", l.Grant, err)
	}
	return l
}

func (s scene) begin(run string) flox.Loaded {
	s.t.Helper()
	if err := s.Start(s.t.Context(), request(run)); err != nil {
		s.t.Fatal(err)
	}
	return s.take("q")
}

func (s scene) commit(c flox.Commit, want flox.Verdict) {
	s.t.Helper()
	if result, err := s.Commit(s.t.Context(), c); err != nil || result.Verdict != want {
		s.t.Fatalf("Commit(%s) = verdict %d, %v, want %d", c.Item(), result.Verdict, err, want)
	}
}

// fanJoin fans out into two branches that the join in queue jq closes.
func fanJoin(l flox.Loaded, jq string) flox.Commit {
	return flox.Commit{Lease: l.Lease, Op: flox.OpFan, Node: "b", Queue: "q", Read: -1, Fan: &flox.Fan{
		Size: 2, Branches: []flox.Branch{{Node: "b", Queue: "q"}}, Frame: &flox.FrameSpec{Join: "j", Queue: jq},
	}}
}

// TestUndoInAnotherQueue has each script that begins an undo learn from the
// records which stream it needs.
func TestUndoInAnotherQueue(t *testing.T) {
	undo := &flox.Undo{Node: "undo", Queue: "other", Input: []byte("with | and \x00")}
	for name, fail := range map[string]func(s scene, l flox.Loaded){
		"end": func(s scene, l flox.Loaded) { // with nothing to show for it
			s.commit(flox.Commit{Lease: l.Lease, Op: flox.OpEnd, Read: -1, Undo: undo}, flox.VerdictReleased)
		},
		"hold": func(s scene, l flox.Loaded) {
			s.commit(flox.Commit{Lease: l.Lease, Op: flox.OpNext, Node: "n", Queue: "q", Keep: true, Read: -1, Undo: undo}, flox.VerdictKept)
			l.Lease.Step++
			s.commit(flox.Commit{Lease: l.Lease, Op: flox.OpHold}, flox.VerdictReleased)
		},
		"fan": func(s scene, l flox.Loaded) {
			s.commit(flox.Commit{Lease: l.Lease, Op: flox.OpFan, Fan: &flox.Fan{}, Read: -1, Undo: undo}, flox.VerdictReleased)
		},
		"settle": func(s scene, l flox.Loaded) {
			s.commit(flox.Commit{Lease: l.Lease, Op: flox.OpNext, Node: "n", Queue: "q", Keep: true, Read: -1, Undo: undo}, flox.VerdictKept)
			l.Lease.Step++
			s.commit(flox.Commit{Lease: l.Lease, Op: flox.OpFail, Read: -1, Cause: "boom"}, flox.VerdictReleased)
			if _, err := s.Settle(s.t.Context(), "r"); err != nil {
				s.t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			req := request("r")
			req.NeedsOutput = true
			if err := s.Start(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			fail(s, s.take("q"))
			l := s.take("other")
			if l.Lease.Token != flox.UndoToken(1) || l.Item.Node != "undo" || string(l.Item.Input.Payload) != string(undo.Input) {
				t.Errorf("took %s at %s with %q, want the undo", l.Lease.Token, l.Item.Node, l.Item.Input.Payload)
			}
			s.commit(flox.Commit{Lease: l.Lease, Op: flox.OpEnd, Read: -1}, flox.VerdictReleased)
			if info, err := s.Info(t.Context(), "r"); err != nil || info.Status != flox.StatusFailed {
				t.Errorf("Info = %s, %v, want failed", info.Status, err)
			}
		})
	}
}

// TestQuorumInAnotherQueue closes frames with a join whose stream is not given.
func TestQuorumInAnotherQueue(t *testing.T) {
	for name, change := range map[string]func(fan, deposit *flox.Commit){
		"quorum": func(fan, _ *flox.Commit) { fan.Fan.Frame.Quorum = 1 },
		"close":  func(_, deposit *flox.Commit) { deposit.Close = true },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			fan := fanJoin(s.begin("r"), "joins")
			deposit := flox.Commit{Op: flox.OpDeposit, Output: []byte("out"), Read: -1}
			change(&fan, &deposit)
			s.commit(fan, flox.VerdictReleased)
			deposit.Lease = s.take("q").Lease
			s.commit(deposit, flox.VerdictReleased)
			if l := s.take("joins"); len(l.Item.Input.Deposits) != 1 {
				t.Errorf("joined %q, want the one that came", l.Item.Input.Deposits)
			}
		})
	}
}

// TestRecordsOfOtherVersions keeps what a newer flox has added to a record, and
// reads a frame of one that knew neither quorums nor scopes.
func TestRecordsOfOtherVersions(t *testing.T) {
	s := newScene(t)
	l, key := s.begin("r"), s.key("run", "r")
	token := s.client.HGet(t.Context(), key, "t:0").Val()
	whole := strings.TrimSuffix(token, ".") + "0|0|||0||0|0|0|0|0|0|0" // who adds fields spells it out
	s.client.HSet(t.Context(), key, "t:0", whole+"||||new")
	s.commit(fanJoin(l, "q"), flox.VerdictReleased)
	if token = s.client.HGet(t.Context(), key, "t:0").Val(); !strings.HasSuffix(token, "||||new") {
		t.Errorf("token is %q, want what was added kept", token)
	}
	frame := s.client.HGet(t.Context(), key, "f:0.0").Val()
	s.client.HSet(t.Context(), key, "f:0.0", strings.TrimSuffix(frame, "|0|"))
	for range 2 {
		s.commit(flox.Commit{Lease: s.take("q").Lease, Op: flox.OpDeposit, Output: []byte("out"), Read: -1}, flox.VerdictReleased)
	}
	if l := s.take("q"); l.Item.Node != "j" || len(l.Item.Input.Deposits) != 2 {
		t.Errorf("took %s with %q, want the join of two", l.Item.Node, l.Item.Input.Deposits)
	}
}

// TestWrongTypesOfTheRest checks the calls that are no commits.
func TestWrongTypesOfTheRest(t *testing.T) {
	s := newScene(t)
	ctx := t.Context()
	s.client.Set(ctx, s.key("run", "spoilt"), "x", 0)
	if _, err := s.Signal(ctx, flox.SignalRequest{Run: "spoilt", Name: "go", ID: "1"}); !errors.Is(err, flox.ErrInvalid) {
		t.Errorf("Signal to a spoilt run = %v, want ErrInvalid", err)
	}
	l := s.begin("r")
	s.commit(flox.Commit{Lease: l.Lease, Op: flox.OpNext, Node: "n", Queue: "q", Read: -1, Delta: []byte("d")}, flox.VerdictReleased)
	s.client.Set(ctx, s.key("state", "r"), "x", 0)
	for _, run := range []string{"r", "spoilt"} {
		if _, err := s.Compact(ctx, flox.CompactRequest{Run: run, Deltas: 1}); !errors.Is(err, flox.ErrInvalid) {
			t.Errorf("Compact of %s = %v, want ErrInvalid", run, err)
		}
	}
	if n := s.client.HExists(ctx, s.key("run", "r"), "sb").Val(); n {
		t.Error("a refused Compact counted what it folded")
	}
}

// TestSpoiltDeadline has the deadline of a run whose errors cannot be written
// pass: the run is left alone, and others' timers are not kept waiting.
func TestSpoiltDeadline(t *testing.T) {
	s := newScene(t)
	ctx := t.Context()
	for _, run := range []string{"spoilt", "late"} {
		req := request(run)
		req.Deadline = time.Millisecond
		if err := s.Start(ctx, req); err != nil {
			t.Fatal(err)
		}
	}
	s.client.Set(ctx, s.key("errors", "spoilt"), "x", 0)
	for began := time.Now(); time.Since(began) < 5*time.Second; {
		if _, err := s.Promote(ctx, 1); err != nil {
			t.Fatalf("Promote = %v", err)
		}
		if info, err := s.Info(ctx, "late"); err != nil || info.Status == flox.StatusFailed {
			break
		}
	}
	for run, want := range map[string]flox.Status{"spoilt": flox.StatusPending, "late": flox.StatusFailed} {
		if info, err := s.Info(ctx, run); err != nil || info.Status != want {
			t.Errorf("run %s is %s, %v, want %s", run, info.Status, err, want)
		}
	}
}

// TestLostDeadline loses the timers of a run.
func TestLostDeadline(t *testing.T) {
	s := newScene(t)
	ctx := t.Context()
	req := request("r")
	req.Deadline = time.Hour
	if err := s.Start(ctx, req); err != nil {
		t.Fatal(err)
	}
	timers := fmt.Sprintf("flox:{%s:0}:delayed", s.Namespace())
	before := s.client.ZRangeWithScores(ctx, timers, 0, -1).Val()
	s.client.Del(ctx, timers)
	if n, err := s.Rebuild(ctx, "r"); n != 0 || err != nil {
		t.Errorf("Rebuild = %d, %v, want no token", n, err)
	}
	after := s.client.ZRangeWithScores(ctx, timers, 0, -1).Val()
	if len(before) != 1 || fmt.Sprint(after) != fmt.Sprint(before) {
		t.Errorf("timers %v, after they were lost %v, want the deadline", before, after)
	}
}
