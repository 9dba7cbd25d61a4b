package checker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// The headers of scripts that take many items.
const (
	stepScript = "-- KEYS[4...] of each item in turn: its run; the stream\n-- ARGV[1] channel\n-- ARGV[2...] of each item in turn:\n"
	newScript  = "-- KEYS[3...] of each run in turn: the run, the stream\n-- ARGV[1] channel\n-- ARGV[2...] of each run in turn: run id\n"
)

// deed is one item of such a script, with what it does.
type deed struct {
	keys, argv string
	lines      []string
}

func (d deed) with(line string) deed {
	d.lines = append(slices.Clone(d.lines), line)
	return d
}

// begun starts a run.
func begun(run, entry string) deed {
	return deed{"@run:" + run + " @queue:q", run + " nonce wf f work q 0 0 input ''", []string{"EXISTS @run:" + run,
		"XADD @queue:q * r " + run + " t 0",
		"HSET @run:" + run + " status running live 1 created 1 workflow wf t:0 " + tok("q", entry, "", 0) + " i:0 input"}}
}

// granted lets an owner have a token.
func granted(run, token, entry, owner string, more ...string) deed {
	return grantedTogether(run, more, leased{token, entry, owner})
}

// stepped commits a step of token 0, with a delta.
func stepped(run, entry, owner string, step int) deed {
	now, then := tok("q", entry, owner, step), tok("q", entry, owner, step+1)
	return deed{"@run:" + run + " @state:" + run, fmt.Sprintf("n~0~0~1~0 0 %s %s work %d|q| h d x", now, then, step+1),
		[]string{"HMGET @run:" + run + " status", "RPUSH @state:" + run + " d",
			fmt.Sprintf("HSET @run:%s sv %d committed %d created %d t:0 %s i:0 x h:%d h", run, step+1, step+1, step+2, then, step+1)}}
}

// completed lets token 0 end its run.
func completed(run, entry, owner string, step int) deed {
	return deed{"@run:" + run + " @queue:q", fmt.Sprintf("e~-1~0~0~0 0 %s %s %s h '' out", tok("q", entry, owner, step), entry, run),
		[]string{"HMGET @run:" + run + " status", "ZCARD @runs:active", "HLEN @stats",
			fmt.Sprintf("HSET @run:%s status completed ended 9 live 0 committed %d ends 1 h:%d h", run, step+1, step+1), "HDEL @run:" + run + " t:0 i:0"}}
}

// steppedAlone is stepped of a token that has made every item of its run.
func steppedAlone(run, entry, owner string, step int) deed {
	d := stepped(run, entry, owner, step)
	_, rest, _ := strings.Cut(d.argv, " ")
	rest, _, _ = strings.Cut(rest, " h d x")
	d.argv = fmt.Sprintf("N~%d~%d~0~%d~1~0 %s%d|0|0|| work h d x", step, step+1, step, rest, step)
	return d
}

// completedAlone is completed of a token that has made every item of its run.
func completedAlone(run, entry, owner string, step int) deed {
	d := completed(run, entry, owner, step)
	_, rest, _ := strings.Cut(d.argv, " ")
	rest, _, _ = strings.Cut(rest, " h ")
	d.argv = fmt.Sprintf("E~%d~%d~0~0~0~0 %s wf '' h '' out", step, step+1, rest)
	return d
}

// deposited leaves a branch's result in frame 0.0, as the nth.
func deposited(run, entry, owner, token string, n, live, committed int) deed {
	return depositedTogether(run, n, live, committed, false, leased{token, entry, owner})
}

// refused is a deed that does nothing.
func (d deed) refused() deed {
	d.lines = d.lines[:1]
	return d
}

func (p *tape) many(source, keys string, tail []string, deeds ...deed) {
	p.t.Helper()
	argv, lines := "channel", []string{"TIME"}
	for _, d := range deeds {
		keys, argv = keys+" "+d.keys, argv+" "+d.argv
		lines = append(lines, d.lines...)
	}
	p.script(source, keys, argv, append(lines, tail...)...)
}

func (p *tape) step(tail []string, deeds ...deed) {
	p.t.Helper()
	p.many(stepScript, "@runs:active @runs:completed @stats", tail, deeds...)
}

func (p *tape) starts(tail []string, deeds ...deed) {
	p.t.Helper()
	p.many(newScript, "@runs:active @stats", tail, deeds...)
}

