package checker

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// leased is a token with its lease.
type leased struct{ token, entry, owner string }

// grantedTogether lets owners have tokens of one run.
func grantedTogether(run string, more []string, all ...leased) deed {
	argv, put := fmt.Sprintf("l~%d q", len(all)), "HSET @run:"+run
	for _, b := range all {
		argv += fmt.Sprintf(" %s %s %s ''", b.token, b.entry, b.owner)
		put += " t:" + b.token + " " + tok("q", b.entry, b.owner, 0, more...)
	}
	return deed{"@run:" + run + " @queue:q", argv, []string{"HMGET @run:" + run + " status", "XLEN @queue:q", put + " granted 1"}}
}

// depositedTogether leaves the results of branches, the last of which is the nth; each
// may have a delta.
func depositedTogether(run string, n, live, committed int, delta bool, all ...leased) deed {
	keys, kind, sv := "@run:"+run+" @queue:q", "0", ""
	pushed, gone := "RPUSH @state:"+run, "HDEL @run:"+run
	if delta {
		keys, kind, sv = keys+" @state:"+run, "1", fmt.Sprintf(" sv %d", 1+len(all))
	}
	argv := fmt.Sprintf("d~%d~-1~0~%s~1 0.0", len(all), kind)
	put := fmt.Sprintf("HSET @run:%s committed %d live %d%s f:0.0 %d|4|sum|q||0|%d|0|0|", run, committed, live, sv, live, n)
	for i, b := range all {
		at := i + 1 - len(all)
		argv += fmt.Sprintf(" %s %s %s %d|%s.0 h d%d x", b.token, tok("q", b.entry, b.owner, 0, "frame=0.0"), b.entry, i, b.token, i)
		put += fmt.Sprintf(" d:0.0:%d %d|%s.0|x h:%d h", n+at, i, b.token, committed+at)
		gone += fmt.Sprintf(" t:%s i:%s", b.token, b.token)
		pushed += fmt.Sprintf(" d%d", i)
	}
	lines := []string{"HMGET @run:" + run + " status", "XLEN @queue:q"}
	if delta {
		lines = append(lines, pushed)
	}
	return deed{keys + " @history:" + run, argv, append(lines, put, gone)}
}

// swapped is a deed that does something else in one place.
func (d deed) swapped(old, instead string) deed {
	d.lines = slices.Clone(d.lines)
	for i, line := range d.lines {
		if strings.Contains(line, old) {
			d.lines[i] = strings.Replace(line, old, instead, 1)
			return d
		}
	}
	panic("the deed has no " + old)
}

// wrongGroups are stories of groups, with one thing wrong.
var wrongGroups = []spoiltStory{
	{"S3", "a deposit under a lease that does not hold", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2 2-3"), depositedTogether("a", 3, 1, 4, false, three[0], leased{"0.0.2", "2-2", "w9-9"}, three[2]))
	}},
	{"S3", "a deposit that comes twice in a group", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2"), depositedTogether("a", 3, 1, 4, false, three[0], three[0], three[1]))
	}},
	{"S3", "a token that two have together", func(p *tape) {
		p.starts([]string{"HINCRBY @stats wf:running 1"}, begun("c", "1-3"))
		p.step(nil, grantedTogether("c", nil, leased{"0", "1-3", "w1-7"}, leased{"0", "1-3", "w1-8"}))
	}},
	{"S4", "a group that counts one item too many", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2"), depositedTogether("a", 2, 2, 3, false, three[:2]...).swapped("committed 3", "committed 4"))
	}},
	{"S4", "a refused item that is counted", func(p *tape) {
		p.branches()
		p.step(over("2-1"), depositedTogether("a", 2, 3, 3, false, three[:2]...).swapped(" t:0.0.2 i:0.0.2", "").swapped(" d:0.0:2 1|0.0.2.0|x", ""))
	}},
	{"S4", "a group that counts what leaves nothing", func(p *tape) {
		p.branches()
		d := depositedTogether("a", 1, 3, 2, false, three[:1]...)
		d.lines = d.lines[:3]
		p.step(nil, d)
	}},
	{"S1", "a group with one delta too few", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2 2-3"), depositedTogether("a", 3, 1, 4, true, three...).swapped(" d2", ""))
	}},
	{"S1", "a group with one delta too many", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2 2-3"), depositedTogether("a", 3, 1, 4, true, three...).swapped(" d2", " d2 d2"))
	}},
	{"S1", "a group whose state version rose by one too few", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2 2-3"), depositedTogether("a", 3, 1, 4, true, three...).swapped("sv 4", "sv 3"))
	}},
	{"S1", "a group whose state version rises without deltas", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2 2-3"), depositedTogether("a", 3, 1, 4, false, three...).swapped(" f:", " sv 4 f:"))
	}},
	{"S9", "a group with one record too few", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2 2-3"), depositedTogether("a", 3, 1, 4, false, three...).swapped(" h:4 h", ""))
	}},
	{"S9", "a group with a record that is not in its place", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2 2-3"), depositedTogether("a", 3, 1, 4, false, three...).swapped("h:3", "h:5"))
	}},
	{"S9", "a group with a record that belongs in the run", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2 2-3"), depositedTogether("a", 3, 1, 4, false, three...).swapped(" h:4 h", "").with("RPUSH @history:a h"))
	}},
	{"S9", "a group that lets one branch too many go", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2"), depositedTogether("a", 2, 2, 3, false, three[:2]...).swapped("live 2", "live 1"))
	}},
	{"S11", "an entry of a group that is not deleted", func(p *tape) {
		p.branches()
		p.step(over("2-1"), depositedTogether("a", 2, 2, 3, false, three[:2]...))
	}},
	{"S15", "a group that removes a token that is not its own", func(p *tape) {
		p.branches()
		p.step(over("2-1"), depositedTogether("a", 1, 2, 2, false, three[0]).swapped("HDEL @run:a", "HDEL @run:a t:0.0.3"))
	}},
	{"S15", "a group that leaves a deposit of another item", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2"), depositedTogether("a", 2, 2, 3, false, three[:2]...).swapped("1|0.0.2.0|", "1|0.0.3.0|"))
	}},
	{"S15", "a group that writes to another's run", func(p *tape) {
		p.branches()
		p.step(over("2-1 2-2"), depositedTogether("a", 2, 2, 3, false, three[:2]...).with("HSET @run:b x 1"), stepped("b", "1-2", "w1-2", 0))
	}},
	{"S15", "a load of a token that is not of the group", func(p *tape) {
		p.starts([]string{"HINCRBY @stats wf:running 1"}, begun("c", "1-3"))
		p.step(nil, granted("c", "0", "1-3", "w1-7").swapped(" granted 1", " t:9 "+tok("q", "1-3", "w1-7", 0)))
	}},
	{"S15", "a claim of an entry that is not of the group", func(p *tape) {
		p.step(nil, granted("a", "0", "1-1", "w1-1").refused().with("XCLAIM @queue:q flox w1 0 1-2 JUSTID"))
	}},
	{"S15", "a group of another size than it says", func(p *tape) {
		d := granted("a", "0", "1-1", "w1-1").refused()
		d.argv = strings.Replace(d.argv, "l~1", "l~2", 1)
		p.step(nil, d)
	}},
	{"S15", "a group of nothing", func(p *tape) {
		d := granted("a", "0", "1-1", "w1-1").refused()
		d.argv = strings.Replace(d.argv, "l~1", "l~0", 1)
		p.step(nil, d)
	}},
	{"S16", "a history of a group that is not declared", func(p *tape) {
		p.branches()
		d := depositedTogether("a", 2, 2, 3, false, three[:2]...).with("RPUSH @history:a h")
		d.keys, d.argv = strings.TrimSuffix(d.keys, " @history:a"), strings.Replace(d.argv, "~1 0.0", "~0 0.0", 1)
		p.step(over("2-1 2-2"), d)
	}},
}

