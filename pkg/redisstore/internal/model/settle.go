package model

import "slices"

// fate says what settle does with a token.
type fate uint8

const (
	stays fate = iota
	dropped
	tooLate
	queued
)

func idle(t *token) bool { return t.loc != inQueue || t.own == 0 }

func (m *Model) fate(d *db, t *token, st status) fate {
	if st == cancelled || d.purging != 0 {
		return dropped
	}
	if st == undoing && !undoes(t.id) {
		if !idle(t) && !m.broken(UndoDropsHeld) {
			return stays
		}
		if t.crash > 0 && t.flags&flagFailed == 0 && !m.late(d, t) && !m.broken(UndoForgetsLost) {
			if t.loc == parked {
				return queued
			}
			return stays
		}
		return dropped
	}
	if m.late(d, t) {
		if idle(t) {
			return tooLate
		}
		return stays
	}
	grants := st == running || st == undoing && undoes(t.id)
	if t.loc == parked && (grants || m.broken(SettlePausedToo) && st == paused) {
		return queued
	}
	return stays
}

// settle does with one token what others left to do. Without one it looks at the
// mark. st is the run's status, or that which a janitor remembers.
func (m *Model) settle(s *State, id string, st status) {
	d := s.db
	over := id == "" && d.live == 0
	if id != "" {
		t := d.token(id)
		switch m.fate(d, t, st) {
		case queued:
			m.requeue(s, t)
		case dropped:
			if started := t.holder != 0 || t.lost > 0; st == undoing && d.purging == 0 && started &&
				t.flags&flagFailed == 0 && !m.late(d, t) {
				m.violate("undo: item %s was started, and is dropped without being undone", t.item())
			}
			over = d.live == 1
			m.lose(d, t, false)
		case tooLate:
			over = d.live == 1
			m.lose(d, t, true)
		}
	}
	if over && !d.status.ended() {
		m.finish(s)
	}
	left := d.status == running && d.parked > 0 || (d.status == cancelled || d.purging != 0) && d.live > 0
	late := d.closed > 0 && (d.status != cancelled || m.broken(CancelledStaysMarked))
	if !left && d.purging == 0 && d.status != undoing && !late {
		d.todo = false
	}
}

func (m *Model) requeue(s *State, t *token) {
	if t.flags&flagFailed != 0 {
		t.flags &^= flagFailed
		t.att, t.lost = 0, 0
		if !m.broken(RetryKeepsCrashes) {
			t.crash = 0
		}
	}
	m.enqueue(s, t)
}

func (m *Model) lose(d *db, t *token, late bool) {
	frame, branches := t.frame, int8(1)
	if t.rel != 0 && !m.broken(ReleaserIsOne) {
		branches = t.count - (t.rel-1)*m.setup.Chunk
	}
	id := t.id
	m.drop(d, t)
	d.waiters = slices.DeleteFunc(d.waiters, func(x string) bool { return x == id })
	if late {
		m.lowerLate(d, frame, branches)
	}
}
