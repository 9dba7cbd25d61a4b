package redisstore

import (
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"github.com/floxrun/flox/pkg/flox"
)

// failedRun is a store with a run that has failed at its first node.
func failedRun(t *testing.T) (*Store, *miniredis.Miniredis) {
	t.Helper()
	s, m, l := leased(t)
	fail := flox.Commit{Lease: l.Lease, Read: -1, Op: flox.OpFail, Cause: "boom"}
	if res, err := s.Commit(t.Context(), fail); err != nil || res.Verdict != flox.VerdictReleased {
		t.Fatalf("Commit = %+v, %v", res, err)
	}
	return s, m
}

// leased is a store with a run whose first item is with a worker.
func leased(t *testing.T) (*Store, *miniredis.Miniredis, flox.Loaded) {
	t.Helper()
	m := miniredis.RunT(t)
	s, err := Open(t.Context(), Config{URL: "redis://" + m.Addr(), Embedded: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	err = s.Start(t.Context(), flox.StartRequest{Run: "r", Nonce: "born", Workflow: "wf", Node: "first", Queue: "q", Input: []byte("in")})
	if err != nil {
		t.Fatal(err)
	}
	entries, err := s.Claim(t.Context(), flox.ClaimRequest{Consumer: "c", Queues: []string{"q"}, Max: 1, Wait: time.Minute})
	if err != nil || len(entries) != 1 {
		t.Fatalf("Claim = %v, %v", entries, err)
	}
	l, err := s.Load(t.Context(), entries[0], "own", 3)
	if err != nil || l.Grant != flox.GrantOK {
		t.Fatalf("Load = %+v, %v", l, err)
	}
	return s, m, l
}

// TestRetryFromWithoutItsToken retries a run from a node that has lost the only
// token it counts: it is refused, instead of asking for the token for ever.
func TestRetryFromWithoutItsToken(t *testing.T) {
	s, m := failedRun(t)
	_, p := s.keys.of("r")
	m.HDel(p.run("r"), "t:0")
	_, err := s.Control(t.Context(), flox.ControlRequest{Run: "r", Op: flox.ControlRetry, Nonce: "n", From: "first"})
	if !errors.Is(err, flox.ErrRefused) {
		t.Errorf("Control = %v, want it refused", err)
	}
}

// TestLostInputIsNotKept commits an item whose input was lost meanwhile: it is no
// visit to go back to.
func TestLostInputIsNotKept(t *testing.T) {
	s, m, l := leased(t)
	_, p := s.keys.of("r")
	m.HDel(p.run("r"), "i:0")
	next := flox.Commit{Lease: l.Lease, Read: -1, Op: flox.OpNext, Node: "second", Queue: "q", Input: []byte("in")}
	if res, err := s.Commit(t.Context(), next); err != nil || res.Verdict != flox.VerdictReleased {
		t.Fatalf("Commit = %+v, %v", res, err)
	}
	if kept := m.HGet(p.run("r"), "kept"); kept != "" {
		t.Errorf("kept are %s, want none", kept)
	}
}
