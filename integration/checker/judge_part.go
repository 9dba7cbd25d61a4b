package checker

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// judgeTokens judges S9 and S11: each live token stands in exactly one place, and
// nothing else stands there.
func (p *Part) judgeTokens(rep *Report, c *Case) {
	queued, timed := map[string]int{}, 0
	for _, r := range p.sorted(c) {
		for name, t := range r.Tokens {
			member := r.ID + "/" + name
			due, timer := p.Timers[member]
			wants := t.Place == "d" || t.Place == "w" && t.Due != 0
			rep.check("S11", timer == wants && (!timer || due == t.Due),
				"token %s of run %s (%s, due %d) and its timer (%d)", name, r.ID, t.Place, t.Due, due)
			if timer {
				timed++
			}
			if t.Place != "q" {
				continue
			}
			queued[t.Queue]++
			at, there := Pointer{}, false
			if q := p.Queues[t.Queue]; q != nil {
				at, there = q.Entries[t.Entry]
			}
			rep.check("S9", there && at == Pointer{r.ID, name}, "token %s of run %s has no entry %s in queue %s", name, r.ID, t.Entry, t.Queue)
		}
	}
	for name, q := range p.Queues {
		entries := 0
		for _, at := range q.Entries {
			if !c.spoiltID(p, at.Run) {
				entries++
			}
		}
		rep.check("S9", entries == queued[name], "queue %s of partition %d has %d entries, %d tokens stand in it", name, p.Number, entries, queued[name])
	}
	timers := 0
	for member := range p.Timers {
		run, token, _ := strings.Cut(member, "/")
		if c.spoiltID(p, run) {
			continue
		}
		timers++
		if token == "" && strings.HasSuffix(member, "/") {
			timed++
		}
	}
	rep.check("S11", timed == timers, "partition %d has %d timers, %d of them are a token's or a deadline", p.Number, timers, timed)
}

// judgeQueues judges S10: what was delivered is pending with somebody, what is
// pending is there, and what was granted is pending.
func (p *Part) judgeQueues(rep *Report, c *Case) {
	for name, q := range p.Queues {
		rep.Judged("S10", 1)
		for id, at := range q.Entries {
			if q.Last == "" || after(id, q.Last) {
				continue
			}
			rep.check("S10", q.Pending[id] != "", "entry %s of queue %s (token %s of run %s) was delivered and is pending with nobody",
				id, name, at.Token, at.Run)
		}
		for id, consumer := range q.Pending {
			_, there := q.Entries[id]
			rep.check("S10", there, "entry %s of queue %s is pending with %s and is not there", id, name, consumer)
		}
	}
	for _, r := range p.sorted(c) {
		for name, t := range r.Tokens {
			if q := p.Queues[t.Queue]; t.Place == "q" && t.Owner != "" && q != nil {
				rep.check("S10", q.Pending[t.Entry] != "", "token %s of run %s is leased to %s, its entry is pending with nobody", name, r.ID, t.Owner)
			}
		}
	}
}

// after says whether a stream's id a comes after b.
func after(a, b string) bool {
	split := func(id string) (ms, seq uint64) {
		left, right, _ := strings.Cut(id, "-")
		ms, _ = strconv.ParseUint(left, 10, 64)
		seq, _ = strconv.ParseUint(right, 10, 64)
		return ms, seq
	}
	am, as := split(a)
	bm, bs := split(b)
	return am > bm || am == bm && as > bs
}

// judgeTimers judges that deadlines belong to runs that have one.
func (p *Part) judgeTimers(rep *Report, c *Case) {
	for _, r := range p.sorted(c) {
		due, timer := p.Timers[r.ID+"/"]
		deadline := r.Fields["deadline"]
		switch open := r.Status() == "running" || r.Status() == "paused"; {
		case timer:
			rep.check("S11", fmt.Sprint(due) == deadline && !ended(r.Status()), "run %s (%s, deadline %q) has a timer for its deadline at %d",
				r.ID, r.Status(), deadline, due)
		case open && deadline != "":
			rep.check("S11", false, "the deadline of run %s has no timer", r.ID)
		}
	}
}

