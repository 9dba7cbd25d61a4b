package model

import "slices"

// yield takes a step and the state that it leads to; false ends the search.
type yield func(Step, *State) bool

// successors hands every step that is possible in a state to y. The order is always
// the same.
func (m *Model) successors(s *State, y yield) {
	_ = m.serving(s, y) && m.working(s, y) && m.keeping(s, y) && m.asking(s, y) && m.harming(s, y)
}

// serving is what makes entries leases: claim, load, reclaim.
func (m *Model) serving(s *State, y yield) bool {
	for i := range s.db.entries {
		e := &s.db.entries[i]
		if e.con == erased || !m.room(s, e.queue) {
			continue
		}
		if e.con == nobody {
			if i > 0 && *e == s.db.entries[i-1] {
				continue
			}
			to := s.clone()
			m.claim(to, to.db.entry(e.eid))
			if !y(Step{does: claims, tok: e.tok, fair: true}, to) {
				return false
			}
			continue
		}
		if m.broken(NoReclaim) || e.con != dead && s.left[expiry] == 0 {
			continue
		}
		to := s.clone()
		if e.con != dead {
			to.left[expiry]--
		}
		m.reclaim(to, e.eid)
		if !y(Step{does: scriptReclaim, uid: max(e.con, 0), tok: e.tok, fair: e.con == dead}, to) {
			return false
		}
	}
	return true
}

// working is what sessions do.
func (m *Model) working(s *State, y yield) bool {
	for i := range s.sess {
		x := &s.sess[i]
		if x.phase == claimed {
			to := s.clone()
			m.load(to, to.session(x.uid))
			if !m.answered(s, to, Step{does: scriptLoad, uid: x.uid, tok: x.tok, fair: true}, y) {
				return false
			}
			if s.left[handback] > 0 {
				to := s.clone()
				to.left[handback]--
				m.unclaim(to, to.session(x.uid))
				if !y(Step{does: scriptUnclaim, uid: x.uid, tok: x.tok}, to) {
					return false
				}
				if !m.blind(s, x, y) {
					return false
				}
			}
			continue
		}
		if !m.acting(s, x, y) || !m.renewing(s, x, y) {
			return false
		}
	}
	return true
}

// blind gives back what a load may have granted that was not answered, at whatever
// step it is.
func (m *Model) blind(s *State, x *session, y yield) bool {
	t := s.db.token(x.tok)
	if t == nil || t.own != x.uid {
		return true
	}
	to := s.clone()
	to.left[handback]--
	own := to.session(x.uid)
	own.step = t.step
	m.act(to, own, m.handBack(to, own, false))
	return y(Step{does: scriptHandback, uid: x.uid, tok: x.tok, op: gives}, to)
}

// answered yields a step whose reply arrives, and one whose reply is lost: the
// session sends the same again.
func (m *Model) answered(s, to *State, step Step, y yield) bool {
	if s.left[loss] > 0 {
		lost := s.clone()
		lost.db = to.db.clone()
		lost.left = to.left
		lost.left[loss]--
		lost.session(step.uid).op = step.op
		l := step
		l.lost, l.fair = true, false
		if !y(l, lost) {
			return false
		}
	}
	return y(step, to)
}

// acting is what a session may do with the step that it was granted.
func (m *Model) acting(s *State, x *session, y yield) bool {
	n := &m.graph.Nodes[x.node]
	if x.op != undecided {
		return m.sending(s, x, x.op, noFault, y)
	}
	if n.act == goHold && x.read < 0 && !x.doom && x.rel == 0 {
		to := s.clone()
		t := to.session(x.uid)
		t.read = m.version(s.db)
		t.seen = max(0, int8(len(s.db.log))-1) // but for the fan-out's own
		return y(Step{does: scriptState, uid: x.uid, tok: x.tok, fair: true}, to)
	}
	usual := commits
	switch {
	case x.doom && n.fallback != 0 && x.rel == 0:
		usual = falls
	case x.doom:
		usual = ruins
	case x.rel != 0:
		usual = releases
	case m.setup.apart && n.Queue != x.queue:
		usual = passes
	case n.act == goHold && x.seen >= m.graph.Nodes[0].size-1:
		usual = emits
	}
	if !m.sending(s, x, usual, noFault, y) {
		return false
	}
	if usual != commits && usual != emits {
		return true
	}
	if n.retries && !m.sending(s, x, retries, attempt, y) {
		return false
	}
	way := ruins
	if n.fallback != 0 {
		way = falls
	}
	return (!n.fails || m.sending(s, x, way, ruin, y)) && m.sending(s, x, gives, handback, y)
}