func over(entries string, runs ...string) []string {
	ids, members, scored := strings.Fields(entries), "", ""
	lines := []string{"XACK @queue:q flox " + strings.Join(ids, " "), "XDEL @queue:q " + strings.Join(ids, " ")}
	if len(runs) == 0 {
		return lines
	}
	for _, run := range runs {
		members, scored = members+" "+run+"|wf", scored+" 9 "+run+"|wf"
	}
	return append(lines, "PUBLISH channel x", "ZREM @runs:active"+members, "ZADD @runs:completed"+scored,
		fmt.Sprintf("HINCRBY @stats wf:running -%d", len(runs)), fmt.Sprintf("HINCRBY @stats wf:completed %d", len(runs)))
}

// two are two runs whose tokens are leased to w1-1 and w1-2.
func (p *tape) two() {
	p.starts([]string{"ZADD @runs:active 1 a|wf 1 b|wf", "HINCRBY @stats wf:running 2", "PUBLISH channel x"}, begun("a", "1-1"), begun("b", "1-2"))
	p.step(nil, granted("a", "0", "1-1", "w1-1"), granted("b", "0", "1-2", "w1-2"))
}

// branches lets token 0 of run a open a frame with four branches, of which three are
// leased.
func (p *tape) branches() {
	made := "HSET @run:a sv 1 committed 1 created 5 live 4 f:0.0 4|4|sum|q||0|0|0|0| t:0 " + tok("q", "1-1", "w1-1", 1, "frame=0.0")
	lines := []string{"RPUSH @state:a d"}
	for n := 1; n <= 3; n++ {
		lines = append(lines, fmt.Sprintf("XADD @queue:q * r a t 0.0.%d", n))
		made += fmt.Sprintf(" t:0.0.%d %s", n, tok("q", fmt.Sprintf("2-%d", n), "", 0, "frame=0.0"))
	}
	p.lease("0", "w1-1", 0, append(lines, made)...)
	p.step(nil, grantedTogether("a", []string{"frame=0.0"}, three...))
}

// three are the branches that branches leases.
var three = []leased{{"0.0.1", "2-1", "w1-3"}, {"0.0.2", "2-2", "w1-4"}, {"0.0.3", "2-3", "w1-5"}}

// TestManyItems is a story of two runs whose items come together, with nothing wrong.
func TestManyItems(t *testing.T) {
	p := newTape(t)
	p.two()
	p.starts(nil, begun("a", "").refused())
	p.step(nil, steppedAlone("b", "1-2", "w1-2", 0), granted("a", "0", "1-1", "w2-1").refused(), stepped("b", "1-2", "w1-2", 0).refused())
	p.branches()
	p.step(over("2-2 1-2 2-1", "b"), deposited("a", "2-2", "w1-4", "0.0.2", 1, 3, 2), completedAlone("b", "1-2", "w1-2", 1),
		completed("b", "1-2", "w1-2", 1).refused(), completedAlone("b", "1-2", "w1-2", 1).refused(), deposited("a", "2-1", "w1-3", "0.0.1", 2, 2, 3))
	r := p.end()
	if r.Violations() != 0 {
		t.Errorf("it has %d violations:\n%s", r.Violations(), r.Details())
	}
	for _, rule := range []string{"S1", "S2", "S3", "S4", "S8", "S9", "S11", "S12", "S15", "S16"} {
		if n, _ := r.Of(rule); n == 0 {
			t.Errorf("%s has judged nothing", rule)
		}
	}
	if n := r.Counts["items of scripts"]; n != 2+2+1+3+3+5 {
		t.Errorf("%d items of scripts were judged, want 16", n)
	}
	if n := r.Counts["unknown scripts"]; n != 0 {
		t.Errorf("%d scripts are unknown", n)
	}
	if n, _ := r.Of("S4"); n < 6 { // an item and what was committed before, of each
		t.Errorf("S4 has judged %d things", n)
	}
}

// spoiltStory is a story with one thing wrong, and the rule that must tell of it.
type spoiltStory struct {
	rule, what string
	tell       func(p *tape)
}