// TestGroups is what groups do with nothing wrong: what is refused among them changes
// nothing, the first records of the history are fields of the run and others are not.
func TestGroups(t *testing.T) {
	refused := leased{"0.0.9", "2-9", "w9-9"}
	const width = 20
	p := newTape(t)
	p.two()
	made := fmt.Sprintf("HSET @run:a sv 1 committed 1 created %d live %d h:1 h f:0.0 %d|%d|sum|q||0|0|0|0| t:0 %s", width+1, width, width, width,
		tok("q", "1-1", "w1-1", 1, "frame=0.0"))
	lines, entries := []string{"RPUSH @state:a d"}, ""
	var all []leased
	for n := 1; n < width; n++ {
		b := leased{fmt.Sprintf("0.0.%d", n+10), fmt.Sprintf("2-%d", n), fmt.Sprintf("w1-%d", n+2)}
		all, entries = append(all, b), entries+" "+b.entry
		lines = append(lines, "XADD @queue:q * r a t "+b.token)
		made += " t:" + b.token + " " + tok("q", b.entry, "", 0, "frame=0.0")
	}
	p.lease("0", "w1-1", 0, append(lines, made)...)
	loads := grantedTogether("a", []string{"frame=0.0"}, append(all[1:len(all):len(all)], all[0])...)
	p.step(nil, loads, stepped("b", "1-2", "w1-2", 0))
	d := depositedTogether("a", len(all), 1, 1+len(all), true, all...)
	for n := firstSteps + 1; n <= 1+len(all); n++ {
		d = d.swapped(fmt.Sprintf(" h:%d h", n), "")
	}
	d = d.with("RPUSH @history:a" + strings.Repeat(" h", 1+len(all)-firstSteps)).with("LTRIM @history:a 0 -1")
	d.argv = strings.Replace(d.argv, fmt.Sprintf("d~%d~", len(all)), fmt.Sprintf("d~%d~", len(all)+1), 1)
	d.argv += fmt.Sprintf(" %s %s %s 9|%s.0 h d x", refused.token, tok("q", refused.entry, refused.owner, 0), refused.entry, refused.token)
	p.step(over(strings.TrimSpace(entries)), d)
	p.step(nil, depositedTogether("a", 0, 0, 0, true, all[:2]...).refused())
	r := p.end()
	if r.Violations() != 0 {
		t.Errorf("it has %d violations:\n%s", r.Violations(), r.Details())
	}
	if n := r.Counts["items of scripts"]; n != 2+2+(width-1)+1+width+2 {
		t.Errorf("%d items of scripts were judged, want %d", n, 2+2+(width-1)+1+width+2)
	}
	for rule, least := range map[string]int{"S1": width, "S3": 3, "S4": 2 * (width - 1), "S9": 4 * (width - 1)} {
		if n, _ := r.Of(rule); n < least {
			t.Errorf("%s has judged %d things, want %d or more", rule, n, least)
		}
	}
	run := p.m.parts["flox:{n:0}:"].runs["a"]
	if run == nil || len(run.tokens) != 1 || len(run.deposits) != width-1 || run.frames["0.0"] != (frame{"1", itoa(width - 1), "0"}) {
		t.Errorf("the run is %+v, want one token and the deposits of the others", run)
	}
}
