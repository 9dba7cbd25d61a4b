package checker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/floxrun/flox/integration/checker"
	"github.com/floxrun/flox/internal/testredis"
)

// site is a namespace whose raw keys the test writes itself.
type site struct {
	t   *testing.T
	rdb *redis.Client
	ns  string
}

func (s site) key(name string) string { return "flox:{" + s.ns + ":0}:" + name }

func (s site) do(args ...any) {
	s.t.Helper()
	args[1] = s.key(args[1].(string))
	if err := s.rdb.Do(s.t.Context(), args...).Err(); err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
}

func step(item, node, outcome string) string { return tried(item, node, outcome, 1) }

func tried(item, node, outcome string, attempt int) string {
	return fmt.Sprintf("1700000000000|%s|%s|%s|%d|w1|5", item, node, outcome, attempt)
}

func delta(items ...string) string {
	b, err := msgpack.Marshal(map[string]any{"more": map[string]int{"x": 1}, "items": items})
	if err != nil {
		panic(err)
	}
	return "\x00" + string(b)
}

// record is that of a token which no join has made.
func record(place, entry, owner string, step int, due int64) string {
	return fmt.Sprintf("%s|%s|%s|%d|work|q|0|0|||0||0|0|0|0|0|%d|0", place, entry, owner, step, due)
}

// fanned is the history of a run that fans out to three branches, which join.
var fanned = []string{
	step("0.0", "split", "fan"), step("0.1", "part", "deposit"), step("0.0.1.0", "part", "deposit"),
	step("0.0.2.0", "part", "deposit"), step("0.0.j.0", "sum", "next"), step("0.0.j.1", "last", "end"),
}

var fannedItems = []string{"0.0", "0.1", "0.0.1.0", "0.0.2.0", "0.0.j.0", "0.0.j.1"}

