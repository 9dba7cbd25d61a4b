package checker_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/internal/testredis"
)

// startScript is what a script of flox' does when it starts a run, less what does
// not matter here. ARGV[3] is how many items it says it has created.
const startScript = `
-- ARGV[1] run id
local eid = redis.call('XADD', KEYS[2], '*', 'r', ARGV[1], 't', '0')
redis.call('HSET', KEYS[1], 'status', 'running', 'workflow', 'wf', 'live', 1, 'created', ARGV[3],
  't:0', 'q|' .. eid .. '||0|work|q|0|0|||0||0|0|0|0|0|0|0')
redis.call('HINCRBY', KEYS[3], 'wf:running', 1)
return ARGV[2]
`

// nextScript commits an item, for anybody who asks.
const nextScript = `
-- ARGV[1] run id
-- ARGV[2] token
-- ARGV[3] owner
-- ARGV[4] step
redis.call('HSET', KEYS[1], 'created', 2, 'committed', 1)
return 0
`

type followed struct {
	t      *testing.T
	server *testredis.Server
	rdb    *redis.Client
	watch  *checker.Watch
}

func follow(t *testing.T) followed {
	t.Helper()
	server := testredis.Start(t)
	f := followed{t, server, server.Client(), nil}
	var err error
	if f.watch, err = checker.Follow(t.Context(), server.Addr(), "flox:{n:"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.watch.Close(); err != nil {
			t.Error(err)
		}
		f.rdb.Close()
	})
	return f
}

func (f followed) report() *checker.Report {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	defer cancel()
	r, err := f.watch.Report(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	return r
}

// start starts a run as the script says.
func (f followed) start(run string, created int) {
	f.t.Helper()
	keys := []string{"flox:{n:0}:run:" + run, "flox:{n:0}:queue:q", "flox:{n:0}:stats"}
	if err := redis.NewScript(startScript).Run(f.t.Context(), f.rdb, keys, run, "x", created).Err(); err != nil {
		f.t.Fatal(err)
	}
}

// TestMonitorOrder pins what all judging rests on: a script's own line comes
// first, then those of its commands, and nothing in between.
func TestMonitorOrder(t *testing.T) {
	f := follow(t)
	stop := make(chan struct{})
	other := f.server.Client()
	defer other.Close()
	done := make(chan struct{})
	go func() { // what must not come in between
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				other.HGet(t.Context(), "flox:{n:0}:run:nobody", "x")
			}
		}
	}()
	for n := range 300 {
		f.start(fmt.Sprint("run-", n), 1)
	}
	close(stop)
	<-done
	r := f.report()
	if r.Violations() != 0 {
		t.Errorf("%d violations:\n%s", r.Violations(), r.Details())
	}
	if n, _ := r.Of("S15"); n != 300 || r.Counts["unknown scripts"] != 0 {
		t.Errorf("%d scripts that wrote to a run were judged, %d unknown, want 300 and none", n, r.Counts["unknown scripts"])
	}
	if n, _ := r.Of("S9"); n < 600 {
		t.Errorf("the ledger and the entry of 300 runs were judged %d times", n)
	}
}

func TestFollowReports(t *testing.T) {
	f := follow(t)
	f.start("good", 1)
	if r := f.report(); r.Violations() != 0 {
		t.Fatalf("%d violations:\n%s", r.Violations(), r.Details())
	}
	f.start("bad", 2)
	if _, n := f.report().Of("S9"); n != 1 {
		t.Errorf("an uneven ledger was reported %d times, want once", n)
	}
	err := redis.NewScript(nextScript).Run(t.Context(), f.rdb, []string{"flox:{n:0}:run:good"}, "good", "0", "nobody-1", "0").Err()
	if err != nil {
		t.Fatal(err)
	}
	if _, n := f.report().Of("S3"); n != 1 {
		t.Errorf("a commit of nobody's was reported %d times, want once", n)
	}
}

