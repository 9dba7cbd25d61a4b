package checker

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// judgeToken judges what a group has done to one token.
func (m *mirror) judgeToken(g *group, t *touched, name string, before *Token) {
	r := t.run
	now, there := r.tokens[name]
	m.judgePlace(g, r, name, now, there)
	if !there {
		return
	}
	was := Token{}
	if before != nil {
		was = *before
	}
	m.judgeGrant(r, name, was, now)
	if before == nil {
		return
	}
	m.judgeTimer(g, r, name, was, now)
	m.judgeCrashes(r, name, was, now)
}

// judgePlace judges S9, S11 and S7: a token stands where its record says, and
// nowhere else.
func (m *mirror) judgePlace(g *group, r *mirrorRun, name string, now Token, there bool) {
	due, timer := g.part.timers[r.id+"/"+name]
	entries, wants := r.entries[name], 0
	if there && now.Place == "q" {
		wants = 1
		if e := g.part.queues[now.Queue][now.Entry]; r.lost[name] && entries == 0 {
			return
		} else if entries == 1 {
			m.rep.check("S9", e != nil && e.Pointer == Pointer{r.id, name}, "token %s of run %s has no entry %s in queue %s", name, r.id, now.Entry, now.Queue)
			delete(r.lost, name)
		}
	}
	m.rep.check("S11", entries == wants, "token %s of run %s (there: %v, place %q) has %d entries", name, r.id, there, now.Place, entries)
	timed := there && (now.Place == "d" || now.Place == "w" && now.Due != 0)
	m.rep.check("S11", timer == timed && (!timer || due == now.Due), "token %s of run %s (there: %v, place %q, due %d) and its timer: %v at %d",
		name, r.id, there, now.Place, now.Due, timer, due)
}

// judgeGrant judges S6 and S7: a step is granted only while the run goes on. A
// grant is a new owner, or a further step under the same. What a run that undoes
// has begun may be finished first.
func (m *mirror) judgeGrant(r *mirrorRun, name string, was, now Token) {
	status := r.status()
	goesOn := status == "running" || status == "undoing" && name[0] == 'u'
	rule := "S6"
	if status == "paused" {
		rule = "S7"
	}
	if now.Place == "q" && now.Owner != "" && (now.Owner != was.Owner || now.Step != was.Step) {
		m.rep.Count("grants", 1)
		lost := status == "undoing" && now.Crashes > 0
		m.rep.check(rule, goesOn || lost, "step %d of token %s of run %s was granted while it is %s", now.Step, name, r.id, status)
	}
	if was.Place == "q" && now.Place == "q" && was.Owner != "" && now.Owner != "" && now.Owner != was.Owner {
		m.rep.check("S3", false, "step %d of token %s of run %s was granted to %s while %s held it", now.Step, name, r.id, now.Owner, was.Owner)
	}
	if was.Place == "p" && now.Place == "q" {
		m.rep.check("S7", goesOn || status == "undoing", "token %s of run %s was queued again while it is %s", name, r.id, status)
	}
}

// judgeTimer judges S11: nothing that is delayed goes on before its time; L3 is
// measured.
func (m *mirror) judgeTimer(g *group, r *mirrorRun, name string, was, now Token) {
	promoted := was.Place == "d" || was.Place == "w" && strings.Contains(now.Flags, "T") && !strings.Contains(was.Flags, "T")
	if !promoted || now.Place == was.Place {
		return
	}
	late := g.at.Sub(time.UnixMilli(was.Due))
	m.rep.check("S11", late >= -slack, "token %s of run %s went on %v before its time", name, r.id, -late)
	m.rep.took("L3 timer late", late)
}

// judgeCrashes judges S14: a start that was lost is counted, and the count goes
// back only with a step or a retry of the run.
func (m *mirror) judgeCrashes(r *mirrorRun, name string, was, now Token) {
	// Entries of two queues may have the same id.
	same := was.Queue == now.Queue && was.Entry == now.Entry
	if was.Place == "q" && now.Place == "q" && same && was.Owner != "" && now.Owner == "" {
		m.rep.check("S14", now.Crashes == was.Crashes+1, "the start of token %s of run %s was lost, its count went from %d to %d",
			name, r.id, was.Crashes, now.Crashes)
		return
	}
	if now.Crashes < was.Crashes {
		retried := strings.Contains(was.Flags, "F") && !strings.Contains(now.Flags, "F")
		m.rep.check("S14", now.Step > was.Step || retried, "the count of lost starts of token %s of run %s went from %d to %d",
			name, r.id, was.Crashes, now.Crashes)
	}
}

