package checker

import "strings"

// judgeMade judges S2 and S5 of a new token: an item that was committed has made
// it, or it is the one of a join that fires now.
func (m *mirror) judgeMade(g *group, t *touched, name string, now Token) {
	r := t.run
	item, made, ok := origin(name)
	switch {
	case strings.HasPrefix(name, "h-"):
		ok = g.hashes(t, name)
	case ok && made && !strings.HasPrefix(item, "h-"):
		ok = r.done[item] || r.partial
	case name == "0":
		ok = !t.there
	case isNumbered(name, 'r'):
		ok = t.was("status") == "failed" && r.status() == "running"
	case isNumbered(name, 'u'):
		ok = r.status() == "undoing"
	}
	m.rep.check("S2", ok, "token %s of run %s (%s) was made, and no committed item leads to it", name, r.id, r.status())
	if now.From != "" {
		m.judgeFired(t, name, now)
	}
}

// hashes says whether a hashed token is one that the group's own may have made.
func (g *group) hashes(t *touched, name string) bool {
	if t.run.partial || strings.Contains(name, ".") {
		return true
	}
	for frame := range t.frames {
		if short(frame+".j") == name {
			return true
		}
	}
	token, _ := g.call.arg("token")
	before := t.tokens[token]
	if before == nil {
		return false
	}
	step, most := before.Step, len(t.tokens)
	if before.Release > 0 {
		step, most = before.Origin, most+before.Release*chunk
	}
	for n := range most + 1 {
		if short(itemOf(token, step)+"."+itoa(n)) == name {
			return true
		}
	}
	return short(short(itemOf(token, step))+".j") == name
}

// judgeFired judges S5: a frame's join fires once, when no branch is out or as many
// have arrived as it needs, and has one deposit of each.
func (m *mirror) judgeFired(t *touched, name string, now Token) {
	r := t.run
	m.rep.check("S5", !r.fired[now.From], "the join %s of run %s has fired again", name, r.id)
	r.fired[now.From] = true
	from := map[string]bool{}
	for n := 1; n <= now.Count; n++ {
		item := r.deposits[now.From+":"+itoa(n)]
		if r.partial {
			continue
		}
		m.rep.check("S5", item != "" && !from[item] && r.done[item], "the join %s of run %s has deposit %d of item %q", name, r.id, n, item)
		from[item] = true
	}
	before := t.frames[now.From]
	after, open := r.frames[now.From]
	switch {
	case before == nil: // a fan-out of nothing
		m.rep.check("S5", now.Count == 0, "the join %s of run %s has fired with %d deposits and no frame", name, r.id, now.Count)
	case !open:
		m.rep.check("S5", before.live == "1", "the join %s of run %s has fired, %s branches were out", name, r.id, before.live)
	default:
		enough := after.arrived == before.need || t.rise("failed") == 1
		m.rep.check("S5", after.need == "x" && enough, "the join %s of run %s has fired with %s of %s arrivals, %s branches were out",
			name, r.id, after.arrived, before.need, before.live)
	}
}

// judgeStep judges what S1 and S9 ask of an item that a script commits with others:
// the delta that it has, and a record of the history, the first ones in the run.
func (m *mirror) judgeStep(g *group, it *item) {
	_, id, _ := strings.Cut(it.run, "}:run:")
	t := g.touched[id]
	if !it.step || t == nil || t.run.spoilt || t.rise("committed") == 0 {
		return
	}
	deltas, done := 0, t.run.n("committed")+t.run.n("failed")
	if it.delta {
		deltas = 1
	}
	m.rep.check("S1", t.pushed == deltas && t.rise("sv") == deltas, "item %v of run %s, which has %d deltas, has added %d to the state, whose version rose by %d",
		it.call.argv, id, deltas, t.pushed, t.rise("sv"))
	fields, listed := 1, 0
	if done > firstSteps {
		fields, listed = 0, 1
	}
	m.rep.check("S9", len(t.records) == fields && t.listed == listed, "item %v of run %s, which is the %d. that is done, has left %d records in the run and %d in the list",
		it.call.argv, id, done, len(t.records), t.listed)
}