// wrongTogether are stories of items that came together, with one thing wrong.
var wrongTogether = []spoiltStory{
	{"S1", "a delta that is not counted", func(p *tape) {
		d := stepped("a", "1-1", "w1-1", 0)
		d.lines[2] = strings.Replace(d.lines[2], "sv 1", "", 1)
		p.step(nil, d)
	}},
	{"S2", "a token that no item made", func(p *tape) {
		p.step(nil, stepped("a", "1-1", "w1-1", 0).with("XADD @queue:q * r a t 0.5.1").with("HSET @run:a live 2 created 3 t:0.5.1 "+tok("q", "1-9", "", 0)))
	}},
	{"S3", "a commit under a lease that does not hold", func(p *tape) {
		p.step(nil, stepped("b", "1-2", "w1-2", 0), stepped("a", "1-1", "w9-9", 0))
	}},
	{"S3", "a commit of a step that has not begun", func(p *tape) { p.step(nil, stepped("a", "1-1", "w1-1", 5)) }},
	{"S3", "a grant of what another holds", func(p *tape) { p.step(nil, granted("a", "0", "1-1", "w2-1")) }},
	{"S4", "an item that is committed twice", func(p *tape) {
		again := stepped("a", "1-1", "w1-1", 0)
		again.lines[2] = strings.Replace(again.lines[2], "sv 1 committed 1 created 2", "sv 2 committed 2 created 3", 1)
		p.step(nil, stepped("a", "1-1", "w1-1", 0), stepped("b", "1-2", "w1-2", 0), again)
	}},
	{"S6", "a commit after the run was cancelled", func(p *tape) {
		p.status("running", "cancelled")
		p.step(nil, stepped("b", "1-2", "w1-2", 0), stepped("a", "1-1", "w1-1", 0))
	}},
	{"S7", "a step while the run is paused", func(p *tape) {
		p.status("running", "paused")
		p.step(nil, stepped("b", "1-2", "w1-2", 0), stepped("a", "1-1", "w1-1", 0))
	}},
	{"S8", "a start of a run that has ended", func(p *tape) {
		p.step(over("1-1", "a"), completed("a", "1-1", "w1-1", 0))
		p.starts([]string{"HINCRBY @stats wf:running 1"}, begun("a", "1-9"))
	}},
	{"S9", "a ledger that is uneven", func(p *tape) {
		d := stepped("a", "1-1", "w1-1", 0)
		d.lines[2] = strings.Replace(d.lines[2], "created 2", "created 3", 1)
		p.step(nil, d, stepped("b", "1-2", "w1-2", 0))
	}},
	{"S9", "a branch that is counted twice", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2"), deposited("a", "2-1", "w1-3", "0.0.1", 1, 3, 2), deposited("a", "2-2", "w1-4", "0.0.2", 2, 1, 3))
	}},
	{"S10", "a consumer deleted with what it was granted", func(p *tape) {
		p.script("-- deletes\n", "@queue:q", "w1", "XGROUP DELCONSUMER @queue:q flox w1")
	}},
	{"S11", "an entry that is not deleted", func(p *tape) {
		p.step(over("1-1", "a", "b"), completed("a", "1-1", "w1-1", 0), completed("b", "1-2", "w1-2", 0))
	}},
	{"S11", "an entry that is deleted and whose item is not done", func(p *tape) {
		p.step(over("1-1 1-2", "a"), completed("a", "1-1", "w1-1", 0), completed("b", "1-2", "w1-2", 0).refused())
	}},
	{"S11", "a started run whose token stands nowhere", func(p *tape) {
		d := begun("c", "1-3")
		d.lines = []string{d.lines[0], d.lines[2]}
		p.starts([]string{"HINCRBY @stats wf:running 1"}, d)
	}},
	{"S12", "a count that is too small", func(p *tape) {
		p.step(append(over("1-1 1-2", "a", "b")[:6], "HINCRBY @stats wf:completed 1"), completed("a", "1-1", "w1-1", 0), completed("b", "1-2", "w1-2", 0))
	}},
	{"S12", "a started run that is not counted", func(p *tape) {
		p.starts([]string{"HINCRBY @stats wf:running 1"}, begun("c", "1-3"), begun("d", "1-4"))
	}},
	{"S15", "an item that writes to another's run", func(p *tape) {
		p.step(nil, stepped("a", "1-1", "w1-1", 0).with("HSET @run:b x 1"), stepped("b", "1-2", "w1-2", 0))
	}},
	{"S15", "a start that queues another's token", func(p *tape) {
		d := begun("c", "1-3")
		d.lines[1] = "XADD @queue:q * r d t 0"
		p.starts([]string{"HINCRBY @stats wf:running 2"}, d, begun("d", "1-4"))
	}},
	{"S15", "an entry of a run without an item", func(p *tape) {
		p.step(over("1-1 1-2", "a"), completed("a", "1-1", "w1-1", 0))
	}},
	{"S15", "an index of a run without an item", func(p *tape) {
		p.step(over("1-1", "a", "b"), completed("a", "1-1", "w1-1", 0))
	}},
	{"S15", "items that have not all begun", func(p *tape) {
		d := stepped("a", "1-1", "w1-1", 0)
		d.lines = d.lines[1:]
		p.step(nil, stepped("b", "1-2", "w1-2", 0), d)
	}},
	{"S15", "arguments that are no items", func(p *tape) {
		d := stepped("a", "1-1", "w1-1", 0)
		d.argv += " x"
		p.step(nil, d)
	}},
	{"S15", "an item that has no place for the history it is given", func(p *tape) {
		d := stepped("a", "1-1", "w1-1", 0)
		d.keys += " @history:a"
		p.step(nil, d)
	}},
	{"S15", "an item that is none of those that there are", func(p *tape) {
		d := stepped("a", "1-1", "w1-1", 0)
		d.argv = strings.Replace(d.argv, "n~0~0~1~0", "n~0~0~1", 1)
		p.step(nil, d)
	}},
	{"S16", "a key that is not declared", func(p *tape) {
		p.step(append(over("1-1", "a"), "ZADD @runs:failed 9 a|wf"), completed("a", "1-1", "w1-1", 0))
	}},
	{"S16", "a state log that is not declared", func(p *tape) {
		p.step(nil, granted("a", "0", "1-1", "w1-1").refused().with("RPUSH @state:a d"))
	}},
}

