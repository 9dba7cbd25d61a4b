package checker

import (
	"strings"
	"testing"
	"time"
)

func TestCleanStoryIsRight(t *testing.T) {
	p := newTape(t)
	p.story()
	r := p.end()
	if r.Violations() != 0 {
		t.Errorf("a clean story has %d violations:\n%s", r.Violations(), r.Details())
	}
	for _, rule := range []string{"S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S14", "S15", "S16", "L2", "L5"} {
		if n, _ := r.Of(rule); n == 0 {
			t.Errorf("%s has judged nothing", rule)
		}
	}
	if n := r.Counts["unknown scripts"]; n != 0 {
		t.Errorf("%d scripts are unknown", n)
	}
	if late := r.Measures["L2 takeover"]; late <= 0 || late > 0.1 {
		t.Errorf("the takeover was %v s late, want some ms", late)
	}
}

// TestEntriesOfTwoQueues lets a token go on in another queue, where its entry has
// the id that the one before had.
func TestEntriesOfTwoQueues(t *testing.T) {
	p := newTape(t)
	p.granted()
	p.script(leaseScript, runKeys+" @queue:r", "a 0 w1-1 0", "HMGET @run:a status", "XACK @queue:q flox 1-1", "XDEL @queue:q 1-1",
		"XADD @queue:r * r a t 0", "HSET @run:a committed 1 created 2 t:0 "+tok("q", "1-1", "", 1, "queue=r"))
	if r := p.end(); r.Violations() != 0 {
		t.Errorf("it has %d violations:\n%s", r.Violations(), r.Details())
	}
}

