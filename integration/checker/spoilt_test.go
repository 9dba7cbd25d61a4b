package checker_test

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/internal/testredis"
)

// besideSpoilt is what must be reported although a run is spoilt.
var besideSpoilt = []struct {
	rule, what string
	harm       func(s site)
}{
	{"L4", "an entry of another run", func(s site) { s.do("XADD", "queue:q", "*", "r", "nobody", "t", "0") }},
	{"S9", "an entry of another run", func(s site) { s.do("XADD", "queue:q", "*", "r", "nobody", "t", "0") }},
	{"S11", "a timer of another run", func(s site) { s.do("ZADD", "delayed", 5, "nobody/0") }},
	{"L4", "a mark of another run", func(s site) { s.do("ZADD", "runs:todo", 5, "done") }},
	{"S12", "a count that one run does not explain", func(s site) { s.do("HINCRBY", "stats", "wf:completed", 2) }},
	{"S12", "counts that one run does not explain", func(s site) { s.do("HINCRBY", "stats", "wf:completed", 1) }},
	{"S12", "a count that is too small", func(s site) { s.do("HINCRBY", "stats", "wf:completed", -1) }},
	{"S12", "another run in no index", func(s site) { s.do("ZREM", "runs:completed", "done|wf") }},
	{"L5", "a key that nobody told of", func(s site) { s.do("SET", "strange", "x") }},
}

// TestSpoiltRunsHideNothing damages a run and something else.
func TestSpoiltRunsHideNothing(t *testing.T) {
	server := testredis.Start(t)
	rdb := server.Client()
	defer rdb.Close()
	spoil := func(t *testing.T) (site, checker.Case) {
		s, c := clean(t, rdb), wanted()
		s.do("DEL", "run:busy")
		s.do("SET", "run:busy", "x")
		s.do("SET", "junk", "x")
		s.do("SET", "queue:junk", "x")
		delete(c.Want, "busy")
		c.Rest, c.Spoilt, c.Foreign = true, []string{"busy"}, []string{"junk", "queue:junk"}
		return s, c
	}
	s, c := spoil(t)
	if r := s.judge(c); r.Violations() != 0 {
		t.Errorf("%d violations beside a spoilt run:\n%s", r.Violations(), r.Details())
	}
	for _, b := range besideSpoilt {
		s, c := spoil(t)
		b.harm(s)
		if _, n := s.judge(c).Of(b.rule); n == 0 {
			t.Errorf("%s: %s was not reported", b.what, b.rule)
		}
	}
}

// TestFollowLeavesSpoiltRuns begins anew after a run was damaged: it is still left
// out, and its partition's other runs are not.
func TestFollowLeavesSpoiltRuns(t *testing.T) {
	f := follow(t)
	ctx := t.Context()
	f.start("hit", 1)
	f.start("other", 1)
	f.watch.Leave("hit")
	if err := f.rdb.HSet(ctx, "flox:{n:0}:run:hit", "created", 7).Err(); err != nil {
		t.Fatal(err)
	}
	if err := f.rdb.ClientKillByFilter(ctx, "TYPE", "normal", "SKIPME", "yes").Err(); err != nil {
		t.Fatal(err)
	}
	if r := f.report(); r.Counts["reconnects"] == 0 {
		t.Fatal("following did not begin anew")
	}
	for _, run := range []string{"hit", "other"} {
		err := redis.NewScript(nextScript).Run(ctx, f.rdb, []string{"flox:{n:0}:run:" + run}, run, "0", "nobody-1", "0").Err()
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, n := f.report().Of("S3"); n != 1 {
		t.Errorf("commits of nobody's were reported %d times, want once: that of the other run", n)
	}
}