// TestFollowSurvivesARestart kills the server: what is there afterwards is known,
// and what comes is judged by it.
func TestFollowSurvivesARestart(t *testing.T) {
	f := follow(t)
	f.start("before", 1)
	f.report()
	if err := f.rdb.ConfigSet(t.Context(), "appendfsync", "always").Err(); err != nil {
		t.Fatal(err)
	}
	f.start("last", 1)
	if err := f.server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := f.report()
	if r.Counts["reconnects"] == 0 {
		t.Error("nothing tells of the lost connection")
	}
	judged, _ := r.Of("S3")
	// The run is known: it is there, and its lease is nobody's.
	err := redis.NewScript(nextScript).Run(t.Context(), f.rdb, []string{"flox:{n:0}:run:last"}, "last", "0", "nobody-1", "0").Err()
	if err != nil {
		t.Fatal(err)
	}
	r = f.report()
	if n, wrong := r.Of("S3"); n != judged+1 || wrong != 1 {
		t.Errorf("S3 has judged %d and reported %d, want one more than %d, and one:\n%s", n, wrong, judged, r.Details())
	}
	if _, wrong := r.Of("S8"); wrong != 0 {
		t.Errorf("the run is not known after the restart:\n%s", r.Details())
	}
}

// touchScript changes something of a token, wherever it stands.
const touchScript = `
-- ARGV[1] run id
redis.call('HSET', KEYS[1], 't:0', (string.gsub(redis.call('HGET', KEYS[1], 't:0'), 'work', 'more')))
return 0
`

// TestFollowAfterAQueueWasLost begins anew when a queue is gone already: tokens that
// stood in it are not reported whenever they are touched.
func TestFollowAfterAQueueWasLost(t *testing.T) {
	f := follow(t)
	ctx := t.Context()
	f.start("here", 1)
	if err := f.rdb.Del(ctx, "flox:{n:0}:queue:q").Err(); err != nil {
		t.Fatal(err)
	}
	if err := f.rdb.ClientKillByFilter(ctx, "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
		t.Fatal(err)
	}
	if r := f.report(); r.Counts["reconnects"] == 0 {
		t.Fatal("following did not begin anew")
	}
	if err := redis.NewScript(touchScript).Run(ctx, f.rdb, []string{"flox:{n:0}:run:here"}, "here").Err(); err != nil {
		t.Fatal(err)
	}
	r := f.report()
	if judged, wrong := r.Of("S11"); judged == 0 || wrong != 0 {
		t.Errorf("S11 has judged %d and reported %d:\n%s", judged, wrong, r.Details())
	}
}

// TestFollowLostConnections cuts the connection in which it follows, while there is
// work.
func TestFollowLostConnections(t *testing.T) {
	f := follow(t)
	for n := range 200 {
		f.start(fmt.Sprint("run-", n), 1)
		if n%50 == 49 {
			f.rdb.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes")
		}
	}
	r := f.report()
	if r.Violations() != 0 || r.Counts["reconnects"] == 0 {
		t.Errorf("%d reconnects, %d violations:\n%s", r.Counts["reconnects"], r.Violations(), r.Details())
	}
}

// TestFollowReplica judges nothing that a replica is sent, and begins when it is a
// master.
func TestFollowReplica(t *testing.T) {
	f := follow(t)
	f.start("early", 1)
	replica := testredis.Start(t)
	rdb := replica.Client()
	defer rdb.Close()
	host, port, _ := strings.Cut(f.server.Addr(), ":")
	if err := rdb.ReplicaOf(t.Context(), host, port).Err(); err != nil {
		t.Fatal(err)
	}
	w, err := checker.Follow(t.Context(), replica.Addr(), "flox:{n:")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	f.start("later", 2) // which is wrong, but not the replica's fault
	for deadline := time.Now().Add(time.Minute); rdb.Exists(t.Context(), "flox:{n:0}:run:later").Val() == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the replica does not follow its master")
		}
	}
	r, err := w.Report(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Judgements() != 0 {
		t.Errorf("a replica was judged: %s", r)
	}
	if err := rdb.ReplicaOf(t.Context(), "NO", "ONE").Err(); err != nil {
		t.Fatal(err)
	}
	promoted := followed{t, replica, rdb, w}
	judged := func() int { n, _ := promoted.report().Of("S15"); return n }
	for n, deadline := 0, time.Now().Add(time.Minute); judged() == 0; n++ {
		promoted.start(fmt.Sprint("new-", n), 1)
		if time.Now().After(deadline) {
			t.Fatal("nothing is judged on the new master")
		}
	}
	if r := promoted.report(); r.Violations() != 0 {
		t.Errorf("%d violations:\n%s", r.Violations(), r.Details())
	}
}
