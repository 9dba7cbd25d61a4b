package checker

import (
	"slices"
	"strings"
)

// judgeJoins judges S5 by what the log says that joins were given.
func (r *Run) judgeJoins(rep *Report, c *Case, log []Execution) {
	if c.reused(r.ID) || !r.whole() {
		return
	}
	given := map[string][]string{} // by join's item
	for _, e := range log {
		if e.Event != Start || e.Inputs == nil {
			continue
		}
		before, again := given[e.Item]
		rep.check("S5", !again || slices.Equal(before, e.Inputs), "join %s of run %s was given %v, and another time %v", e.Item, r.ID, before, e.Inputs)
		given[e.Item] = e.Inputs
	}
	outcome, joined := map[string]string{}, map[string]string{}
	for _, s := range r.History {
		outcome[s.Item] = s.Outcome
	}
	for join, inputs := range given {
		r.judgeInputs(rep, c, join, inputs, outcome, joined)
	}
	complete := r.Status() == "completed" && r.n("dropped") == 0 && !c.Lost
	for item := range outcome {
		if strings.HasSuffix(item, ".j.0") && given[item] == nil {
			complete = false // that join wrote no log
		}
	}
	if !complete || len(given) == 0 {
		return
	}
	for item, how := range outcome {
		if how == "deposit" {
			rep.check("S5", joined[item] != "", "item %s of run %s came to its join, which was given nothing of it", item, r.ID)
		}
	}
}

// judgeInputs judges what one join was given.
func (r *Run) judgeInputs(rep *Report, c *Case, join string, inputs []string, outcome, joined map[string]string) {
	token, _, _ := splitItem(join)
	frame, known := strings.CutSuffix(token, ".j")
	known = known && !strings.HasPrefix(frame, "h-")
	last := 0
	for _, item := range inputs {
		rep.check("S5", joined[item] == "", "item %s of run %s was given to join %s, and to %s", item, r.ID, join, joined[item])
		joined[item] = join
		how := outcome[item]
		came := how == "deposit" || how == "fallback" || how == "answered"
		rep.check("S5", came || c.Lost, "join %s of run %s was given item %s, whose outcome is %q", join, r.ID, item, how)
		if !known || strings.HasPrefix(item, "h-") {
			continue
		}
		index, within := branch(frame, item)
		rep.check("S5", within, "join %s of run %s was given item %s, which is none of its branches", join, r.ID, item)
		rep.check("S5", index >= last, "join %s of run %s was given its inputs out of order: %v", join, r.ID, inputs)
		last = index
	}
}