func TestWrongItemsAreReported(t *testing.T) {
	for _, w := range slices.Concat(wrongTogether, wrongGroups) {
		t.Run(w.rule+" "+strings.ReplaceAll(w.what, " ", "-"), func(t *testing.T) {
			p := newTape(t)
			p.two()
			p.m.flush()
			if r := p.m.rep; r.Violations() != 0 {
				t.Fatalf("it begins with %d violations:\n%s", r.Violations(), r.Details())
			}
			w.tell(p)
			if r := p.end(); r.Violations() == 0 {
				t.Error("nothing was reported")
			} else if _, n := r.Of(w.rule); n == 0 {
				t.Errorf("%s was not reported, but\n%s", w.rule, r.Details())
			}
		})
	}
}

// TestTakeoverOfGranted takes a lease over that began with the read of its entry:
// some ms before the load, and after the entry was added.
func TestTakeoverOfGranted(t *testing.T) {
	for _, c := range []struct {
		after time.Duration
		early bool
	}{{900 * time.Millisecond, true}, {1100 * time.Millisecond, false}} {
		p := newTape(t)
		entry := fmt.Sprintf("%d-0", p.at.UnixMilli())
		p.starts([]string{"HINCRBY @stats wf:running 1"}, begun("a", entry))
		p.step(nil, granted("a", "0", entry, "w1-1"))
		p.at = p.at.Add(c.after)
		p.script(reclaimScript, "@run:a @queue:q", "a 0 "+entry+" 1000", "XCLAIM @queue:q flox w2 1000 "+entry+" JUSTID",
			"HSET @run:a t:0 "+tok("q", entry, "", 0, "crash=1"))
		r := p.end()
		judged, wrong := r.Of("L2")
		if judged != 1 || wrong > 0 != c.early || wrong != r.Violations() {
			t.Errorf("taken over after %v: L2 has judged %d and reported %d, want %v:\n%s", c.after, judged, wrong, c.early, r.Details())
		}
	}
}

func TestCommitsOfACall(t *testing.T) {
	keys := strings.Fields(key("@runs:active") + " " + key("@runs:completed") + " " + key("@stats"))
	argv := []string{"channel"}
	for _, d := range []deed{
		granted("a", "0", "1-1", "w1-1"), stepped("a", "1-1", "w1-1", 3), deposited("b", "2-2", "w1-4", "0.0.2", 1, 3, 2),
		depositedTogether("c", 2, 2, 3, true, three[:2]...),
	} {
		for _, word := range strings.Fields(d.keys) {
			keys = append(keys, key(word))
		}
		for _, word := range strings.Fields(d.argv) {
			argv = append(argv, key(word))
		}
	}
	if got, want := fmt.Sprint(Commits(keys, argv)), "[{a 0.3} {b 0.0.2.0} {c 0.0.1.0} {c 0.0.2.0}]"; got != want {
		t.Errorf("Commits = %s, want %s", got, want)
	}
	if got := Commits(keys[3:], argv); got != nil {
		t.Errorf("Commits = %v of another script", got)
	}
}
