package checker

import (
	"slices"
	"strings"
)

// Judge judges the snapshot with what else is known, and returns what it found.
func (s *Snapshot) Judge(c Case) *Report {
	r := &Report{}
	logs := byRun(c.Log)
	for _, p := range s.Parts {
		for _, run := range p.Runs {
			if c.spoilt(run) {
				continue
			}
			if run.Fields == nil {
				r.check("L5", false, "keys of run %s are there without it", run.ID)
				continue
			}
			run.judge(r, &c, logs[run.ID])
		}
		p.judgeTokens(r, &c)
		p.judgeQueues(r, &c)
		p.judgeTimers(r, &c)
		p.judgeCounts(r, &c)
		if c.Rest {
			p.judgeRest(r, &c)
		}
		p.judgeGone(r, &c)
	}
	s.judgeWants(r, &c)
	r.Add(s.JudgeMetrics(c))
	return r
}

// judge judges what a run's own keys say.
func (r *Run) judge(rep *Report, c *Case, log []Execution) {
	rep.check("S1", len(r.Bad) == 0, "run %s: %v", r.ID, r.Bad)
	r.judgeState(rep, c)
	r.judgeItems(rep, c, log)
	r.judgeJoins(rep, c, log)
	r.judgeLedger(rep)
	r.judgeStarts(rep, c, log)
}

// byRun sorts a log's lines by their run.
func byRun(log []Execution) map[string][]Execution {
	m := map[string][]Execution{}
	for _, e := range log {
		m[e.Run] = append(m[e.Run], e)
	}
	return m
}

// judgeWants judges what each run has come to: L1, and L5 for those that must be
// gone.
func (s *Snapshot) judgeWants(rep *Report, c *Case) {
	for id, want := range c.Want {
		r := s.Run(id)
		if r == nil || r.Fields == nil {
			rep.check("L1", false, "run %s is not there", id)
			continue
		}
		if want.Status != "" {
			rep.check("L1", r.Status() == want.Status, "run %s is %s (%s), want %s", id, r.Status(), r.Fields["cause"], want.Status)
		}
		if want.Committed != 0 {
			rep.check("S2", r.n("committed") == want.Committed, "run %s committed %d items, want %d", id, r.n("committed"), want.Committed)
		}
		if want.Outputs != 0 {
			rep.check("S2", r.n("outs") == want.Outputs, "run %s has %d outputs, want %d", id, r.n("outs"), want.Outputs)
		}
	}
}

// judgeState judges S1: the deltas in the state are those of the committed items,
// each once.
func (r *Run) judgeState(rep *Report, c *Case) {
	log, folded := len(r.state), r.n("sb")
	want := r.n("sv") - folded
	if folded > 0 {
		want++
	}
	rep.check("S1", log == want, "run %s: the state log has %d parts, its versions say %d", r.ID, log, want)
	steps := map[string]Step{}
	for _, s := range r.History {
		steps[s.Item] = s
	}
	seen := map[string]bool{}
	for _, item := range r.Items {
		rep.check("S1", !seen[item], "run %s: the delta of %s was applied twice", r.ID, item)
		seen[item] = true
		if _, ok := steps[item]; !ok && r.whole() {
			rep.Violate("S1", "run %s: the state has a delta of %s, which was not committed", r.ID, item)
		}
	}
	// A snapshot does not keep the state of a nested workflow that has ended.
	if r.Retried() || !r.whole() || r.scoped && folded > 0 {
		return
	}
	for item, s := range steps {
		// One that took its fallback has left its delta behind, but for an abort's. The
		// answer of a wait is passed on, and no node is executed for it.
		if s.Outcome != "fallback" && s.Outcome != "answered" && c.merges(r.Fields["workflow"], s.Node) {
			rep.check("S1", seen[item], "run %s: the delta of %s (%s) is missing", r.ID, item, s.Node)
		}
	}
}

// judgeLedger judges what of S9 the run's own keys say.
func (r *Run) judgeLedger(rep *Report) {
	n := r.n
	rep.check("S9", n("created") == n("committed")+n("failed")+n("dropped")+n("live"),
		"run %s (%s): %d items created, %d committed, %d failed, %d dropped, %d live",
		r.ID, r.Status(), n("created"), n("committed"), n("failed"), n("dropped"), n("live"))
	parked := 0
	for _, t := range r.Tokens {
		if t.Place == "p" {
			parked++
		}
	}
	rep.check("S9", len(r.Tokens) == n("live") && parked == n("parked"),
		"run %s (%s) has %d tokens, %d parked; it counts %d and %d", r.ID, r.Status(), len(r.Tokens), parked, n("live"), n("parked"))
	if r.whole() {
		r.judgeHistory(rep)
	}
}

// judgeHistory judges S9: each commit has left its record, the first ones in the run.
func (r *Run) judgeHistory(rep *Report) {
	first, done := 0, r.n("committed")+r.n("failed")
	for field := range r.Fields {
		if strings.HasPrefix(field, "h:") {
			first++
		}
	}
	rep.check("S9", len(r.history) == done && len(r.listed) == max(done-firstSteps, 0) && first == min(done, firstSteps),
		"run %s has %d records of history, %d in a list and %d as fields, and has %d items committed and %d failed",
		r.ID, len(r.history), len(r.listed), first, r.n("committed"), r.n("failed"))
}

// judgeStarts judges S14: an item that kills its workers is started only so often.
// A start without an end is one that killed its worker, or was killed with it.
func (r *Run) judgeStarts(rep *Report, c *Case, log []Execution) {
	open := map[string]int{}
	for _, e := range log {
		if e.Event == Start {
			open[e.Item]++
		} else {
			open[e.Item]--
		}
	}
	limit := c.starts() * (1 + c.Want[r.ID].Retries)
	for item, n := range open {
		rep.check("S14", n <= limit || c.Lost, "item %s of run %s was started %d times without an end, the limit is %d", item, r.ID, n, limit)
	}
}

// sorted returns the runs of a partition that can be judged, by id.
func (p *Part) sorted(c *Case) []*Run {
	var runs []*Run
	for _, r := range p.Runs {
		if r.Fields != nil && !c.spoilt(r) {
			runs = append(runs, r)
		}
	}
	slices.SortFunc(runs, func(a, b *Run) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return runs
}
