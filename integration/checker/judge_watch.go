package checker

import (
	"slices"
	"strings"
	"time"
)

// judgeKeys judges S16: what a script touches is declared in its keys, and those
// are in one slot. A script may read what begins as one of its arguments says, in
// its own slot: that is how the counts are checked.
func (m *mirror) judgeKeys(x *call, lines []command) {
	right, wrong := true, ""
	declared := make(map[string]bool, len(x.keys))
	for _, key := range x.keys {
		declared[key] = true
		if slotTag(key) != slotTag(x.keys[0]) {
			right, wrong = false, key+" is in another slot than "+x.keys[0]
		}
	}
	for _, c := range lines {
		for _, key := range c.keys() {
			if declared[key] {
				continue
			}
			named := slices.ContainsFunc(x.argv, func(arg string) bool {
				return strings.Contains(arg, "}:") && strings.HasPrefix(key, arg)
			})
			if c.writes() || !named || slotTag(key) != slotTag(x.keys[0]) {
				right, wrong = false, c.name+" "+key+" is not declared"
			}
		}
	}
	m.rep.check("S16", right, "a script with the keys %v: %s", x.keys, wrong)
}

// judge judges one group.
func (m *mirror) judge(g *group) {
	m.judgeRuns(g)
	m.judgeStats(g)
}

// judgeRuns judges what a group has done to runs.
func (m *mirror) judgeRuns(g *group) {
	g.settle()
	if g.call != nil {
		m.judgeIsolation(g)
		m.judgeLease(g)
	}
	for id, t := range g.touched {
		m.count(g, t)
		switch {
		case t.removed && g.call == nil:
			g.part.remove(id)
			continue
		case t.removed:
			m.judgeRemoved(g, id, t)
			continue
		case t.run.spoilt || g.call == nil:
			continue
		}
		m.judgeStatus(g, t)
		m.judgeCommit(g, t)
		m.judgeRunLedger(t)
		for name, before := range t.tokens {
			m.judgeToken(g, t, name, before)
		}
	}
}

// judgeIsolation judges S15: a script writes to one run, that of its keys.
func (m *mirror) judgeIsolation(g *group) {
	if len(g.runs) == 0 {
		return
	}
	own := ""
	for _, key := range g.call.keys {
		for _, kind := range []string{"run:", "state:", "history:", "errors:"} {
			if id, ok := strings.CutPrefix(key, g.prefix+kind); ok {
				own = id
			}
		}
	}
	for id := range g.runs {
		m.rep.check("S15", id == own, "a script of run %q has written to run %q", own, id)
	}
}

// judgeLease judges S3, that a script called by anyone but the lease's holder
// changes nothing, and S4, that one that is repeated changes nothing more.
func (m *mirror) judgeLease(g *group) {
	if g.call.header == nil {
		m.rep.Count("unknown scripts", 1)
		return
	}
	l, ok := g.call.fenced()
	if _, loads := g.call.arg("entry"); !ok || loads {
		return
	}
	run := ""
	for _, key := range g.call.keys {
		if id, ok := strings.CutPrefix(key, g.prefix+"run:"); ok {
			run = id
		}
	}
	r := g.part.run(run)
	if r.spoilt {
		return
	}
	t, there := r.tokens[l.token]
	if touched := g.touched[run]; touched != nil {
		r = touched.run
		if before, ok := touched.tokens[l.token]; ok {
			if there = before != nil; there {
				t = *before
			}
		}
	}
	holds := there && t.Place == "q" && t.Owner == l.owner
	if l.step != "" {
		holds = holds && (l.step == itoa(t.Step) || l.step == itoa(t.Step-1))
	}
	if !holds {
		m.rep.check("S3", g.writes == 0, "a script of run %s under the lease %v, which does not hold (%v: %+v), has written %d times",
			run, l, there, t, g.writes)
	}
	if l.step == "" {
		return
	}
	if status := r.statusBefore(g, run); status == "completed" || status == "cancelled" {
		m.rep.check("S6", g.writes == 0, "a script of run %s, which is %s, has written %d times under the lease %v", run, status, g.writes, l)
	}
	if !r.taken[l] {
		if g.writes > 0 {
			r.taken[l] = true
		}
		return
	}
	rose := []string{}
	if touched := g.touched[run]; touched != nil {
		for _, counter := range []string{"created", "committed", "failed", "dropped", "live", "sv", "outs", "held", "ends", "errs", "undos"} {
			if touched.rise(counter) != 0 {
				rose = append(rose, counter)
			}
		}
	}
	m.rep.check("S4", len(rose) == 0, "what was done in run %s under the lease %v was done again: it changed %v", run, l, rose)
}

