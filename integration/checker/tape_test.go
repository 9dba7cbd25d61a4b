package checker

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The headers of scripts, as their texts have them.
const (
	plainScript   = "-- ARGV[1] run id\n"
	tokenScript   = "-- ARGV[1] run id\n-- ARGV[2] token\n"
	leaseScript   = tokenScript + "-- ARGV[3] owner\n-- ARGV[4] step\n"
	loadScript    = tokenScript + "-- ARGV[3] entry\n-- ARGV[4] queue of the entry\n-- ARGV[5] owner\n"
	reclaimScript = tokenScript + "-- ARGV[3] entry\n-- ARGV[4] lease in ms\n"
)

// tape is what MONITOR would say. Words that begin with @ are keys, and two single
// quotes are an empty word; a ~ is a space within a word.
type tape struct {
	t   *testing.T
	m   *mirror
	at  time.Time
	spy func(command) // may be nil
}

func newTape(t *testing.T) *tape {
	return &tape{t: t, m: newMirror(&Report{}, "flox:{n:"), at: time.UnixMilli(1_700_000_000_000)}
}

func key(word string) string {
	if word == "''" {
		return ""
	}
	if name, ok := strings.CutPrefix(word, "@"); ok {
		return "flox:{n:0}:" + name
	}
	return strings.ReplaceAll(word, "~", " ")
}

func (p *tape) line(client, words string) {
	p.t.Helper()
	p.at = p.at.Add(time.Millisecond)
	line := fmt.Sprintf("+%d.%06d [0 %s]", p.at.Unix(), p.at.Nanosecond()/1000, client)
	for _, word := range strings.Fields(words) {
		line += " " + strconv.Quote(key(word))
	}
	c, ok := parseCommand(line + "\r\n")
	if !ok {
		p.t.Fatalf("line %q is not understood", line)
	}
	if p.spy != nil {
		p.spy(c)
	}
	p.m.see(c)
}

// script runs a script with what it does.
func (p *tape) script(source, keys, argv string, lines ...string) {
	p.t.Helper()
	p.line("127.0.0.1:5", "SCRIPT LOAD x")
	hash := learnScript(command{name: "SCRIPT", args: []string{"script", "load", source}})
	p.line("127.0.0.1:5", fmt.Sprintf("EVALSHA %s %d %s %s", hash, len(strings.Fields(keys)), keys, argv))
	for _, line := range lines {
		p.line("lua", line)
	}
}

func (p *tape) end() *Report {
	p.m.flush()
	return p.m.rep
}

// tok is a token's record.
func tok(place, entry, owner string, step int, more ...string) string {
	f := []string{place, entry, owner, itoa(step), "work", "q", "0", "0", "", "", "0", "", "0", "0", "0", "0", "0", "0", "0"}
	for _, m := range more {
		name, value, _ := strings.Cut(m, "=")
		f[map[string]int{"crash": 7, "flags": 8, "frame": 9, "idx": 10, "queue": 5, "from": 11, "count": 12, "due": 17}[name]] = value
	}
	return strings.Join(f, "|")
}

const runKeys = "@run:a @state:a @history:a @queue:q @delayed @stats @runs:active @runs:completed @runs:cancelled @todo"

func (p *tape) start() {
	p.script(plainScript, runKeys, "a", "HMGET @run:a status", "TIME", "XADD @queue:q * r a t 0",
		"HSET @run:a status running live 1 created 1 workflow wf t:0 "+tok("q", "1-1", "", 0),
		"ZADD @runs:active 1 a|wf", "HINCRBY @stats wf:running 1")
}

func (p *tape) load(token, entry, owner string, step int, more ...string) {
	p.script(loadScript, "@run:a @queue:q", "a "+token+" "+entry+" q "+owner, "HMGET @run:a status",
		"XCLAIM @queue:q flox w1 0 "+entry+" JUSTID", "HSET @run:a t:"+token+" "+tok("q", entry, owner, step, more...))
}

// lease runs a script under a lease.
func (p *tape) lease(token, owner string, step int, lines ...string) {
	p.script(leaseScript, runKeys, fmt.Sprintf("a %s %s %d", token, owner, step), append([]string{"HMGET @run:a status"}, lines...)...)
}

// next commits a step of token 0 and keeps the lease.
func (p *tape) next(step, committed int) {
	p.lease("0", "w1-1", step, "RPUSH @state:a d",
		fmt.Sprintf("HSET @run:a h:%d h sv %d committed %d created %d t:0 %s", committed, committed, committed, committed+1, tok("q", "1-1", "w1-1", step+1)))
}

// status changes the run's status.
func (p *tape) status(old, status string, lines ...string) {
	p.script(plainScript, runKeys, "a", append([]string{"HINCRBY @stats wf:" + old + " -1", "HINCRBY @stats wf:" + status + " 1",
		"HSET @run:a status " + status}, lines...)...)
}

