package model

// verdict is what a commit is answered.
type verdict uint8

const (
	kept     verdict = iota // the token stays with its holder
	released                // it is out of its hands
	parkedIt
	done
	stale
	lostIt
	cancelledIt
	gone // no such run
	lateIt
)

// op is what a session has decided to send.
type op uint8

const (
	undecided op = iota
	commits      // what the node does
	emits        // a collector that has seen all others held
	falls        // to its fallback
	retries      // another attempt
	ruins        // no other attempt
	gives        // hand-back
	passes       // hand-back of an unknown node, with a delay
	releases     // the next branches of a large fan-out
	stalls       // of a request: it is on its way
	arrives      // of a request: it was late
)

// fence returns the token if the session's lease holds, else nil and the answer.
func (m *Model) fence(s *State, x *session) (*token, verdict) {
	d := s.db
	if !d.exists {
		return nil, gone
	}
	if d.status == cancelled && !m.broken(CommitCancelled) {
		return nil, cancelledIt
	}
	t := d.token(x.tok)
	if t == nil {
		return nil, done
	}
	if !m.holds(d, t, x) {
		return nil, lostIt
	}
	if t.loc != inQueue && !m.broken(FenceBlindToPlace) {
		return nil, done
	}
	now := t.step == x.step || m.broken(NoStepFence)
	if !now && t.step != x.step+1 {
		return nil, done
	}
	if m.late(d, t) {
		m.shelve(d, t)
		return nil, lateIt
	}
	if now {
		return t, kept
	}
	if d.grants(t.id) || m.broken(RepeatUnasked) {
		return nil, kept
	}
	m.shelve(d, t)
	return nil, parkedIt
}

// holds says whether the token's owner is the session.
func (m *Model) holds(d *db, t *token, x *session) bool {
	switch {
	case m.broken(FenceByEntry):
		e := d.entry(x.eid)
		return e != nil && e.con == x.uid
	case m.broken(NoFence):
		return true
	case m.broken(EpochFence), m.broken(EpochInEntry):
		return t.epoch == x.epoch && t.eid == x.eid
	}
	return t.own == x.uid
}

// stale answers a commit that has read a state version the run does not have or,
// if it is to be exact, not the newest.
func (m *Model) stale(s *State, t *token, x *session, exact bool) (verdict, bool) {
	newest := m.version(s.db)
	read := x.read
	if read < 0 || read == newest || read < newest && !exact || m.broken(ReadUnchecked) && !exact ||
		m.broken(HoldUnchecked) && exact {
		return 0, false
	}
	if s.db.grants(t.id) || m.broken(StaleUnasked) {
		return stale, true
	}
	m.shelve(s.db, t)
	return parkedIt, true
}

// goOn leaves the token with its holder if asked to, else hands it on.
func (m *Model) goOn(s *State, t *token, keep bool, eid int8) verdict {
	if keep && (s.db.grants(t.id) || m.broken(KeepPaused)) {
		return kept
	}
	m.release(s.db, eid)
	return m.place(s, t)
}