// statusBefore is the run's status before the group.
func (r *mirrorRun) statusBefore(g *group, run string) string {
	if t := g.touched[run]; t != nil {
		return t.was("status")
	}
	return r.status()
}

// judgeCommit judges the commit that a group makes: S4, one item, once; S1, one
// delta at most; S2, what leads on leads on from it.
func (m *mirror) judgeCommit(g *group, t *touched) {
	r := t.run
	commits := t.rise("committed") + t.rise("failed")
	token, known := g.call.arg("token")
	if !known {
		token = t.stepped()
	}
	before := t.tokens[token]
	if commits != 0 && t.there {
		m.rep.check("S4", commits == 1 && before != nil, "a script has counted %d items of run %s as committed (token %q)", commits, r.id, token)
		if before != nil {
			item := itemOf(token, before.Step)
			m.rep.check("S4", !r.done[item], "item %s of run %s was committed again", item, r.id)
			r.done[item] = true
		}
	}
	if t.pushed > 0 {
		m.rep.check("S1", t.pushed == 1 && commits == 1 && t.rise("sv") == 1,
			"run %s was given %d deltas for %d commits, its version rose by %d", r.id, t.pushed, commits, t.rise("sv"))
	}
	for _, number := range t.records {
		done := r.n("committed") + r.n("failed")
		m.rep.check("S9", commits == 1 && number == itoa(done), "record %s of run %s was written by %d commits, which made them %d", number, r.id, commits, done)
	}
	made, advanced := 0, 0
	for name, before := range t.tokens {
		now, there := r.tokens[name]
		switch {
		case there && before == nil:
			made++
			m.judgeMade(g, t, name, now)
		case there && now.Step != before.Step:
			if before.Release == 0 {
				advanced++
			}
			right := now.Step == before.Step+1 && (before.Release > 0 || commits == 1 && name == token)
			m.rep.check("S2", right, "token %s of run %s went from step %d to %d with %d commits", name, r.id, before.Step, now.Step, commits)
		}
	}
	if rise := t.rise("created"); t.there && rise > 0 {
		m.rep.check("S2", rise == made+advanced, "run %s has counted %d items as created, %d are there", r.id, rise, made+advanced)
	}
}

// stepped is the token whose step was committed, by what has become of it.
func (t *touched) stepped() string {
	for name, before := range t.tokens {
		now, there := t.run.tokens[name]
		if before != nil && before.Place == "q" && (!there || now.Step > before.Step) {
			return name
		}
	}
	return ""
}

// judgeRunLedger judges S9 after every script.
func (m *mirror) judgeRunLedger(t *touched) {
	r := t.run
	if !r.there() {
		return
	}
	m.rep.check("S9", r.n("created") == r.n("committed")+r.n("failed")+r.n("dropped")+r.n("live") &&
		len(r.tokens) == r.n("live") && r.parked == r.n("parked"),
		"run %s (%s): %d items created, %d committed, %d failed, %d dropped, %d live (%d tokens), %d parked (%d tokens)", r.id, r.status(),
		r.n("created"), r.n("committed"), r.n("failed"), r.n("dropped"), r.n("live"), len(r.tokens), r.n("parked"), r.parked)
}

// judgeRemoved judges L5 when a run is deleted.
func (m *mirror) judgeRemoved(g *group, id string, t *touched) {
	r := t.run
	m.rep.Count("deleted", 1)
	_, deadline := g.part.timers[id+"/"]
	m.rep.check("L5", r.spoilt || len(r.entries) == 0 && len(r.tokens) == 0 && !deadline,
		"run %s was deleted with %d tokens, entries of %d, a timer for its deadline: %v", id, len(r.tokens), len(r.entries), deadline)
	g.part.remove(id)
}

// slack is by how much a script's own clock may be ahead of its line's.
const slack = 5 * time.Millisecond