// wrong are stories in which one thing is wrong, and the rule that must say so.
var wrong = []struct {
	rule, what string
	tell       func(p *tape)
}{
	{"S1", "two deltas for one commit", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "RPUSH @state:a d d", "HSET @run:a sv 2 committed 1 created 2 t:0 "+tok("q", "1-1", "w1-1", 1))
	}},
	{"S1", "a delta without a commit", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "RPUSH @state:a d", "HSET @run:a sv 1")
	}},
	{"S1", "a delta that is not counted", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "RPUSH @state:a d", "HSET @run:a committed 1 created 2 t:0 "+tok("q", "1-1", "w1-1", 1))
	}},
	{"S2", "a token that no committed item made", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "XADD @queue:q * r a t 0.5.1", "HSET @run:a live 2 created 2 t:0.5.1 "+tok("q", "1-9", "", 0))
	}},
	{"S2", "a token whose name is no path", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "XADD @queue:q * r a t x", "HSET @run:a live 2 created 2 t:x "+tok("q", "1-9", "", 0))
	}},
	{"S2", "a step without a commit", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "HSET @run:a t:0 "+tok("q", "1-1", "w1-1", 1))
	}},
	{"S2", "two steps at once", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "HSET @run:a committed 1 created 2 t:0 "+tok("q", "1-1", "w1-1", 2))
	}},
	{"S2", "a successor that is not there", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "HSET @run:a committed 1 dropped -1 created 2 live 2 t:0 "+tok("q", "1-1", "w1-1", 0))
	}},
	{"S3", "a commit of a zombie", func(p *tape) {
		p.granted()
		p.lease("0", "w9-9", 0, "HSET @run:a committed 1 created 2 t:0 "+tok("q", "1-1", "w1-1", 1))
	}},
	{"S3", "a commit of a step that is over", func(p *tape) {
		p.granted()
		p.next(0, 1)
		p.next(1, 2)
		p.lease("0", "w1-1", 0, "HSET @run:a x 1")
	}},
	{"S3", "a lease renewed by another", func(p *tape) {
		p.granted()
		p.script("-- ARGV[1] token\n-- ARGV[2] owner\n", "@run:a @queue:q", "0 w9-9", "XCLAIM @queue:q flox w9 0 1-1 JUSTID")
	}},
	{"S4", "a commit that took effect twice", func(p *tape) {
		p.granted()
		p.next(0, 1)
		p.lease("0", "w1-1", 0, "HSET @run:a committed 2 created 3 t:0 "+tok("q", "1-1", "w1-1", 2))
	}},
	{"S4", "an item committed again by another", func(p *tape) {
		p.granted()
		p.next(0, 1)
		p.script(plainScript, runKeys, "a", "HSET @run:a t:0 "+tok("q", "1-1", "", 0))
		p.load("0", "1-1", "w1-1", 0)
		p.next(0, 2)
	}},
	{"S9", "a record in the place of another", func(p *tape) {
		p.granted()
		p.next(0, 1)
		p.lease("0", "w1-1", 1, "HSET @run:a h:1 h committed 2 created 3 t:0 "+tok("q", "1-1", "w1-1", 2))
	}},
	{"S9", "a record without a commit", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "HSET @run:a h:1 h")
	}},
	{"S5", "a join that fired with a branch out", func(p *tape) {
		p.granted()
		p.fan()
		p.load("0.0.1", "1-2", "w2-1", 0, "frame=0.0", "idx=1")
		p.fire(tok("q", "1-3", "", 0, "from=0.0", "count=1"))
	}},
	{"S5", "a join without a deposit", func(p *tape) {
		p.granted()
		p.fan()
		p.arrive()
		p.load("0.0.1", "1-2", "w2-1", 0, "frame=0.0", "idx=1")
		p.fire(strings.Replace(joined, "|2|", "|3|", 1))
	}},
	{"S5", "a join that fired twice", func(p *tape) {
		p.granted()
		p.fan()
		p.arrive()
		p.load("0.0.1", "1-2", "w2-1", 0, "frame=0.0", "idx=1")
		p.fire(joined)
		p.load("0.0.j", "1-3", "w1-2", 0, "from=0.0", "count=2")
		p.lease("0.0.j", "w1-2", 0, "XDEL @queue:q 1-3", "HSET @run:a committed 4 live 0", "HDEL @run:a t:0.0.j")
		p.script(plainScript, runKeys, "a", "XADD @queue:q * r a t 0.0.j", "HSET @run:a created 5 live 1 t:0.0.j "+joined)
	}},
	{"S6", "a grant after the run was cancelled", func(p *tape) {
		p.start()
		p.status("running", "cancelled")
		p.load("0", "1-1", "w1-1", 0)
	}},
	{"S6", "a commit after the run was cancelled", func(p *tape) {
		p.granted()
		p.status("running", "cancelled")
		p.next(0, 1)
	}},
	{"S7", "a grant while the run is paused", func(p *tape) {
		p.start()
		p.status("running", "paused")
		p.load("0", "1-1", "w1-1", 0)
	}},
	{"S7", "a further step while the run is paused", func(p *tape) {
		p.granted()
		p.status("running", "paused")
		p.next(0, 1)
	}},
	{"S7", "a parked token queued while the run is paused", func(p *tape) {
		p.parked()
		p.script(plainScript, runKeys, "a", "XADD @queue:q * r a t 0", "HSET @run:a parked 0 t:0 "+tok("q", "1-2", "", 0))
	}},
	{"S8", "a completed run that runs again", func(p *tape) {
		p.start()
		p.status("running", "completed")
		p.status("completed", "running")
	}},
	{"S8", "a cause that changes", func(p *tape) {
		p.start()
		p.status("running", "failed", "HSET @run:a cause x ended 5")
		p.script(plainScript, runKeys, "a", "HSET @run:a cause y")
	}},
	{"S8", "an end that goes", func(p *tape) {
		p.start()
		p.status("running", "failed", "HSET @run:a ended 5")
		p.script(plainScript, runKeys, "a", "HDEL @run:a ended")
	}},
	{"S8", "a run that comes back after it was deleted", func(p *tape) {
		p.story()
		p.script(plainScript, runKeys, "a", "HSET @run:a committed 7")
	}},
	{"S9", "a ledger that is uneven", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "HSET @run:a committed 1 t:0 "+tok("q", "1-1", "w1-1", 1))
	}},
	{"S9", "a parked token that is not counted", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "XDEL @queue:q 1-1", "HSET @run:a t:0 "+tok("p", "1-1", "w1-1", 0))
	}},
	{"S9", "a record that names another entry", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "HSET @run:a t:0 "+tok("q", "7-7", "w1-1", 0))
	}},
	{"S10", "a consumer deleted with its entries", func(p *tape) {
		p.granted()
		p.script("-- deletes\n", "@queue:q", "w1", "XGROUP DELCONSUMER @queue:q flox w1")
	}},
	{"S11", "a handed back token that is in no queue", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "XACK @queue:q flox 1-1", "XDEL @queue:q 1-1", "HSET @run:a t:0 "+tok("q", "1-1", "", 0))
	}},
	{"S11", "a token with two entries", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "XADD @queue:q * r a t 0", "HSET @run:a t:0 "+tok("q", "1-2", "", 0))
	}},
	{"S11", "a delayed token without a timer", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "XDEL @queue:q 1-1", "HSET @run:a t:0 "+tok("d", "1-1", "w1-1", 0, "due=5"))
	}},
	{"S11", "a token that went on before its time", func(p *tape) {
		p.granted()
		due := itoa(int(p.at.Add(time.Second).UnixMilli()))
		p.lease("0", "w1-1", 0, "XDEL @queue:q 1-1", "ZADD @delayed "+due+" a/0", "HSET @run:a t:0 "+tok("d", "1-1", "w1-1", 0, "due="+due))
		p.script(tokenScript, runKeys, "a 0", "ZREM @delayed a/0", "XADD @queue:q * r a t 0", "HSET @run:a t:0 "+tok("q", "1-2", "", 0))
	}},
	{"S11", "a timer that stays", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "ZADD @delayed 5 a/0")
	}},
	{"S12", "a count that does not follow", func(p *tape) {
		p.start()
		p.script(plainScript, runKeys, "a", "HINCRBY @stats wf:running -1", "HSET @run:a status paused")
	}},
	{"S14", "a lost start that is not counted", func(p *tape) {
		p.granted()
		p.at = p.at.Add(time.Second)
		p.script(reclaimScript, "@run:a @queue:q", "a 0 1-1 1000", "XCLAIM @queue:q flox w2 1000 1-1 JUSTID", "HSET @run:a t:0 "+tok("q", "1-1", "", 0))
	}},
	{"S14", "a count of lost starts that goes back", func(p *tape) {
		p.granted()
		p.script(plainScript, runKeys, "a", "HSET @run:a t:0 "+tok("q", "1-1", "w1-1", 0, "crash=2"))
		p.lease("0", "w1-1", 0, "HSET @run:a t:0 "+tok("q", "1-1", "w1-1", 0, "crash=0"))
	}},
	{"S15", "a script that writes to another run", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "HSET @run:b x 1")
	}},
	{"S15", "a script that queues a token of another run", func(p *tape) {
		p.granted()
		p.lease("0", "w1-1", 0, "XADD @queue:q * r b t 0")
	}},
	{"S16", "a key that is not declared", func(p *tape) {
		p.start()
		p.script(plainScript, "@run:a", "a", "HGETALL @errors:a")
	}},
	{"S16", "keys in two slots", func(p *tape) { p.script(plainScript, "@run:a flox:{n:1}:run:a", "a") }},
	{"L2", "a lease that is taken over too early", func(p *tape) {
		p.granted()
		p.script(reclaimScript, "@run:a @queue:q", "a 0 1-1 1000", "XCLAIM @queue:q flox w2 1000 1-1 JUSTID",
			"HSET @run:a t:0 "+tok("q", "1-1", "", 0, "crash=1"))
	}},
	{"L5", "a run deleted with a token", func(p *tape) {
		p.start()
		p.status("running", "completed")
		p.script(plainScript, runKeys, "a", "HINCRBY @stats wf:completed -1", "UNLINK @run:a")
	}},
}

