package model

// keeping is what janitors do: timers, marks, lost entries.
func (m *Model) keeping(s *State, y yield) bool {
	d := s.db
	for _, id := range d.timers {
		to := s.clone()
		m.promote(to, id)
		if !y(Step{does: scriptPromote, tok: id, fair: true}, to) {
			return false
		}
	}
	if d.deadlineTimer {
		to := s.clone()
		m.passDeadline(to)
		// It passes at some time, but what a run does must not need that.
		if !y(Step{does: scriptDeadline}, to) {
			return false
		}
	}
	if d.exists && d.todo && !m.settling(s, d.status, y) {
		return false
	}
	if m.setup.has(drain) && d.exists && (d.status == running || d.status == paused || d.status == undoing) {
		to := s.clone()
		m.rebuild(to)
		if len(to.db.entries) > len(d.entries) || len(to.db.timers) > len(d.timers) || to.db.deadlineTimer != d.deadlineTimer {
			if !y(Step{does: scriptRebuild, fair: true}, to) {
				return false
			}
		}
	}
	return m.recalling(s, y)
}

func (m *Model) settling(s *State, st status, y yield) bool {
	d := s.db
	for i := range d.toks {
		t := &d.toks[i]
		if m.fate(d, t, st) == stays {
			continue
		}
		to := s.clone()
		m.settle(to, t.id, st)
		if !y(Step{does: scriptSettle, tok: t.id, fair: true}, to) {
			return false
		}
	}
	to := s.clone()
	if d.purging != 0 && d.live == 0 {
		step := Step{does: scriptRestart, fair: true}
		if d.purging == 'd' {
			step.does = scriptDelete
			m.clear(to, true)
		} else {
			m.restartRun(to)
		}
		return y(step, to)
	}
	m.settle(to, "", st)
	if to.db.todo && to.db.status == d.status {
		return true
	}
	return y(Step{does: scriptSettle, fair: true}, to)
}

// recalling is what a janitor does by a mutation: it acts on what it saw before.
func (m *Model) recalling(s *State, y yield) bool {
	d := s.db
	unmarks, purges := m.broken(UnmarkFromMemory), m.broken(PurgeFromMemory)
	if !unmarks && !purges || !d.exists {
		return true
	}
	if !s.recalls {
		if !d.todo || unmarks && (d.status != running || d.parked > 0) || purges && d.status != cancelled {
			return true
		}
		to := s.clone()
		to.recalls, to.memory = true, d.status
		return y(Step{does: recalls}, to)
	}
	if unmarks {
		to := s.clone()
		to.recalls, to.memory, to.db.todo = false, 0, false
		return y(Step{does: recalls, n: 1, fair: true}, to)
	}
	return m.settling(s, s.memory, y)
}