// judgeCounts judges S12: counts and indexes agree with the runs; what has work
// left is marked.
func (p *Part) judgeCounts(rep *Report, c *Case) {
	counts, members := map[string]int{}, map[string]int{}
	spoilt := map[string]bool{}
	for _, id := range c.Spoilt {
		spoilt[id] = true
	}
	for id, r := range p.Runs {
		if c.spoilt(r) {
			spoilt[id] = true
			continue
		}
		if r.Fields == nil {
			continue
		}
		status := r.Status()
		counts[r.Fields["workflow"]+":"+status]++
		index := status
		if !ended(status) {
			index = "active"
		}
		members[index]++
		for name, index2 := range p.Indexes {
			_, there := index2[id+"|"+r.Fields["workflow"]]
			rep.check("S12", there == (name == index), "run %s (%s) and index %s: in it %v", id, status, name, there)
		}
		work := status == "undoing" || r.Fields["purging"] != "" || status == "running" && r.n("parked") > 0 ||
			status == "cancelled" && r.n("live") > 0 || r.n("closed") > 0 && r.n("live") > 0
		_, marked := p.Todo[id]
		rep.check("S12", marked || !work, "run %s (%s) has work left and no mark", id, status)
	}
	for name, index := range p.Indexes {
		n := 0
		for member := range index {
			if run, _, _ := strings.Cut(member, "|"); !spoilt[run] {
				n++
			}
		}
		rep.check("S12", n == members[name], "index %s of partition %d has %d members, %d runs belong there", name, p.Number, n, members[name])
	}
	more := 0
	for field, n := range p.Stats {
		over := n - counts[field]
		more += over
		rep.check("S12", over >= 0 && over <= len(spoilt), "counts of partition %d: %s is %d, want %d", p.Number, field, n, counts[field])
		delete(counts, field)
	}
	rep.check("S12", more <= len(spoilt), "the counts of partition %d are %d too many, %d runs are spoilt", p.Number, more, len(spoilt))
	for field, n := range counts {
		rep.check("S12", false, "counts of partition %d lack %s: %d", p.Number, field, n)
	}
}

// left are the beginnings of fields that tokens leave in a run, and that a
// completed one has none of.
var left = []string{"t:", "i:", "f:", "d:", "b:", "c:", "s:", "w:"}

// judgeRest judges L4 and L7 when nothing goes on any more.
func (p *Part) judgeRest(rep *Report, c *Case) {
	for name, q := range p.Queues {
		entries, pending := 0, 0
		for _, at := range q.Entries {
			if !c.spoiltID(p, at.Run) {
				entries++
			}
		}
		for id := range q.Pending {
			if !c.spoiltID(p, q.Entries[id].Run) {
				pending++
			}
		}
		rep.check("L4", entries == 0, "queue %s of partition %d has %d entries", name, p.Number, entries)
		rep.check("L4", pending == 0, "queue %s of partition %d has %d pending entries", name, p.Number, pending)
		if c.Consumers > 0 {
			rep.check("L7", len(q.Consumers) <= c.Consumers, "queue %s of partition %d has %d consumers, at most %d are alive",
				name, p.Number, len(q.Consumers), c.Consumers)
		}
	}
	for member := range p.Timers {
		run, _, _ := strings.Cut(member, "/")
		open := c.Want[run].Status
		rep.check("L4", open == "running" || open == "paused" || c.spoiltID(p, run), "timer %s is left", member)
	}
	for run := range p.Todo {
		rep.check("L4", c.spoiltID(p, run), "run %s is marked as having work left", run)
	}
	for _, r := range p.sorted(c) {
		status := r.Status()
		want := c.Want[r.ID].Status
		rep.check("L4", ended(status) || want == status, "run %s is still %s", r.ID, status)
		rep.check("L4", r.n("parked") == 0 || status == "failed" || status == "paused", "run %s (%s) has %d parked tokens", r.ID, status, r.n("parked"))
		if status != "completed" {
			continue
		}
		for field := range r.Fields {
			for _, kind := range left {
				if strings.HasPrefix(field, kind) {
					rep.check("L4", false, "field %s of run %s, which has completed, is left", field, r.ID)
				}
			}
		}
	}
}

// judgeGone judges L5: nothing is left of runs that are gone.
func (p *Part) judgeGone(rep *Report, c *Case) {
	for name, kind := range p.Odd {
		run := name[strings.IndexByte(name, ':')+1:]
		if r := p.Runs[run]; (r == nil || !c.spoilt(r)) && !slices.Contains(c.Foreign, name) {
			rep.check("L5", false, "key %s (%s) of partition %d belongs to nothing", name, kind, p.Number)
		}
	}
	gone := map[string]bool{}
	for _, id := range c.Gone {
		gone[id] = true
		if r := p.Runs[id]; r != nil {
			rep.Violate("L5", "run %s is there", id)
		}
	}
	if p.Number == 0 {
		rep.Judged("L5", len(gone))
	}
	for member := range p.Timers {
		if run, _, _ := strings.Cut(member, "/"); gone[run] {
			rep.Violate("L5", "run %s is gone, its timer %s is not", run, member)
		}
	}
	for name, index := range p.Indexes {
		for member := range index {
			if run, _, _ := strings.Cut(member, "|"); gone[run] {
				rep.Violate("L5", "run %s is gone, and in index %s", run, name)
			}
		}
	}
	for run := range p.Todo {
		if gone[run] {
			rep.Violate("L5", "run %s is gone, its mark is not", run)
		}
	}
	for name, q := range p.Queues {
		for id, at := range q.Entries {
			if gone[at.Run] {
				rep.Violate("L5", "run %s is gone, its entry %s in queue %s is not", at.Run, id, name)
			}
		}
	}
}
