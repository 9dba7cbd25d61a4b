package checker

import (
	"maps"
	"strconv"
	"strings"
	"time"
)

// mirror is what the commands so far have made of a server's keys.
type mirror struct {
	rep    *Report
	prefix string // what the keys to be judged begin with
	parts  map[string]*mirrorPart
	queue  []command // of the group that is not complete yet
	// doubt says that a run was written to past the scripts: a server to which that
	// happens may have become a replica.
	doubt bool
	left  map[string]bool // runs that are not judged, see Watch.Leave
}

// mirrorPart is one partition, by what its keys begin with.
type mirrorPart struct {
	runs   map[string]*mirrorRun
	timers map[string]int64
	queues map[string]map[string]*mirrorEntry // by queue and id
	stats  map[string]int
	counts map[string]int // what stats should be
	// spoilt says that a run was written to past the scripts, which counts nothing.
	spoilt bool
}

type mirrorEntry struct {
	Pointer
	consumer string
	// claimed, or renewed, is when it was, at the earliest; zero if that was not seen.
	claimed, latest time.Time
}

// mirrorRun is one run.
type mirrorRun struct {
	id     string
	fields map[string]string // those that are short
	tokens map[string]Token
	parked int
	frames map[string]frame
	// deposits are the items that have come to a join, by "<frame>:<number>".
	deposits map[string]string
	done     map[string]bool // committed items
	fired    map[string]bool // frames
	taken    map[lease]bool  // calls that took effect
	entries  map[string]int  // how many each token has in the queues
	lost     map[string]bool // tokens whose queue was deleted, as a fault may
	// partial says that not all of its past is known; spoilt, that its keys were
	// written to by others than scripts.
	partial, spoilt bool
}

// frame is what is between a fan-out and its join.
type frame struct{ live, arrived, need string }

func parseFrame(record string) frame {
	f := strings.Split(record, "|")
	for len(f) < 9 {
		f = append(f, "")
	}
	return frame{f[0], f[6], f[8]}
}

func newMirror(rep *Report, prefix string) *mirror {
	return &mirror{rep: rep, prefix: prefix, parts: map[string]*mirrorPart{}, left: map[string]bool{}}
}

func newMirrorPart() *mirrorPart {
	return &mirrorPart{
		runs: map[string]*mirrorRun{}, timers: map[string]int64{}, queues: map[string]map[string]*mirrorEntry{},
		stats: map[string]int{}, counts: map[string]int{},
	}
}

func newMirrorRun(id string) *mirrorRun {
	return &mirrorRun{
		id: id, fields: map[string]string{}, tokens: map[string]Token{}, frames: map[string]frame{},
		deposits: map[string]string{}, done: map[string]bool{}, fired: map[string]bool{}, taken: map[lease]bool{},
		entries: map[string]int{}, lost: map[string]bool{},
	}
}

// load makes the mirror be what a dump of the server says.
func (m *mirror) load(reply []any) error {
	m.parts = map[string]*mirrorPart{}
	m.queue = nil
	byPart := map[string][]any{}
	for _, item := range reply[1:] {
		key := flat(item)[0]
		if part, _, ok := m.split(key); ok {
			byPart[part] = append(byPart[part], item)
		}
	}
	for prefix, items := range byPart {
		p, err := parsePart(0, prefix, append([]any{reply[0]}, items...))
		if err != nil {
			return err
		}
		m.parts[prefix] = mirrorOf(p)
		for id, r := range m.parts[prefix].runs {
			if m.left[id] {
				r.spoilt, m.parts[prefix].spoilt = true, true
			}
		}
	}
	return nil
}

func mirrorOf(p *Part) *mirrorPart {
	mp := newMirrorPart()
	maps.Copy(mp.timers, p.Timers)
	maps.Copy(mp.stats, p.Stats)
	for id, r := range p.Runs {
		mp.runs[id] = mirrorRunOf(r)
		if mp.runs[id].there() {
			mp.counts[mp.runs[id].countedAs()]++
		}
	}
	for name, q := range p.Queues {
		for id, at := range q.Entries {
			mp.addEntry(name, id, at)
			mp.queues[name][id].consumer = q.Pending[id]
		}
	}
	// A queue may have been deleted while nothing was followed.
	for _, r := range mp.runs {
		for name, t := range r.tokens {
			if t.Place == "q" && mp.queues[t.Queue][t.Entry] == nil {
				r.lost[name] = true
			}
		}
	}
	return mp
}

