package checker

import (
	"strconv"
	"strings"
)

// chunk is how many branches of a large fan-out are made at a time; each takes a
// step of its token that is no item.
const chunk = 256

// lineage is what a run's history and tokens say of who made whom.
type lineage struct {
	run *Run
	// steps are the committed items, by token and step.
	steps map[string]map[int]Step
	// branches is the largest number of the branches that an item has made.
	branches map[string]int
	tokens   map[string]bool // that are or were there
	hashed   map[string]string
}

func newLineage(r *Run) *lineage {
	l := &lineage{run: r, steps: map[string]map[int]Step{}, branches: map[string]int{}, tokens: map[string]bool{}}
	for _, s := range r.History {
		token, step, ok := splitItem(s.Item)
		if !ok {
			r.badf("history has item %q", s.Item)
			continue
		}
		if l.steps[token] == nil {
			l.steps[token] = map[int]Step{}
		}
		l.steps[token][step] = s
		l.tokens[token] = true
	}
	for token := range r.Tokens {
		l.tokens[token] = true
	}
	for token := range l.tokens {
		dot := strings.LastIndexByte(token, '.')
		if n, err := strconv.Atoi(token[dot+1:]); dot > 0 && err == nil {
			l.branches[token[:dot]] = max(l.branches[token[:dot]], n)
		}
	}
	return l
}

func (l *lineage) committed(item string) (Step, bool) {
	token, step, _ := splitItem(item)
	s, ok := l.steps[token][step]
	return s, ok
}

// maker returns the item that made a token, see origin.
func (l *lineage) maker(token string) (item string, made, ok bool) {
	if !strings.HasPrefix(token, "h-") || strings.Contains(token, ".") {
		item, made, ok = origin(token)
		if frame, _, _ := strings.Cut(item, "."); !ok && strings.HasPrefix(frame, "h-") {
			return "", true, true
		}
		return item, made, ok
	}
	if l.hashed == nil {
		l.hash()
	}
	item, ok = l.hashed[token]
	return item, true, ok
}

// hash finds out which items have made the tokens that are hashes.
func (l *lineage) hash() {
	l.hashed = map[string]string{}
	for token, steps := range l.steps {
		for step, s := range steps {
			if item := itemOf(token, step); s.Outcome == "fan" || s.Outcome == "answered" || s.Outcome == "next" {
				l.hashed[short(short(item)+".j")] = item
				for n := 1; len(item) > maxToken-8 && n <= len(l.tokens)+1; n++ {
					l.hashed[short(item+"."+strconv.Itoa(n))] = item
				}
			}
		}
	}
}

// goesOn says whether a token may go on after a step with that outcome.
func goesOn(outcome string) bool {
	switch outcome {
	case "next", "fan", "await", "answered", "fallback":
		return true
	}
	return false
}

// cause says why an item cannot be there, nothing if it can: the step before, or
// what made its token, was committed.
func (l *lineage) cause(token string, step int) string {
	if step == 0 {
		item, made, ok := l.maker(token)
		switch {
		case !ok:
			return "its id is none that a path gives"
		case !made && token[0] == 'u' && l.run.Fields["undoing"] == "":
			return "its run undoes nothing"
		case !made || item == "":
			return ""
		}
		s, ok := l.committed(item)
		if !ok {
			return "item " + item + ", which would have made its token, was not committed"
		}
		if s.Outcome == "fan" || s.Outcome == "answered" {
			return ""
		}
		return "item " + item + ", which would have made its token, ended as " + s.Outcome
	}
	before := step - 1
	for ; before >= 0; before-- {
		if _, ok := l.steps[token][before]; ok {
			break
		}
	}
	if before < 0 {
		return "no step before it was committed"
	}
	s := l.steps[token][before]
	if !goesOn(s.Outcome) {
		return "the step before it, " + strconv.Itoa(before) + ", ended its token: " + s.Outcome
	}
	if before == step-1 {
		return ""
	}
	made := l.branches[itemOf(token, before)]
	if chunks := (made + chunk - 1) / chunk; made > chunk-1 && step-before-1 <= chunks {
		return ""
	}
	return "step " + strconv.Itoa(step-1) + " was not committed"
}

// judgeItems judges S2: an item is there if and only if the one that leads to it
// was committed. It also judges S4: nothing is committed twice.
func (r *Run) judgeItems(rep *Report, c *Case, log []Execution) {
	for item, n := range r.committed() {
		rep.check("S4", n == 1, "item %s of run %s was committed %d times", item, r.ID, n)
	}
	if !r.whole() {
		return
	}
	l := newLineage(r)
	for token, steps := range l.steps {
		for step, s := range steps {
			why := l.cause(token, step)
			rep.check("S2", why == "", "item %s of run %s was committed: %s", s.Item, r.ID, why)
			if r.n("dropped") == 0 {
				l.judgeSuccessors(rep, token, step, s)
			}
		}
	}
	for name, t := range r.Tokens {
		step := t.Step
		if t.Release > 0 { // between the steps of a large fan-out
			step = t.Origin + 1
		}
		why := l.cause(name, step)
		rep.check("S2", why == "", "token %s of run %s is at step %d: %s", name, r.ID, t.Step, why)
	}
	if !c.reused(r.ID) {
		l.judgeLog(rep, c, log)
	}
}

// judgeSuccessors judges that what a committed item leads to is there.
func (l *lineage) judgeSuccessors(rep *Report, token string, step int, s Step) {
	t, live := l.run.Tokens[token]
	live = live && t.Step > step
	_, next := l.steps[token][step+1]
	switch s.Outcome {
	case "next", "await":
		rep.check("S2", next || live, "item %s of run %s was committed as %s, its successor is missing", s.Item, l.run.ID, s.Outcome)
	case "fan":
		made := l.branches[s.Item]
		for n := 1; n <= made; n++ {
			rep.check("S2", l.tokens[short(s.Item+"."+strconv.Itoa(n))], "item %s of run %s made branches up to %d, number %d is missing",
				s.Item, l.run.ID, made, n)
		}
		for later := range l.steps[token] {
			next = next || later > step
		}
		rep.check("S2", made == 0 || next || live, "item %s of run %s fanned out, its branch 0 is missing", s.Item, l.run.ID)
	}
}

// judgeLog judges that nothing was executed that no committed item led to. An
// execution follows the commit of what led to it, and that its acknowledgement: if
// the commit is gone, it was lost.
func (l *lineage) judgeLog(rep *Report, c *Case, log []Execution) {
	lost, seen := 0, map[string]bool{}
	for _, e := range log {
		if seen[e.Item] {
			continue
		}
		seen[e.Item] = true
		why := "its id is none that a path gives"
		if token, step, ok := splitItem(e.Item); ok {
			why = l.cause(token, step)
		}
		if why != "" && c.Lost {
			lost++
			continue
		}
		rep.check("S2", why == "", "item %s of run %s was executed: %s", e.Item, l.run.ID, why)
	}
	if lost > 0 {
		rep.Count("lost", lost)
	}
}