// claimed follows a lease that begins, is renewed or is taken over; L2 is measured.
func (m *mirror) claimed(g *group, queue, consumer, id string) {
	e := g.part.queues[queue][id]
	if e == nil {
		return
	}
	if g.call != nil {
		if ms, ok := g.call.arg("lease in ms"); ok && !e.claimed.IsZero() && g.part.run(e.Run).tokens[e.Token].Owner != "" {
			n, _ := strconv.ParseInt(ms, 10, 64)
			lease := time.Duration(n) * time.Millisecond
			late := g.at.Sub(e.claimed) - lease
			m.rep.Judged("L2", 1)
			m.rep.took("L2 takeover", g.at.Sub(e.latest)-lease)
			if late < -slack {
				m.rep.Violate("L2", "the lease of token %s of run %s was taken over %v before it ran out", e.Token, e.Run, -late)
			}
		}
	}
	e.consumer, e.claimed, e.latest = consumer, g.at, g.at
}

// granted follows a lease that begins without a claim of its own: it lasts from the
// read that brought the entry, which was after the entry was added and before now.
// The owner's name is the consumer's with a number behind it.
func (m *mirror) granted(g *group, it *item) {
	_, queue, _ := strings.Cut(it.stream, "}:queue:")
	e := g.part.queues[queue][it.entry]
	if e == nil || slices.ContainsFunc(it.lines, func(c command) bool { return c.name == "XCLAIM" }) {
		return
	}
	if dash := strings.LastIndexByte(it.owner, '-'); dash > 0 {
		e.consumer = it.owner[:dash]
	}
	ms, _, _ := strings.Cut(it.entry, "-")
	added, _ := strconv.ParseInt(ms, 10, 64)
	if at := time.UnixMilli(added); at.After(e.claimed) && !at.After(g.at) {
		e.claimed = at
	}
	e.latest = g.at
}

// judgeConsumer judges S10: a consumer that has entries is not deleted.
func (m *mirror) judgeConsumer(g *group, queue string, c command) {
	if len(c.args) < 5 || !strings.EqualFold(c.args[1], "DELCONSUMER") {
		return
	}
	consumer, has := c.args[4], 0
	for _, e := range g.part.queues[queue] {
		if e.consumer == consumer {
			has++
		}
	}
	m.rep.check("S10", has == 0, "consumer %s of queue %s was deleted with %d entries", consumer, queue, has)
}

// stays are the statuses that a run may go to from each.
var stays = map[string][]string{
	"":        {"running"},
	"running": {"paused", "completed", "failed", "undoing", "cancelled"},
	"paused":  {"running", "completed", "failed", "undoing", "cancelled"},
	"undoing": {"failed", "cancelled"},
	"failed":  {"running", "undoing"},
}

// judgeStatus judges S8: statuses that stay, and ends and causes with them.
func (m *mirror) judgeStatus(g *group, t *touched) {
	r, old, status := t.run, t.was("status"), t.run.status()
	if !t.there && len(t.fields) > 0 {
		m.rep.check("S8", status != "", "run %s, which is not there, was given %v", r.id, r.fields)
	}
	if status != old {
		m.rep.check("S8", slices.Contains(stays[old], status), "run %s went from %q to %q", r.id, old, status)
		m.rep.Count(old+" to "+status, 1)
		return
	}
	for _, field := range []string{"ended", "cause"} {
		if was, changed := t.fields[field]; changed && old != "" {
			m.rep.check("S8", was == r.fields[field], "%s of run %s went from %q to %q while it is %s", field, r.id, was, r.fields[field], status)
		}
	}
}

// count keeps the counts that stats should be.
func (m *mirror) count(g *group, t *touched) {
	old, now := t.was("workflow")+":"+t.was("status"), t.run.countedAs()
	if t.there && (t.removed || old != now) {
		g.part.counts[old]--
		g.recounted = append(g.recounted, old)
	}
	if !t.removed && t.run.there() && (!t.there || old != now) {
		g.part.counts[now]++
		g.recounted = append(g.recounted, now)
	}
}

// judgeStats judges S12: the counts follow each change of status.
func (m *mirror) judgeStats(g *group) {
	if g.part.spoilt {
		return
	}
	for _, field := range g.recounted {
		m.rep.check("S12", g.part.stats[field] == g.part.counts[field], "the count of %s is %d, want %d", field, g.part.stats[field], g.part.counts[field])
	}
}
