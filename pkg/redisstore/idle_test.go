package redisstore_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// executed is how often a server has executed a command, also within scripts.
func executed(t *testing.T, c *redis.Client, command string) int {
	t.Helper()
	for line := range strings.Lines(c.Info(t.Context(), "commandstats").Val()) {
		if rest, ok := strings.CutPrefix(line, "cmdstat_"+command+":calls="); ok {
			count, _, _ := strings.Cut(rest, ",")
			n, err := strconv.Atoi(count)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

// A worker that does nothing new says so in one write; one that the server has
// forgotten says everything again.
func TestBeatOfNothingNew(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	c := server.Client()
	defer c.Close()
	wf := flox.WorkflowInfo{Name: "wf", StartQueue: "q", Queues: []string{"q"}}
	if err := s.Register(t.Context(), wf); err != nil {
		t.Fatal(err)
	}
	w := flox.WorkerInfo{ID: "w-1", Name: "w", Queues: []string{"q"}, Slots: 4}
	beat := func() {
		t.Helper()
		time.Sleep(2 * time.Millisecond) // of two beats in one ms the second changes nothing
		if err := s.Beat(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	beat()
	written, moved := executed(t, c, "hset"), executed(t, c, "zadd")
	for range 5 {
		beat()
	}
	if n := executed(t, c, "hset") - written; n != 0 {
		t.Errorf("five beats of nothing new wrote the worker's record %d times, want none", n)
	}
	if n := executed(t, c, "zadd") - moved; n != 5 {
		t.Errorf("five beats were noted %d times, want 5", n)
	}
	w.Slots = 8
	beat()
	if all, err := s.Workers(t.Context()); err != nil || len(all) != 1 || all[0].Slots != 8 {
		t.Errorf("Workers = %+v, %v, want one of 8 slots", all, err)
	}
	if err := c.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	beat()
	if all, err := s.Workers(t.Context()); err != nil || len(all) != 1 || all[0].Slots != 8 {
		t.Errorf("Workers after FLUSHALL and a beat = %+v, %v, want what it was", all, err)
	}
	if all, err := s.Workflows(t.Context()); err != nil || len(all) != 1 || all[0].Name != "wf" {
		t.Errorf("Workflows after FLUSHALL and a beat = %+v, %v, want wf", all, err)
	}
}

// A queue of which nothing is claimed is looked at once in a lease, and one that was
// looked at just before a claim is looked at in time.
func TestReclaimOfAnIdleQueue(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	s := open(t, redisstore.Config{URL: server.URL()})
	c := server.Client()
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.Register(ctx, flox.WorkflowInfo{Name: "wf", StartQueue: "q", Queues: []string{"q"}}); err != nil {
		t.Fatal(err)
	}
	reclaim := func(lease time.Duration) []flox.Entry {
		t.Helper()
		entries, err := s.Reclaim(ctx, flox.ReclaimRequest{Consumer: "w2", Queues: []string{"q"}, Lease: lease, Max: 1})
		if err != nil {
			t.Fatal(err)
		}
		return entries
	}
	for range 5 {
		reclaim(time.Hour)
	}
	if n := executed(t, c, "xpending"); n != 1 {
		t.Errorf("an idle queue was looked at %d times within a lease, want once", n)
	}
	if err := c.Del(ctx, "flox:{"+s.Namespace()+":0}:queue:q").Err(); err != nil { // the stream goes with its group
		t.Fatal(err)
	}
	reclaim(time.Millisecond)
	err := s.Start(ctx, flox.StartRequest{Run: "r", Nonce: "n", Workflow: "wf", Node: "a", Queue: "q", Input: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	reclaim(time.Millisecond)
	claimed, err := s.Claim(ctx, flox.ClaimRequest{Consumer: "w1", Queues: []string{"q"}, Max: 1, Wait: 10 * time.Second})
	if err != nil || len(claimed) != 1 {
		t.Fatalf("Claim = %+v, %v, want an entry", claimed, err)
	}
	const lease = 200 * time.Millisecond
	for len(reclaim(lease)) == 0 {
		time.Sleep(lease / 4)
	}
}
