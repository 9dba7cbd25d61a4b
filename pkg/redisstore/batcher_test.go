package redisstore_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// Pipelines in which some scripts are unknown must run each call exactly once.
func TestBatchesSurviveScriptFlush(t *testing.T) {
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	flushing, stop := context.WithCancel(t.Context())
	var flusher sync.WaitGroup
	flushes := 0
	flusher.Go(func() {
		c := server.Client()
		defer c.Close()
		for flushing.Err() == nil {
			if c.ScriptFlush(flushing).Err() == nil {
				flushes++
			}
		}
	})
	const runs = 2000
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			for j := i; j < runs; j += 50 {
				if err := s.Start(t.Context(), request(fmt.Sprintf("r%d", j))); err != nil {
					t.Errorf("Start = %v, want nil", err)
				}
			}
		})
	}
	wg.Wait()
	stop()
	flusher.Wait()
	if flushes == 0 {
		t.Fatal("no flush came through")
	}
	stats, err := s.Stats(t.Context())
	if err != nil || stats["wf"][flox.StatusRunning] != runs {
		t.Errorf("Stats = %v, %v, want %d running", stats, err, runs)
	}
	queues, err := s.Queues(t.Context(), []string{"q"})
	if err != nil || queues[0].Ready != runs {
		t.Errorf("Queues = %+v, %v, want %d ready", queues, err, runs)
	}
}

// A commit whose record leads to a queue that nobody named gets its stream at
// the second try.
func TestCommitLearnsOfAQueue(t *testing.T) {
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	ctx := t.Context()
	if err := s.Start(ctx, request("a")); err != nil {
		t.Fatal(err)
	}
	entries, err := s.Claim(ctx, flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: 1, Wait: time.Minute})
	if err != nil || len(entries) != 1 {
		t.Fatalf("Claim = %v, %v, want one entry", entries, err)
	}
	loaded, err := s.Load(ctx, entries[0], "owner-1", 3)
	if err != nil || loaded.Grant != flox.GrantOK {
		t.Fatalf("Load = %+v, %v", loaded, err)
	}
	fan := flox.Commit{
		Lease: loaded.Lease, Op: flox.OpFan, Node: "branch", Queue: "q", Read: -1, Keep: true,
		Fan: &flox.Fan{Size: 1, Frame: &flox.FrameSpec{Join: "join", Queue: "far"}},
	}
	if r, err := s.Commit(ctx, fan); err != nil || r.Verdict != flox.VerdictKept {
		t.Fatalf("Commit(fan) = %+v, %v, want kept", r, err)
	}
	deposit := flox.Commit{Lease: loaded.Lease, Op: flox.OpDeposit, Output: []byte("out"), Read: -1}
	deposit.Step++
	if r, err := s.Commit(ctx, deposit); err != nil || r.Verdict != flox.VerdictReleased {
		t.Fatalf("Commit(deposit) = %+v, %v, want released", r, err)
	}
	far, err := s.Claim(ctx, flox.ClaimRequest{Consumer: "w", Queues: []string{"far"}, Max: 1, Wait: time.Minute})
	if err != nil || len(far) != 1 || far[0].Token != flox.JoinToken("0.0") {
		t.Errorf("Claim(far) = %v, %v, want the join's token", far, err)
	}
}