// noFault is of a step that needs none.
const noFault = faults

// sending sends what a session has decided on.
func (m *Model) sending(s *State, x *session, o op, needs fault, y yield) bool {
	if needs != noFault && s.left[needs] == 0 {
		return true
	}
	to := s.clone()
	if needs != noFault {
		to.left[needs]--
	}
	t := to.session(x.uid)
	does, v := m.send(to, t, o)
	m.trespass(s, to, x)
	m.act(to, t, v)
	return m.answered(s, to, Step{does: does, uid: x.uid, tok: x.tok, op: o, fair: needs == noFault}, y)
}

// send calls the script of an operation.
func (m *Model) send(s *State, x *session, o op) (script, verdict) {
	n := &m.graph.Nodes[x.node]
	keep := true
	switch o {
	case emits:
		return scriptEnd, m.end(s, x, false, false, n.out)
	case falls:
		return scriptNext, m.next(s, x, n.fallback, keep, true)
	case retries:
		return scriptRetry, m.retry(s, x)
	case ruins:
		why := byNode
		if x.doom {
			why = byPoison
		}
		return scriptFail, m.fail(s, x, why)
	case gives, passes:
		return scriptHandback, m.handBack(s, x, o == passes)
	case releases:
		return scriptRelease, m.releaseChunk(s, x)
	}
	strays := n.strays && x.idx == 1
	switch {
	case n.act == goNext:
		return scriptNext, m.next(s, x, n.to, keep, false)
	case n.act == goLater:
		return scriptLater, m.later(s, x, n.to)
	case n.act == goEnd, strays:
		return scriptEnd, m.end(s, x, false, false, n.out && !strays)
	case n.act == goHome:
		return scriptEnd, m.end(s, x, true, false, false)
	case n.act == goHold:
		return scriptEnd, m.end(s, x, false, true, false)
	case n.act == goClose:
		return scriptClose, m.close(s, x)
	case n.act == goFan:
		return scriptFan, m.fan(s, x, keep)
	}
	// What has had its answer goes on; the other waits for it.
	if x.ended {
		return scriptNext, m.next(s, x, n.to, keep, false)
	}
	return scriptAwait, m.await(s, x)
}

// act does what a worker does with the answer.
func (m *Model) act(s *State, x *session, v verdict) {
	switch v {
	case kept:
		t := s.db.token(x.tok)
		if t == nil {
			s.quit(x.uid)
			return
		}
		m.granted(s.db, t.id, false)
		x.step, x.node, x.idx, x.rel = t.step, t.node, t.idx, t.rel
		x.att, x.read, x.seen, x.op, x.doom, x.again, x.ended = 0, -1, 0, undecided, false, false, false
	case stale:
		m.granted(s.db, x.tok, x.again)
		x.read, x.seen, x.op = -1, 0, undecided
	default:
		s.quit(x.uid)
	}
}

func (m *Model) renewing(s *State, x *session, y yield) bool {
	to := s.clone()
	m.renew(to, to.session(x.uid))
	if len(to.sess) == len(s.sess) && slices.Equal(to.db.entries, s.db.entries) {
		return true
	}
	return y(Step{does: scriptRenew, uid: x.uid, tok: x.tok}, to)
}