// granted is a run whose token is leased to w1-1.
func (p *tape) granted() {
	p.start()
	p.load("0", "1-1", "w1-1", 0)
}

// parked is a paused run whose token is parked.
func (p *tape) parked() {
	p.start()
	p.status("running", "paused")
	p.script(loadScript, "@run:a @queue:q", "a 0 1-1 q w1-1", "XDEL @queue:q 1-1", "HSET @run:a parked 1 t:0 "+tok("p", "1-1", "", 0))
}

func TestWrongStoriesAreReported(t *testing.T) {
	for _, w := range wrong {
		t.Run(w.rule+" "+strings.ReplaceAll(w.what, " ", "-"), func(t *testing.T) {
			p := newTape(t)
			w.tell(p)
			if r := p.end(); r.Violations() == 0 {
				t.Error("nothing was reported")
			} else if _, n := r.Of(w.rule); n == 0 {
				t.Errorf("%s was not reported, but\n%s", w.rule, r.Details())
			}
		})
	}
}

func TestCommandsAreRead(t *testing.T) {
	c, ok := parseCommand("+1700000000.000120 [0 lua] \"hset\" \"a b\" \"\\x00\\xff\\\"\\\\\\n\" \"\"\r\n")
	want := []string{"hset", "a b", "\x00\xff\"\\\n", ""}
	if !ok || !c.lua || c.name != "HSET" || strings.Join(c.args, "|") != strings.Join(want, "|") || c.at != time.Unix(1700000000, 120_000) {
		t.Errorf("parseCommand = %+v, %v", c, ok)
	}
	c, ok = parseCommand("+1.2 [0 lua] \"hset\" \"{\"a\": \"b\"}\" \"\\x00\"c\"\"\r\n") // as Valkey 8 writes it
	if want := []string{"hset", `{"a": "b"}`, "\x00\"c\""}; !ok || strings.Join(c.args, "|") != strings.Join(want, "|") {
		t.Errorf("parseCommand = %q, %v, want %q", c.args, ok, want)
	}
	for _, bad := range []string{"", "+OK\r\n", "+1 [0 x] \"a\"\r\n", "+1.2 [0 x]\r\n", "+1.2 [0 x] \"a\r\n", "+1.2 [0 x] a\r\n", "+1.2 [0 x] \"\\x0\r\n"} {
		if c, ok := parseCommand(bad); ok {
			t.Errorf("parseCommand(%q) = %+v, want nothing", bad, c)
		}
	}
}
