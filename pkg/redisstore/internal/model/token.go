package model

import "slices"

// What lib/token.lua and lib/wait.lua hold.

func newToken(id string, node, queue int8, frame string, idx int8) token {
	return token{id: id, node: node, queue: queue, frame: frame, idx: idx}
}

// grants says whether the token may take a step.
func (d *db) grants(tok string) bool {
	return d.status == running || d.status == undoing && undoes(tok)
}

// release takes an entry out of its stream.
func (m *Model) release(d *db, eid int8) {
	if m.broken(KeepEntry) {
		if e := d.entry(eid); e != nil {
			e.con = erased // acknowledged, not deleted
		}
		return
	}
	d.entries = slices.DeleteFunc(d.entries, func(e entry) bool { return e.eid == eid })
}

func (m *Model) enqueue(s *State, t *token) {
	d := s.db
	if t.loc == parked && !m.broken(ParkedNotCounted) {
		d.parked--
	}
	t.eid = s.freshEntry()
	d.entries = append(d.entries, entry{eid: t.eid, queue: t.queue, tok: t.id})
	t.own, t.epoch = 0, 0
	t.loc = inQueue
	t.holder = 0
}

func park(d *db, t *token) {
	t.loc = parked
	t.holder = 0
	d.parked++
}

// shelve takes a token from its holder and parks it.
func (m *Model) shelve(d *db, t *token) {
	m.release(d, t.eid)
	park(d, t)
}

func (m *Model) delay(d *db, t *token) {
	t.loc = delayed
	t.holder = 0
	t.due = true
	setTimer(d, t.id)
}

func setTimer(d *db, id string) {
	if !slices.Contains(d.timers, id) {
		d.timers = append(d.timers, id)
	}
}

func dropTimer(d *db, id string) {
	d.timers = slices.DeleteFunc(d.timers, func(x string) bool { return x == id })
}

// place queues the token if it may take a step, else parks it.
func (m *Model) place(s *State, t *token) verdict {
	if s.db.grants(t.id) || m.broken(PlacePausedInQueue) && s.db.status == paused {
		m.enqueue(s, t)
		return released
	}
	park(s.db, t)
	return parkedIt
}

func (m *Model) remove(d *db, id string) {
	d.toks = slices.DeleteFunc(d.toks, func(t token) bool { return t.id == id })
	d.live--
}

// drop removes a token that is not to be done any more, wherever it stands.
func (m *Model) drop(d *db, t *token) {
	if t.loc == inQueue {
		m.release(d, t.eid)
	}
	if t.loc == delayed || t.loc == waiting && t.due {
		dropTimer(d, t.id)
	}
	if t.loc == parked {
		d.parked--
	}
	m.remove(d, t.id)
	d.dropped++
	if m.broken(DropKeepsLive) {
		d.live++
	}
}

// add adds a token to the run, and says so to who watches: an id comes once.
func (m *Model) add(s *State, t token) {
	d := s.db
	d.live++
	d.created++
	if d.token(t.id) != nil {
		m.violate("S2: token %s is made twice", t.id)
	}
	m.place(s, &t)
	d.toks = append(d.toks, t)
}

// consume deletes the deposits that were the token's input.
func consume(d *db, t *token) {
	if t.from == "" {
		return
	}
	d.deps = slices.DeleteFunc(d.deps, func(p deposit) bool { return p.frame == t.from })
	t.from, t.count = "", 0
}

// stepOn begins the token's next step, with nothing held against it.
func stepOn(t *token) {
	t.step++
	t.att, t.crash, t.flags, t.lost, t.signal = 0, 0, 0, 0, 0
}

func (m *Model) advance(d *db, t *token, node int8) {
	stepOn(t)
	consume(d, t)
	t.node, t.queue = node, m.graph.Nodes[node].Queue
	d.created++
}

// wake ends a wait.
func (m *Model) wake(s *State, t *token, flag uint8) {
	s.db.waiters = slices.DeleteFunc(s.db.waiters, func(x string) bool { return x == t.id })
	t.due = false
	t.flags |= flag
	m.place(s, t)
}