func mirrorRunOf(r *Run) *mirrorRun {
	mr := newMirrorRun(r.ID)
	mr.partial, mr.spoilt = !r.whole(), r.Spoilt || len(r.Bad) > 0 || r.Fields == nil
	for field, value := range r.Fields {
		mr.set(field, value)
	}
	for item := range r.committed() {
		mr.done[item] = true
	}
	for _, s := range r.History {
		if frame, ok := strings.CutSuffix(s.Item, ".j.0"); ok {
			mr.fired[frame] = true
		}
	}
	for token := range r.Tokens {
		if frame, ok := strings.CutSuffix(token, ".j"); ok {
			mr.fired[frame] = true
		}
	}
	return mr
}

// split takes a key of a partition apart: "flox:{ns:3}:" and "run:abc".
func (m *mirror) split(key string) (part, name string, ok bool) {
	if !strings.HasPrefix(key, m.prefix) {
		return "", "", false
	}
	tag, name, ok := strings.Cut(key, "}:")
	return tag + "}:", name, ok && strings.ContainsRune(tag[len("flox:{"):], ':')
}

func (m *mirror) part(prefix string) *mirrorPart {
	if m.parts[prefix] == nil {
		m.parts[prefix] = newMirrorPart()
	}
	return m.parts[prefix]
}

func (p *mirrorPart) run(id string) *mirrorRun {
	if p.runs[id] == nil {
		p.runs[id] = newMirrorRun(id)
	}
	return p.runs[id]
}

func (p *mirrorPart) addEntry(queue, id string, at Pointer) {
	if p.queues[queue] == nil {
		p.queues[queue] = map[string]*mirrorEntry{}
	}
	p.queues[queue][id] = &mirrorEntry{Pointer: at}
	p.run(at.Run).entries[at.Token]++
}

func (p *mirrorPart) removeEntry(queue, id string) {
	e := p.queues[queue][id]
	if e == nil {
		return
	}
	delete(p.queues[queue], id)
	r := p.run(e.Run)
	if r.entries[e.Token]--; r.entries[e.Token] == 0 {
		delete(r.entries, e.Token)
	}
	if !r.there() && len(r.entries) == 0 {
		delete(p.runs, e.Run)
	}
}

// remove forgets a run that was deleted. What is started under its id is another
// one; entries that were left behind are remembered.
func (p *mirrorPart) remove(id string) {
	entries := p.run(id).entries
	delete(p.runs, id)
	if len(entries) > 0 {
		p.run(id).entries = entries
	}
}

func (r *mirrorRun) n(field string) int {
	n, _ := strconv.Atoi(r.fields[field])
	return n
}

// there says whether the run's hash is there.
func (r *mirrorRun) there() bool { return len(r.fields) > 0 }

func (r *mirrorRun) status() string { return r.fields["status"] }

func (r *mirrorRun) countedAs() string { return r.fields["workflow"] + ":" + r.status() }

// set takes over one field of the run's hash.
func (r *mirrorRun) set(field, value string) {
	kind, name, special := strings.Cut(field, ":")
	if !special {
		r.fields[field] = value
		return
	}
	switch kind {
	case "t":
		t, err := parseToken(value)
		if err != nil {
			r.spoilt = true
			return
		}
		r.unset(field)
		r.tokens[name] = t
		if t.Place == "p" {
			r.parked++
		}
	case "f":
		r.frames[name] = parseFrame(value)
	case "d":
		// "<branch>|<item>|<payload>"
		if parts := strings.SplitN(value, "|", 3); len(parts) == 3 {
			r.deposits[name] = parts[1]
		}
	}
}

func (r *mirrorRun) unset(field string) {
	kind, name, special := strings.Cut(field, ":")
	switch {
	case !special:
		delete(r.fields, field)
	case kind == "t":
		if r.tokens[name].Place == "p" {
			r.parked--
		}
		delete(r.tokens, name)
	case kind == "f":
		delete(r.frames, name)
	case kind == "d":
		delete(r.deposits, name)
	}
}