// fan lets token 0, leased at step 0, open a frame with two branches.
func (p *tape) fan() {
	p.lease("0", "w1-1", 0, "XADD @queue:q * r a t 0.0.1", "RPUSH @state:a d",
		"HSET @run:a sv 1 committed 1 created 3 live 2 f:0.0 2|2|sum|q||0|0|0|0| t:0 "+tok("q", "1-1", "w1-1", 1, "frame=0.0")+
			" t:0.0.1 "+tok("q", "1-2", "", 0, "frame=0.0", "idx=1"))
}

// arrive lets branch 0 leave its result and end; the other one fires the join.
func (p *tape) arrive() {
	p.lease("0", "w1-1", 1, "XACK @queue:q flox 1-1", "XDEL @queue:q 1-1",
		"HSET @run:a committed 2 live 1 f:0.0 1|2|sum|q||0|1|0|0| d:0.0:1 0|0.1|x", "HDEL @run:a t:0 i:0")
}

// fire is the commit of the last branch.
func (p *tape) fire(join string) {
	p.lease("0.0.1", "w2-1", 0, "XACK @queue:q flox 1-2", "XDEL @queue:q 1-2", "XADD @queue:q * r a t 0.0.j",
		"HSET @run:a committed 3 created 4 live 1 d:0.0:2 1|0.0.1.0|x t:0.0.j "+join, "HDEL @run:a f:0.0 t:0.0.1 i:0.0.1")
}

var joined = tok("q", "1-3", "", 0, "from=0.0", "count=2")

// story is a run with all that can happen to it, and nothing wrong.
func (p *tape) story() {
	p.start()
	p.load("0", "1-1", "w1-1", 0)
	p.fan()
	p.line("127.0.0.1:9", "XGROUP DELCONSUMER @queue:q flox w9")
	p.arrive()
	p.load("0.0.1", "1-2", "w2-1", 0, "frame=0.0", "idx=1")
	p.fire(joined)
	p.lease("0.0.1", "w2-1", 0) // repeated: it says so and changes nothing
	p.load("0.0.j", "1-3", "w1-2", 0, "from=0.0", "count=2")
	due := p.at.Add(50 * time.Millisecond)
	ms := itoa(int(due.UnixMilli()))
	p.lease("0.0.j", "w1-2", 0, "XACK @queue:q flox 1-3", "XDEL @queue:q 1-3", "ZADD @delayed "+ms+" a/0.0.j",
		"HSET @run:a t:0.0.j "+tok("d", "1-3", "w1-2", 0, "from=0.0", "count=2", "due="+ms))
	p.at = due
	p.script(tokenScript, "@run:a @delayed @queue:q", "a 0.0.j", "ZSCORE @delayed a/0.0.j", "ZREM @delayed a/0.0.j", "XADD @queue:q * r a t 0.0.j",
		"HSET @run:a t:0.0.j "+tok("q", "1-4", "", 0, "from=0.0", "count=2"))
	p.load("0.0.j", "1-4", "w1-3", 0, "from=0.0", "count=2")
	p.at = p.at.Add(time.Second)
	p.script(reclaimScript, "@run:a @queue:q", "a 0.0.j 1-4 1000", "XPENDING @queue:q flox", "XCLAIM @queue:q flox w2 1000 1-4 JUSTID",
		"HSET @run:a t:0.0.j "+tok("q", "1-4", "", 0, "from=0.0", "count=2", "crash=1"))
	p.lease("0.0.j", "w1-3", 0) // a zombie's
	p.status("running", "paused")
	p.script(loadScript, "@run:a @queue:q", "a 0.0.j 1-4 q w2-5", "XACK @queue:q flox 1-4", "XDEL @queue:q 1-4",
		"HSET @run:a parked 1 t:0.0.j "+tok("p", "1-4", "", 0, "from=0.0", "count=2", "crash=1"))
	p.status("paused", "running", "ZADD @todo 1 a")
	p.script(plainScript, runKeys, "a", "XADD @queue:q * r a t 0.0.j",
		"HSET @run:a parked 0 t:0.0.j "+tok("q", "1-5", "", 0, "from=0.0", "count=2", "crash=1"), "ZREM @todo a")
	p.load("0.0.j", "1-5", "w2-6", 0, "from=0.0", "count=2", "crash=1")
	p.lease("0.0.j", "w2-6", 0, "RPUSH @state:a d",
		"HSET @run:a sv 2 committed 4 created 5 t:0.0.j "+tok("q", "1-5", "w2-6", 1), "HDEL @run:a d:0.0:1 d:0.0:2")
	p.lease("0.0.j", "w2-6", 1, "XACK @queue:q flox 1-5", "XDEL @queue:q 1-5", "HINCRBY @stats wf:running -1", "HINCRBY @stats wf:completed 1",
		"HSET @run:a committed 5 live 0 ended 9 cause x status completed", "HDEL @run:a t:0.0.j i:0.0.j")
	p.script(plainScript, "@run:a @state:a @stats @queue:q", "a", "HINCRBY @stats wf:completed -1", "UNLINK @run:a @state:a")
}
