package model

import "slices"

// The scripts that commit an item. Each takes the session that sends it and returns
// what it is answered; s is the state it changes.

func (m *Model) next(s *State, x *session, to int8, keep, fallback bool) verdict {
	t, v := m.fence(s, x)
	if t == nil {
		return v
	}
	if v, is := m.stale(s, t, x, false); is {
		return v
	}
	d := s.db
	visit := m.visitOf(d, t)
	if fallback {
		d.failed++
		d.fell = append(d.fell, t.item())
	} else {
		m.journal(d, t.item())
		d.committed++
	}
	m.putVisit(d, visit)
	m.keepUndo(d, t, fallback)
	same := m.graph.Nodes[to].Queue == t.queue || m.broken(BatonAcrossQueues)
	m.advance(d, t, to)
	return m.goOn(s, t, keep && same, t.eid)
}

func (m *Model) keepUndo(d *db, t *token, fallback bool) {
	if n := m.graph.Nodes[t.node]; n.undo != 0 && !fallback {
		d.undos = append(d.undos, n.undo)
	}
}

func (m *Model) later(s *State, x *session, to int8) verdict {
	t, v := m.fence(s, x)
	if t == nil {
		return v
	}
	if v, is := m.stale(s, t, x, false); is {
		return v
	}
	d := s.db
	visit := m.visitOf(d, t)
	m.journal(d, t.item())
	m.putVisit(d, visit)
	d.committed++
	m.keepUndo(d, t, false)
	m.advance(d, t, to)
	m.release(d, t.eid)
	m.delay(d, t)
	return released
}

func (m *Model) await(s *State, x *session) verdict {
	t, v := m.fence(s, x)
	if t == nil {
		return v
	}
	if v, is := m.stale(s, t, x, false); is {
		return v
	}
	d := s.db
	visit := m.visitOf(d, t)
	m.journal(d, t.item())
	m.putVisit(d, visit)
	d.committed++
	n := m.graph.Nodes[t.node]
	m.advance(d, t, t.node)
	if d.kept != 0 && !m.broken(KeptUnread) {
		m.eat(d, t, d.kept)
		d.kept = 0
		return m.goOn(s, t, false, t.eid)
	}
	m.release(d, t.eid)
	if n.timeout {
		m.delay(d, t)
	}
	t.loc = waiting
	t.holder = 0
	d.waiters = append(d.waiters, t.id)
	return released
}

// eat notes that a signal has ended a wait.
func (m *Model) eat(d *db, t *token, id int8) {
	for _, e := range d.eaten {
		if e == id {
			m.violate("S4: signal %d has ended two waits", id)
		}
	}
	d.eaten = append(d.eaten, id)
	t.flags |= flagSignal
	t.signal = id
}

// end ends a token: as an end of the run, at its frame's join, or held.
func (m *Model) end(s *State, x *session, home, held, out bool) verdict {
	t, v := m.fence(s, x)
	if t == nil {
		return v
	}
	if v, is := m.stale(s, t, x, held); is {
		return v
	}
	d := s.db
	visit := m.visitOf(d, t)
	d.committed++
	m.keepUndo(d, t, false)
	f := d.frame(t.frame)
	switch {
	case home:
		if f != nil {
			m.arrive(d, f, t.idx, t)
		}
	case held:
	case !undoes(t.id):
		d.ends++
	}
	if out {
		d.outs++
	}
	m.journal(d, t.item())
	consume(d, t)
	eid, frame := t.eid, t.frame
	rides := m.broken(JoinRides) && home && m.fires(d, f, true)
	if !rides {
		m.release(d, eid)
	}
	m.remove(d, t.id)
	closed := false
	if home || !m.broken(EndKeepsFrame) {
		closed = m.lower(s, frame, home)
	}
	if j := d.token(frame + ".j"); rides && j != nil { // it stays with the entry of who came last
		d.entries = slices.DeleteFunc(d.entries, func(e entry) bool { return e.eid == j.eid })
		j.eid = eid
	}
	if closed {
		m.closeNews(d)
	}
	m.finish(s)
	m.putVisit(d, visit)
	return released
}

// closeNews marks a run with a frame that was just closed.
func (m *Model) closeNews(d *db) {
	if !m.broken(ClosedUnmarked) {
		d.todo = true
	}
}

// close leaves what the token has at the join of its frame, which fires at once.
func (m *Model) close(s *State, x *session) verdict {
	t, v := m.fence(s, x)
	if t == nil {
		return v
	}
	if v, is := m.stale(s, t, x, false); is {
		return v
	}
	d := s.db
	d.committed++
	m.keepUndo(d, t, false)
	m.journal(d, t.item())
	consume(d, t)
	m.release(d, t.eid)
	own := t.frame
	f := d.frame(own)
	if f == nil || d.status == undoing {
		m.remove(d, t.id)
		m.lower(s, own, false)
		m.finish(s)
		return released
	}
	m.arrive(d, f, t.idx, t)
	f.need = fired
	d.closed++
	m.remove(d, t.id)
	m.fire(s, f)
	m.lowerLate(d, own, 1)
	if f = d.frame(own); f != nil && f.live > 0 {
		m.closeNews(d)
	}
	m.finish(s)
	return released
}

// retry records a failed attempt and lets the token wait for the next.
func (m *Model) retry(s *State, x *session) verdict {
	t, v := m.fence(s, x)
	if t == nil {
		return v
	}
	if t.att != x.att && !m.broken(AttemptUnfenced) {
		return done
	}
	if v, is := m.stale(s, t, x, false); is {
		return v
	}
	t.att++
	if m.broken(RetryForgetsCrashes) {
		t.crash = 0
	}
	m.release(s.db, t.eid)
	m.delay(s.db, t)
	return released
}

// fail fails an item for good, and its run.
func (m *Model) fail(s *State, x *session, why cause) verdict {
	t, v := m.fence(s, x)
	if t == nil {
		return v
	}
	if t.att != x.att && !m.broken(AttemptUnfenced) {
		return done
	}
	if v, is := m.stale(s, t, x, false); is {
		return v
	}
	d := s.db
	t.flags |= flagFailed
	m.shelve(d, t)
	if m.broken(FailLeavesFrame) {
		id, frame := t.id, t.frame
		d.parked--
		m.remove(d, id)
		d.failed++
		m.lower(s, frame, false)
	}
	switch {
	case undoes(x.tok):
		m.endRun(d, failed)
	case d.status == running || d.status == paused:
		m.failRun(d, why, d.live > 1)
	}
	return released
}

// handBack gives a token back unexecuted.
func (m *Model) handBack(s *State, x *session, unknown bool) verdict {
	t, v := m.fence(s, x)
	if t == nil {
		return v
	}
	m.release(s.db, t.eid)
	if m.broken(LostHandback) {
		return released
	}
	if m.broken(HandbackForgetsCrashes) {
		t.crash = 0
	}
	if unknown {
		m.delay(s.db, t)
		return released
	}
	return m.place(s, t)
}
