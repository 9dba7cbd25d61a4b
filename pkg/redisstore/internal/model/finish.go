package model

// What lib/finish.lua, lib/status.lua and lib/journal.lua hold.

func (m *Model) completes(d *db) bool {
	return d.status != undoing && (d.outs > 0 || !m.graph.need && d.ends > 0)
}

// finish ends the run, or makes the token of what is undone next.
func (m *Model) finish(s *State) {
	d := s.db
	if d.live > 0 && !(m.broken(FinishEarly) && d.outs > 0) || d.status == failed && !m.broken(FinishTheFailed) {
		return
	}
	if m.completes(d) {
		m.endRun(d, completed)
		return
	}
	n := int8(len(d.undos))
	if d.status != undoing {
		m.failRun(d, byNothing, false)
		if n == 0 {
			return
		}
	}
	d.closed = 0
	if n == 0 {
		m.endRun(d, failed)
		return
	}
	node := d.undos[n-1]
	if !m.broken(UndoneStays) {
		d.undos = d.undos[:n-1]
	}
	m.add(s, newToken("u"+digits(n), node, m.graph.Nodes[node].Queue, "", 0))
}

func (m *Model) change(d *db, to status) { d.status = to }

func (m *Model) endRun(d *db, to status) {
	d.active = false
	switch to {
	case completed:
		d.atCompleted = true
	case failed:
		d.atFailed = true
	case cancelled:
		d.atCancelled = true
	}
	if d.deadline {
		d.deadlineTimer = false
	}
	if to != failed {
		d.visits = nil
	}
	m.change(d, to)
}

// failRun fails a run, or has it undo first what it can undo, or what tokens that
// are out may yet do.
func (m *Model) failRun(d *db, why cause, out bool) {
	d.cause = why
	if len(d.undos) == 0 && !(out && m.graph.undoes()) {
		m.endRun(d, failed)
		return
	}
	d.undoing = true
	d.visits = nil
	if !m.broken(UndoUnmarked) {
		d.todo = true
	}
	m.change(d, undoing)
}

// revive lets a failed run go on.
func (m *Model) revive(d *db, to status) {
	m.change(d, to)
	d.deadline = false
	d.cause = noCause
	d.atFailed, d.active = false, true
}

// journal appends the delta of an item.
func (m *Model) journal(d *db, item string) {
	if m.broken(DeltaLost) {
		return
	}
	d.log = append(d.log, item)
	d.length++
	d.sv++
}

// version is the version of the state as a reader is told it.
func (m *Model) version(d *db) int8 {
	if m.broken(VersionIsLength) && d.sb > 0 {
		return d.length
	}
	return d.sv
}

// visitOf returns what a retry would go on from, nil if the token is not alone.
func (m *Model) visitOf(d *db, t *token) *visit {
	if m.setup.from == 0 || t.frame != "" || d.live != 1 || t.from != "" || d.status == undoing ||
		undoes(t.id) || t.flags&(flagSignal|flagTime) != 0 {
		return nil
	}
	return &visit{node: t.node, queue: t.queue, order: d.created, sv: d.sv, outs: d.outs, ends: d.ends}
}

func (m *Model) putVisit(d *db, v *visit) {
	if v == nil || d.status == completed || d.status == undoing {
		return
	}
	for i := range d.visits {
		if d.visits[i].node == v.node {
			d.visits[i] = *v
			return
		}
	}
	d.visits = append(d.visits, *v)
}
