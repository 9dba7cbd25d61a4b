package model

import "slices"

// asking is what clients do.
func (m *Model) asking(s *State, y yield) bool {
	d := s.db
	ask := func(op control, needs fault, fair bool) bool {
		if needs != noFault && s.left[needs] == 0 {
			return true
		}
		to := s.clone()
		if needs != noFault {
			to.left[needs]--
		}
		to.nonces++
		r := request{op: op, nonce: to.nonces, from: m.setup.from}
		step := Step{does: scriptControl, n: int8(op), fair: fair}
		if !m.delays(to, r, step, y) {
			return false
		}
		if m.asks(to, r) != taken {
			return true
		}
		if s.left[loss] > 0 {
			lost := to.clone()
			lost.left[loss]--
			lost.asks = append(lost.asks, r)
			l := step
			l.lost, l.fair = true, false
			if !y(l, lost) {
				return false
			}
		}
		return y(step, to)
	}
	if d.exists && !(ask(toPause, pause, false) && ask(toResume, noFault, true) && ask(toCancel, cancel, false) &&
		ask(toRetry, revival, false) && ask(toRewind, rewind, false)) {
		return false
	}
	return m.coming(s, y) && m.signalling(s, y) && m.removing(s, y) && m.folding(s, y)
}

func (m *Model) signalling(s *State, y yield) bool {
	d := s.db
	if !d.exists || !m.setup.has(signal) {
		return true
	}
	// Who got an answer to every signal waits for what it does, and sends no other.
	waits := len(d.waiters) > 0 && int(s.taken) <= len(d.eaten) && (d.status == running || d.status == paused)
	if s.left[signal] > 0 || waits {
		to := s.clone()
		to.left[signal] = max(0, to.left[signal]-1)
		to.sent++
		r := request{op: toSignal, nonce: to.sent}
		step := Step{does: scriptSignal, n: to.sent, fair: waits}
		if !m.delays(to, r, step, y) {
			return false
		}
		to.taken++
		if m.asks(to, r) == taken && !y(step, to) {
			return false
		}
	}
	if s.sent > 0 && s.left[loss] > 0 {
		to := s.clone()
		to.left[loss]--
		m.asks(to, request{op: toSignal, nonce: s.sent})
		return y(Step{does: scriptSignal, n: s.sent, lost: true}, to)
	}
	return true
}

func (m *Model) removing(s *State, y yield) bool {
	d := s.db
	if d.exists && s.left[removal] > 0 && d.purging != 'd' {
		to := s.clone()
		to.left[removal]--
		r, step := request{op: toDelete}, Step{does: scriptDelete}
		if !m.delays(to, r, step, y) {
			return false
		}
		if m.asks(to, r) == taken && !y(step, to) {
			return false
		}
	}
	if !d.exists && s.left[rerun] > 0 {
		to := s.clone()
		to.left[rerun]--
		m.start(to)
		if !y(Step{does: scriptStart}, to) {
			return false
		}
	}
	if d.exists && s.left[loss] > 0 && m.broken(StartUnasked) {
		to := s.clone()
		to.left[loss]--
		m.start(to)
		return y(Step{does: scriptStart, lost: true}, to)
	}
	return true
}

// folding is what a worker does with a long state log.
func (m *Model) folding(s *State, y yield) bool {
	d := s.db
	if !d.exists || d.sb >= d.sv || s.left[folding] == 0 || d.purging != 0 && !m.broken(FoldWhilePurged) {
		return true
	}
	to := s.clone()
	to.left[folding]--
	m.compact(to.db)
	return y(Step{does: scriptCompact}, to)
}

// harming is what goes wrong.
func (m *Model) harming(s *State, y yield) bool {
	d := s.db
	happen := func(f fault, uid int8, change func(to *State)) bool {
		if s.left[f] == 0 {
			return true
		}
		to := s.clone()
		to.left[f]--
		change(to)
		return y(Step{does: happens, n: int8(f), uid: uid}, to)
	}
	for i := range s.sess {
		uid := s.sess[i].uid
		if !happen(crash, uid, func(to *State) { to.quit(uid) }) {
			return false
		}
	}
	if !happen(save, 0, func(to *State) { to.snap = to.db.clone() }) {
		return false
	}
	if s.snap != nil && !happen(cut, 0, cutBack) {
		return false
	}
	if len(d.entries) > 0 {
		if !happen(regroup, 0, func(to *State) {
			for i := range to.db.entries {
				to.db.entries[i].con = nobody
				if m.broken(GroupAtEnd) {
					to.db.entries[i].con = erased
				}
			}
		}) || !happen(drain, 0, func(to *State) {
			to.db.entries, to.db.timers, to.db.deadlineTimer = nil, nil, false
		}) {
			return false
		}
	}
	for i := range d.toks {
		if !happen(stray, 0, func(to *State) {
			to.db.entries = append(to.db.entries, entry{eid: to.freshEntry(), queue: d.toks[i].queue, tok: d.toks[i].id})
		}) {
			return false
		}
	}
	for i := range d.entries {
		eid := d.entries[i].eid
		if d.entries[i].con == dead && m.broken(SweepPending) && !happen(sweep, 0, func(to *State) {
			to.db.entry(eid).con = erased
		}) {
			return false
		}
	}
	return true
}

// cutBack lets the server come back with what it had saved. Who sends signals looks
// what is left of them. What is late was under way to the server that is gone.
func cutBack(s *State) {
	s.asks = slices.DeleteFunc(s.asks, func(r request) bool { return r.late && r.told })
	for i, r := range s.asks {
		s.asks[i] = request{op: r.op, nonce: r.nonce, from: r.from}
	}
	s.db, s.snap = s.snap.clone(), nil
	s.taken = int8(len(s.db.eaten))
	if s.db.kept != 0 {
		s.taken++
	}
}