// clean writes a namespace with nothing wrong: a run that has completed, and one
// whose tokens are leased, ready, delayed, waiting and parked.
func clean(t *testing.T, rdb *redis.Client) site {
	t.Helper()
	s := site{t, rdb, fmt.Sprintf("n%d", time.Now().UnixNano())}
	s.do("HSET", "run:done", "status", "completed", "workflow", "wf", "created", 6, "committed", 6, "live", 0, "outs", 1, "sv", 6, "sb", 2)
	for i, h := range fanned {
		s.do("HSET", "run:done", fmt.Sprintf("h:%d", i+1), h)
	}
	s.do("RPUSH", "state:done", delta("0.0", "0.1"), delta("0.0.1.0"), delta("0.0.2.0"), delta("0.0.j.0"), delta("0.0.j.1"))
	s.do("ZADD", "runs:completed", 1700000000001, "done|wf")
	s.do("HSET", "stats", "wf:completed", 1, "wf:running", 1)

	s.group("XGROUP", "CREATE", s.key("queue:q"), "flox", "0", "MKSTREAM")
	s.do("XADD", "queue:q", "5-1", "r", "busy", "t", "0")
	s.do("XADD", "queue:q", "5-2", "r", "busy", "t", "0.0.1")
	due := time.Now().Add(time.Hour).UnixMilli()
	s.do("HSET", "run:busy", "status", "running", "workflow", "wf", "created", 6, "committed", 1, "live", 5, "parked", 1, "sv", 1,
		"deadline", due,
		"t:0", record("q", "5-1", "w1-1", 1, 0), "t:0.0.1", record("q", "5-2", "", 0, 0), "t:0.0.2", record("d", "", "", 0, due),
		"t:0.0.3", record("w", "", "", 0, due), "t:0.0.4", record("p", "", "", 0, 0))
	s.do("HSET", "run:busy", "h:1", step("0.0", "split", "fan"))
	s.do("RPUSH", "state:busy", delta("0.0"))
	s.do("ZADD", "delayed", due, "busy/0.0.2", due, "busy/0.0.3", due, "busy/")
	s.do("ZADD", "runs:active", 1700000000000, "busy|wf")
	s.do("ZADD", "runs:todo", 1700000000000, "busy")
	err := rdb.XReadGroup(t.Context(), &redis.XReadGroupArgs{
		Group: "flox", Consumer: "w1", Streams: []string{s.key("queue:q"), ">"}, Count: 1,
	}).Err()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// XGROUP has its key at another place.
func (s site) group(args ...any) {
	s.t.Helper()
	if err := s.rdb.Do(s.t.Context(), args...).Err(); err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
}

func (s site) judge(c checker.Case) *checker.Report {
	s.t.Helper()
	return s.read().Judge(c)
}

func (s site) read() *checker.Snapshot {
	s.t.Helper()
	snapshot, err := checker.Read(s.t.Context(), checker.Namespace{Name: s.ns, Partitions: 1, Masters: []*redis.Client{s.rdb}})
	if err != nil {
		s.t.Fatal(err)
	}
	return snapshot
}

// executed is a log in which each item was started and ended once.
func executed(run string, items ...string) []checker.Execution {
	var log []checker.Execution
	for _, item := range items {
		e := checker.Execution{Event: checker.Start, Run: run, Item: item, Attempt: 1}
		if item == "0.0.j.0" {
			e.Inputs = []string{"0.1", "0.0.1.0", "0.0.2.0"}
		}
		log = append(log, e)
		e.Event = checker.End
		log = append(log, e)
	}
	return log
}

func wanted() checker.Case {
	return checker.Case{
		Log:  append(executed("done", fannedItems...), executed("busy", "0.0", "0.1")...),
		Want: map[string]checker.Want{"done": {Status: "completed", Committed: 6, Outputs: 1}, "busy": {Status: "running"}},
		Gone: []string{"gone"},
	}
}

func TestCleanKeysAreRight(t *testing.T) {
	server := testredis.Start(t)
	rdb := server.Client()
	defer rdb.Close()
	r := clean(t, rdb).judge(wanted())
	if r.Violations() != 0 {
		t.Errorf("a clean namespace has %d violations:\n%s", r.Violations(), r.Details())
	}
	for _, rule := range []string{"S1", "S2", "S4", "S5", "S9", "S10", "S11", "S12", "S14", "L1", "L5"} {
		if n, _ := r.Of(rule); n == 0 {
			t.Errorf("%s has judged nothing", rule)
		}
	}
}

// broken are namespaces with one thing wrong, and the rule that must say so.
var broken = []struct {
	rule, what string
	harm       func(s site, c *checker.Case)
}{
	{"S1", "a delta is missing", func(s site, _ *checker.Case) {
		s.do("RPOP", "state:done")
		s.do("HSET", "run:done", "sv", 5)
	}},
	{"S1", "a delta is there twice", func(s site, _ *checker.Case) {
		s.do("RPUSH", "state:done", delta("0.0.1.0"))
		s.do("HSET", "run:done", "sv", 7)
	}},
	{"S1", "a delta of an item that was not committed", func(s site, _ *checker.Case) {
		s.do("RPUSH", "state:done", delta("0.7"))
		s.do("HSET", "run:done", "sv", 7)
	}},
	{"S1", "the log is not as long as its version", func(s site, _ *checker.Case) { s.do("HSET", "run:done", "sv", 9) }},
	{"S1", "a delta cannot be read", func(s site, _ *checker.Case) { s.do("LSET", "state:done", 1, "\x00\x81\xa5items\xdd\xff\xff\xff\xff") }},
	{"S1", "a history record cannot be read", func(s site, _ *checker.Case) { s.do("HSET", "run:done", "h:2", "rubbish") }},
	{"S1", "a token cannot be read", func(s site, _ *checker.Case) { s.do("HSET", "run:busy", "t:0.0.4", "p|x") }},
	{"S2", "the successor of an item is missing", func(s site, _ *checker.Case) { s.do("HSET", "run:done", "h:6", step("1.0", "last", "end")) }},
	{"S2", "a branch is missing", func(s site, _ *checker.Case) { s.do("HDEL", "run:busy", "t:0.0.2") }},
	{"S2", "branch 0 is missing", func(s site, _ *checker.Case) { s.do("HDEL", "run:busy", "t:0") }},
	{"S2", "a branch of an item that made none", func(s site, _ *checker.Case) { s.do("HSET", "run:busy", "t:0.1.1", record("p", "", "", 0, 0)) }},
	{"S2", "a token went on after its end", func(s site, _ *checker.Case) { s.do("HSET", "run:done", "h:7", step("0.0.j.2", "x", "end")) }},
	{"S2", "a step was left out", func(s site, _ *checker.Case) { s.do("HSET", "run:busy", "t:0", record("q", "5-1", "w1-1", 3, 0)) }},
	{"S2", "an id that no path gives", func(s site, _ *checker.Case) { s.do("HSET", "run:busy", "t:0.0.x", record("p", "", "", 0, 0)) }},
	{"S2", "an execution that nothing led to", func(_ site, c *checker.Case) { c.Log = append(c.Log, executed("busy", "0.2")...) }},
	{"S2", "an execution of an unknown branch", func(_ site, c *checker.Case) { c.Log = append(c.Log, executed("busy", "0.1.1.0")...) }},
	{"S2", "not as many items as wanted", func(_ site, c *checker.Case) {
		c.Want = map[string]checker.Want{"done": {Committed: 7}}
	}},
	{"S4", "an item was committed twice", func(s site, _ *checker.Case) { s.do("HSET", "run:done", "h:7", fanned[1]) }},
	{"S5", "a join was given a branch twice", func(_ site, c *checker.Case) { inputs(c, "0.1", "0.1", "0.0.1.0", "0.0.2.0") }},
	{"S5", "a join lacks a branch", func(_ site, c *checker.Case) { inputs(c, "0.1", "0.0.2.0") }},
	{"S5", "a join was given its branches out of order", func(_ site, c *checker.Case) { inputs(c, "0.0.2.0", "0.1", "0.0.1.0") }},
	{"S5", "a join was given what is none of its branches", func(_ site, c *checker.Case) { inputs(c, "0.1", "0.0.1.0", "0.0.2.0", "0.0") }},
	{"S5", "a join was given other branches when it was done again", func(_ site, c *checker.Case) {
		again := executed("done", "0.0.j.0")
		again[0].Inputs = again[0].Inputs[:2]
		c.Log = append(c.Log, again...)
	}},
	{"S9", "the ledger", func(s site, _ *checker.Case) { s.do("HINCRBY", "run:done", "created", 1) }},
	{"S9", "the count of live tokens", func(s site, _ *checker.Case) {
		s.do("HINCRBY", "run:busy", "live", 1)
		s.do("HINCRBY", "run:busy", "created", 1)
	}},
	{"S9", "the count of parked tokens", func(s site, _ *checker.Case) { s.do("HINCRBY", "run:busy", "parked", 1) }},
	{"S9", "a history without a record", func(s site, _ *checker.Case) { s.do("HDEL", "run:done", "h:6") }},
	{"S9", "a history with a record too many", func(s site, _ *checker.Case) { s.do("HSET", "run:done", "h:17", fanned[5]) }},
	{"S9", "a record in the list that has a place in the run", func(s site, _ *checker.Case) {
		s.do("HDEL", "run:done", "h:6")
		s.do("RPUSH", "history:done", fanned[5])
	}},
	{"S9", "a token without an entry", func(s site, _ *checker.Case) { s.do("XDEL", "queue:q", "5-2") }},
	{"S9", "a queue with an entry too many", func(s site, _ *checker.Case) { s.do("XADD", "queue:q", "*", "r", "busy", "t", "0.0.1") }},
	{"S10", "an entry that was delivered and is pending with nobody", func(s site, _ *checker.Case) {
		s.group("XGROUP", "DELCONSUMER", s.key("queue:q"), "flox", "w1")
	}},
	{"S10", "a pending entry that is not there", func(s site, _ *checker.Case) { s.do("XDEL", "queue:q", "5-1") }},
	{"S10", "a lease whose entry is pending with nobody", func(s site, _ *checker.Case) {
		s.do("HSET", "run:busy", "t:0.0.1", record("q", "5-2", "w2-9", 0, 0))
	}},
	{"S11", "a delayed token without a timer", func(s site, _ *checker.Case) { s.do("ZREM", "delayed", "busy/0.0.2") }},
	{"S11", "a wait without its timer", func(s site, _ *checker.Case) { s.do("ZREM", "delayed", "busy/0.0.3") }},
	{"S11", "a timer at another time", func(s site, _ *checker.Case) { s.do("ZADD", "delayed", 5, "busy/0.0.2") }},
	{"S11", "a timer of a token in the queue", func(s site, _ *checker.Case) { s.do("ZADD", "delayed", 5, "busy/0") }},
	{"S11", "a timer of nothing", func(s site, _ *checker.Case) { s.do("ZADD", "delayed", 5, "other/0") }},
	{"S11", "a deadline without its timer", func(s site, _ *checker.Case) { s.do("ZREM", "delayed", "busy/") }},
	{"S11", "a deadline of a run that has ended", func(s site, _ *checker.Case) { s.do("ZADD", "delayed", 5, "done/") }},
	{"S12", "a count", func(s site, _ *checker.Case) { s.do("HINCRBY", "stats", "wf:completed", 1) }},
	{"S12", "a count that is not there", func(s site, _ *checker.Case) { s.do("HDEL", "stats", "wf:running") }},
	{"S12", "a run in no index", func(s site, _ *checker.Case) { s.do("ZREM", "runs:completed", "done|wf") }},
	{"S12", "a run in another index too", func(s site, _ *checker.Case) { s.do("ZADD", "runs:failed", 5, "done|wf") }},
	{"S12", "an index with a run that is not there", func(s site, _ *checker.Case) { s.do("ZADD", "runs:failed", 5, "gone|wf") }},
	{"S12", "work left and no mark", func(s site, _ *checker.Case) { s.do("ZREM", "runs:todo", "busy") }},
	{"S14", "an item that was started too often", func(_ site, c *checker.Case) {
		for range 5 {
			c.Log = append(c.Log, executed("busy", "0.1")[0])
		}
	}},
	{"L1", "a run that has not ended", func(_ site, c *checker.Case) { c.Want["busy"] = checker.Want{Status: "completed"} }},
	{"L1", "a run that is not there", func(_ site, c *checker.Case) { c.Want["more"] = checker.Want{Status: "completed"} }},
	{"L4", "entries at rest", func(_ site, c *checker.Case) { c.Rest = true }},
	{"L5", "a run that should be gone", func(_ site, c *checker.Case) { c.Gone = []string{"done"} }},
	{"L5", "a key of a run that is gone", func(s site, _ *checker.Case) { s.do("DEL", "run:done") }},
	{"L5", "a mark of a run that is gone", func(s site, _ *checker.Case) { s.do("ZADD", "runs:todo", 5, "gone") }},
	{"L5", "an entry of a run that is gone", func(s site, _ *checker.Case) { s.do("XADD", "queue:q", "*", "r", "gone", "t", "0") }},
	{"L5", "a timer of a run that is gone", func(s site, _ *checker.Case) { s.do("ZADD", "delayed", 5, "gone/0") }},
	{"L5", "an index with a run that is gone", func(s site, _ *checker.Case) { s.do("ZADD", "runs:failed", 5, "gone|wf") }},
	{"L5", "a key that belongs to nothing", func(s site, _ *checker.Case) { s.do("SET", "strange", "x") }},
	{"L5", "a key of another type", func(s site, _ *checker.Case) {
		s.do("DEL", "delayed")
		s.do("SET", "delayed", "x")
	}},
	{"L7", "more consumers than workers", func(s site, c *checker.Case) {
		c.Rest, c.Consumers = true, 1
		s.group("XGROUP", "CREATECONSUMER", s.key("queue:q"), "flox", "w2")
	}},
}

func inputs(c *checker.Case, items ...string) {
	for i, e := range c.Log {
		if e.Item == "0.0.j.0" {
			c.Log[i].Inputs = items
		}
	}
}

func TestBrokenKeysAreReported(t *testing.T) {
	server := testredis.Start(t)
	rdb := server.Client()
	defer rdb.Close()
	for _, b := range broken {
		t.Run(b.rule+" "+strings.ReplaceAll(b.what, " ", "-"), func(t *testing.T) {
			s, c := clean(t, rdb), wanted()
			b.harm(s, &c)
			if r := s.judge(c); r.Violations() == 0 {
				t.Errorf("%s: nothing was reported", b.what)
			} else if _, n := r.Of(b.rule); n == 0 {
				t.Errorf("%s: %s was not reported, but\n%s", b.what, b.rule, r.Details())
			}
		})
	}
}

// TestSpoiltRunsAreLeftOut damages a run on purpose and says so.
func TestSpoiltRunsAreLeftOut(t *testing.T) {
	server := testredis.Start(t)
	rdb := server.Client()
	defer rdb.Close()
	s, c := clean(t, rdb), wanted()
	s.do("HSET", "run:busy", "t:0", "q|", "created", "x")
	s.do("DEL", "history:busy")
	s.do("SET", "history:busy", "x")
	c.Spoilt = []string{"busy"}
	if r := s.judge(c); r.Violations() != 0 {
		t.Errorf("%d violations:\n%s", r.Violations(), r.Details())
	}
}

// TestLostCommitsAreCounted says that writes were lost: what was executed after
// them is counted, and no violation.
func TestLostCommitsAreCounted(t *testing.T) {
	server := testredis.Start(t)
	rdb := server.Client()
	defer rdb.Close()
	s, c := clean(t, rdb), wanted()
	c.Log = append(c.Log, executed("busy", "0.2", "0.0.1.1")...)
	c.Lost = true
	r := s.judge(c)
	if r.Violations() != 0 || r.Counts["lost"] != 2 {
		t.Errorf("%d commits lost, want 2; %d violations:\n%s", r.Counts["lost"], r.Violations(), r.Details())
	}
}

func TestReportKeepsAFewTexts(t *testing.T) {
	var r, sum checker.Report
	for i := range 30 {
		r.Judged("S10", 1)
		r.Violate("S10", "number %d", i)
	}
	r.Judged("S2", 3)
	r.Judged("L1", 1)
	sum.Add(&r)
	sum.Add(&r)
	if got, want := sum.String(), "S2:6 S10:60!60 L1:2"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
	lines := strings.Split(strings.TrimSpace(sum.Details()), "\n")
	if len(lines) != 11 || !slices.Contains(lines, "S10: number 9") || lines[10] != "S10: and 50 more" {
		t.Errorf("Details() = %q", lines)
	}
}

// TestRest judges a namespace in which nothing goes on: one that is clean, and one
// with something left of each kind.
func TestRest(t *testing.T) {
	server := testredis.Start(t)
	rdb := server.Client()
	defer rdb.Close()
	calm := func(t *testing.T) (site, checker.Case) {
		s, c := clean(t, rdb), wanted()
		delete(c.Want, "busy")
		c.Log = executed("done", fannedItems...)
		c.Gone, c.Rest = []string{"busy"}, true
		for _, key := range []string{"run:busy", "history:busy", "state:busy", "delayed", "runs:active", "runs:todo", "queue:q"} {
			s.do("DEL", key)
		}
		s.do("HDEL", "stats", "wf:running")
		return s, c
	}
	s, c := calm(t)
	if r := s.judge(c); r.Violations() != 0 {
		t.Fatalf("%d violations:\n%s", r.Violations(), r.Details())
	}
	for what, leave := range map[string]func(s site){
		"an entry":         func(s site) { s.do("XADD", "queue:q", "*", "r", "done", "t", "0") },
		"a timer":          func(s site) { s.do("ZADD", "delayed", 5, "done/0") },
		"a mark":           func(s site) { s.do("ZADD", "runs:todo", 5, "done") },
		"a frame":          func(s site) { s.do("HSET", "run:done", "f:0.0", "1|2") },
		"an input":         func(s site) { s.do("HSET", "run:done", "i:0", "x") },
		"a parked token":   func(s site) { s.do("HSET", "run:done", "parked", 1) },
		"a run that waits": func(s site) { s.do("HSET", "run:done", "status", "running") },
		"a pending entry": func(s site) {
			s.group("XGROUP", "CREATE", s.key("queue:q"), "flox", "0", "MKSTREAM")
			s.do("XADD", "queue:q", "5-1", "r", "done", "t", "0")
			s.group("XREADGROUP", "GROUP", "flox", "w1", "STREAMS", s.key("queue:q"), ">")
			s.do("XDEL", "queue:q", "5-1")
		},
	} {
		s, c := calm(t)
		leave(s)
		if _, n := s.judge(c).Of("L4"); n == 0 {
			t.Errorf("%s that is left was not reported", what)
		}
	}
}
