package checker

import (
	"strconv"
	"strings"
	"time"
)

// group is what took effect at once: a script with its commands, or one command.
type group struct {
	at      time.Time
	part    *mirrorPart
	prefix  string
	call    *call // nil if it was no script
	touched map[string]*touched
	writes  int
	added   []added
	// recounted are the counts that must have changed.
	recounted []string
	// runs are those whose keys were written to, by the names of the keys.
	runs map[string]bool
}

func newGroup(at time.Time, call *call) *group {
	return &group{at: at, call: call, touched: map[string]*touched{}, runs: map[string]bool{}}
}

// touched is how a run stood before the group.
type touched struct {
	run     *mirrorRun
	there   bool
	fields  map[string]string // of those that have changed
	tokens  map[string]*Token // nil if it was not there
	frames  map[string]*frame
	records []string // numbers of those of the history, of the run's fields
	listed  int      // records of the history, of its list
	pushed  int      // deltas
	removed bool
}

// see takes the next command. A script's own line comes before the lines of what
// it does, and nothing else comes between those.
func (m *mirror) see(c command) {
	if c.lua {
		m.queue = append(m.queue, c)
		return
	}
	m.flush()
	switch {
	case parseCall(c) != nil:
		m.queue = append(m.queue, c)
	case c.name == "SCRIPT":
		learnScript(c)
	case c.name == "FLUSHALL" || c.name == "FLUSHDB":
		m.parts = map[string]*mirrorPart{}
		m.rep.Count("flushes", 1)
	default:
		m.queue = append(m.queue, c)
		m.flush()
	}
}

// flush judges the group that is complete.
func (m *mirror) flush() {
	if len(m.queue) == 0 {
		return
	}
	lines := m.queue
	m.queue = m.queue[:0]
	g := newGroup(lines[0].at, parseCall(lines[0]))
	if g.call != nil {
		lines = lines[1:]
		if !m.concerned(g.call.keys) {
			return
		}
		m.rep.Count("scripts", 1)
		m.judgeKeys(g.call, lines)
		if g.call.many() {
			m.judgeMany(g, lines)
			return
		}
	}
	m.follow(g, lines)
	if g.part == nil {
		return
	}
	if g.call == nil && len(g.runs) > 0 {
		g.tamper()
		m.doubt = true
	}
	m.judge(g)
}

// follow lets the mirror follow what a group has done.
func (m *mirror) follow(g *group, lines []command) {
	for _, c := range lines {
		for _, key := range c.keys() {
			if prefix, name, ok := m.split(key); ok {
				m.rep.Count("commands", 1)
				g.part, g.prefix = m.part(prefix), prefix
				m.apply(g, c, name)
			}
		}
	}
}

// concerned says whether any of the keys is judged.
func (m *mirror) concerned(keys []string) bool {
	for _, key := range keys {
		if strings.HasPrefix(key, m.prefix) {
			return true
		}
	}
	return false
}

// tamper marks runs that were written to past the scripts, as a fault may: they
// are not judged any more.
func (g *group) tamper() {
	g.part.spoilt = true
	for id := range g.runs {
		g.part.run(id).spoilt = true
	}
}

func (g *group) touch(id string) *touched {
	if t := g.touched[id]; t != nil {
		return t
	}
	r := g.part.run(id)
	t := &touched{run: r, there: r.there(), fields: map[string]string{}, tokens: map[string]*Token{}, frames: map[string]*frame{}}
	g.touched[id] = t
	return t
}

// keep remembers a field before it changes.
func (t *touched) keep(field string) {
	kind, name, special := strings.Cut(field, ":")
	switch {
	case !special:
		if _, ok := t.fields[field]; !ok {
			t.fields[field] = t.run.fields[field]
		}
	case kind == "t":
		t.keepToken(name)
	case kind == "h":
		t.records = append(t.records, name)
	case kind == "f":
		if _, ok := t.frames[name]; !ok {
			t.frames[name] = nil
			if f, there := t.run.frames[name]; there {
				t.frames[name] = &f
			}
		}
	}
}

func (t *touched) keepToken(name string) {
	if _, ok := t.tokens[name]; ok {
		return
	}
	t.tokens[name] = nil
	if token, there := t.run.tokens[name]; there {
		t.tokens[name] = &token
	}
}

// was is what a field was before the group.
func (t *touched) was(field string) string {
	if v, ok := t.fields[field]; ok {
		return v
	}
	return t.run.fields[field]
}

// rise is by how much a counter has grown.
func (t *touched) rise(field string) int {
	before, ok := t.fields[field]
	if !ok {
		return 0
	}
	n, _ := strconv.Atoi(before)
	return t.run.n(field) - n
}

// added is an entry whose id is not known yet.
type added struct {
	queue, id string
	at        Pointer
}

// settle gives the entries that the group has added their ids, which the tokens'
// records say.
func (g *group) settle() {
	for _, a := range g.added {
		id := a.id
		if t, ok := g.part.run(a.at.Run).tokens[a.at.Token]; id == "*" && ok {
			id = t.Entry
		}
		if id == "*" || g.part.queues[a.queue][id] != nil {
			id = "unknown " + strconv.Itoa(len(g.part.queues[a.queue])) + a.at.Token + a.at.Run
		}
		g.part.addEntry(a.queue, id, a.at)
	}
}
