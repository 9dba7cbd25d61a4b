package model

import "slices"

// What lib/frame.lua, lib/late.lua and lib/closed.lua hold.

// late says whether a frame that the token stands in, at any depth, is closed.
func (m *Model) late(d *db, t *token) bool {
	if d.closed <= 0 || m.broken(LateGoesOn) {
		return false
	}
	for id := t.frame; id != ""; {
		f := d.frame(id)
		if f == nil {
			return false
		}
		if f.need == fired {
			return true
		}
		id = f.parent
	}
	return false
}

// fires says whether one branch less makes the join's token, when what it leaves
// has been counted as arrived.
func (m *Model) fires(d *db, f *frame, arrives bool) bool {
	if f == nil || d.status == undoing {
		return false
	}
	if m.broken(JoinEarly) && arrives {
		return true
	}
	if m.broken(QuorumBlind) {
		return f.live == 1
	}
	return f.live == 1 || arrives && f.arrived == f.need
}

func (m *Model) fire(s *State, f *frame) {
	if s.db.status == undoing {
		return
	}
	t := newToken(f.id+".j", f.join, f.queue, f.parent, f.pidx)
	t.from, t.count = f.id, f.arrived
	m.add(s, t)
}

// arrive leaves at the frame's join what a branch came with.
func (m *Model) arrive(d *db, f *frame, idx int8, t *token) {
	f.arrived++
	if m.broken(DepositByIndex) { // the later of two that have one index replaces the earlier
		d.deps = slices.DeleteFunc(d.deps, func(p deposit) bool { return p.frame == f.id && p.idx == idx })
	}
	d.deps = append(d.deps, deposit{frame: f.id, n: f.arrived, idx: idx, item: t.item()})
}

// lower counts one branch of the frame as arrived or ended. It returns whether the
// frame is closed by that: the join fired, others are out.
func (m *Model) lower(s *State, id string, arrives bool) bool {
	d := s.db
	f := d.frame(id)
	if f == nil {
		return false
	}
	fires, last := m.fires(d, f, arrives), f.live == 1
	if fires {
		m.fire(s, f)
	}
	f = d.frame(id)
	if last {
		d.frames = slices.DeleteFunc(d.frames, func(x frame) bool { return x.id == id })
		return false
	}
	f.live--
	if fires && !m.broken(JoinEarly) {
		f.need = fired
		d.closed++
	}
	return fires
}

// lowerLate counts branches of a frame as gone. A frame without branches goes too.
func (m *Model) lowerLate(d *db, id string, branches int8) {
	for id != "" {
		f := d.frame(id)
		if f == nil {
			return
		}
		f.live -= branches
		if f.live > 0 {
			return
		}
		parent, closed := f.parent, f.need == fired
		d.frames = slices.DeleteFunc(d.frames, func(x frame) bool { return x.id == id })
		if closed {
			d.closed--
			return
		}
		id, branches = parent, 1
	}
}
