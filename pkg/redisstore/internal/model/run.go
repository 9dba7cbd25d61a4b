package model

import "slices"

// The scripts that change a run from outside.

// start makes the run with one token.
func (m *Model) start(s *State) {
	d := s.db
	s.born++
	s.taken = 0
	kept := *d
	*d = db{exists: true, born: s.born, status: running, live: 1, created: 1, active: true,
		entries: kept.entries, timers: kept.timers,
		atCompleted: kept.atCompleted, atFailed: kept.atFailed, atCancelled: kept.atCancelled}
	t := newToken("0", 0, m.graph.Nodes[0].Queue, "", 0)
	m.enqueue(s, &t)
	d.toks = append(make([]token, 0, 7), t)
	if m.setup.has(deadline) {
		d.deadline, d.deadlineTimer = true, true
	}
}

// control is what a client asks of a run. Signals and deletes are no controls.
type control uint8

const (
	toPause control = iota
	toResume
	toCancel
	toRetry
	toRewind
	toSignal
	toDelete
)

var controlNames = [...]string{"pause", "resume", "cancel", "retry", "retry from a node", "signal", "delete"}

func (c control) String() string { return controlNames[c] }

// script is what does it.
func (c control) script() script {
	switch c {
	case toSignal:
		return scriptSignal
	case toDelete:
		return scriptDelete
	}
	return scriptControl
}

// control changes a run's status.
func (m *Model) control(s *State, r request) reply {
	d := s.db
	if !d.exists || d.purging == 'd' && !m.broken(RetryWhilePurged) {
		return refused
	}
	repeated := slices.Contains(d.ctl, r.nonce)
	if repeated && !m.broken(ControlRepeated) {
		return takenBefore
	}
	if !m.allows(d, r) {
		return refused
	}
	if !m.builds(d, r) {
		return moved
	}
	if repeated {
		m.violate("S4: one request to %s is applied twice", r.op)
	}
	switch r.op {
	case toPause:
		d.status = paused
	case toResume:
		d.status = running
	case toCancel:
		m.endRun(d, cancelled)
	case toRetry, toRewind:
		m.revives(d, r)
	}
	d.ctl = append(d.ctl, r.nonce)
	if r.op != toPause && !m.broken(ControlUnmarked) {
		d.todo = true
	}
	return taken
}

// allows says whether a run as it stands takes a control.
func (m *Model) allows(d *db, r request) bool {
	switch r.op {
	case toPause:
		return d.status == running
	case toResume:
		return d.status == paused
	case toCancel:
		return !d.status.ended()
	}
	if d.status != failed || d.purging != 0 && !m.broken(RetryWhilePurged) {
		return false
	}
	if r.op == toRetry {
		return d.live > 0
	}
	at := m.visited(d, r.from)
	return !d.undoing && (m.atVisit(d, r.from) || at >= 0 && d.visits[at].sv >= d.sb)
}

func (m *Model) visited(d *db, node int8) int {
	return slices.IndexFunc(d.visits, func(v visit) bool { return v.node == node })
}

func (m *Model) revives(d *db, r request) {
	switch {
	case r.op == toRetry && d.undoing:
		m.revive(d, undoing)
	case r.op == toRetry || m.atVisit(d, r.from):
		m.revive(d, running)
	default:
		d.purging, d.restart = 'r', d.visits[m.visited(d, r.from)]
	}
}

// atVisit says whether the run's only token is at the node, as it came there.
func (m *Model) atVisit(d *db, node int8) bool {
	if d.live != 1 {
		return false
	}
	t := &d.toks[0]
	return t.node == node && t.frame == "" && t.from == "" && t.rel == 0 && t.loc != waiting &&
		t.flags&(flagSignal|flagTime) == 0
}

// restartRun is restart.lua: a failed run without tokens goes on at a node.
func (m *Model) restartRun(s *State) {
	d := s.db
	v := d.restart
	d.frames, d.deps, d.kept, d.last, d.waiters = nil, nil, 0, 0, nil
	if v.sv < d.sv && !m.broken(RestartKeepsState) {
		left := v.sv - d.sb
		d.log = d.log[:v.sv]
		shift, snapshot := d.sv+1-d.sb, min(d.sb, 1)
		d.length = max(0, min(d.length, left+snapshot))
		if snapshot == 0 {
			d.length++
		}
		d.sb, d.sv = d.sv+1, d.sv+1+left
		for i := range d.visits {
			d.visits[i].sv += shift
		}
		v.sv += shift
	}
	d.visits = slices.DeleteFunc(d.visits, func(o visit) bool { return o.order > v.order })
	d.outs, d.ends, d.closed = v.outs, v.ends, 0
	d.purging, d.restart, d.todo = 0, visit{}, false
	d.atFailed, d.active, d.deadline = false, true, false
	d.status, d.cause = running, noCause
	d.gen++
	id := "r" + digits(d.gen)
	if m.broken(RestartSameName) {
		id = "0"
	}
	m.add(s, newToken(id, v.node, v.queue, "", 0))
}

// deleteRun removes a run that has ended.
func (m *Model) deleteRun(s *State, r request) reply {
	d := s.db
	if !d.exists || d.born != r.upon.born {
		return takenBefore // it is gone
	}
	if !d.status.ended() && !m.broken(DeleteLive) {
		return refused
	}
	if !m.builds(d, r) {
		return moved
	}
	m.clear(s, false)
	return taken
}

// clear removes a run; one with tokens left is marked instead.
func (m *Model) clear(s *State, bare bool) {
	d := s.db
	if d.live > 0 && !bare && !m.broken(DeleteTokens) {
		d.purging, d.todo = 'd', true
		return
	}
	*d = db{entries: d.entries, timers: d.timers}
}

// signalRun lets the token that has waited longest go on, or is kept.
func (m *Model) signalRun(s *State, r request) reply {
	d, id := s.db, r.nonce
	if !d.exists {
		return refused
	}
	if d.last == id && !m.broken(SignalRepeated) {
		return takenBefore
	}
	if d.status != running && d.status != paused {
		return refused
	}
	for _, waiter := range d.waiters {
		t := d.token(waiter)
		if t == nil || m.late(d, t) {
			continue
		}
		if !m.builds(d, r) {
			return moved
		}
		if t.due && !m.broken(SignalLeavesTimer) {
			dropTimer(d, waiter)
		}
		m.eat(d, t, id)
		m.wake(s, t, 0)
		d.last = id
		return taken
	}
	if d.kept != 0 {
		return refused
	}
	if !m.builds(d, r) {
		return moved
	}
	if !m.broken(SignalUnkept) {
		d.kept = id
	}
	d.last = id
	return taken
}

// promote moves a token that is due: it was delayed, or the time of its wait is over.
func (m *Model) promote(s *State, id string) {
	d := s.db
	t := d.token(id)
	if !d.exists || t == nil || t.loc != delayed && t.loc != waiting && !m.broken(PromoteBlind) {
		dropTimer(d, id)
		return
	}
	if d.status == cancelled {
		m.drop(d, t)
		return
	}
	if !m.broken(PromoteLeavesTimer) {
		dropTimer(d, id)
	}
	if t.loc == waiting {
		m.wake(s, t, flagTime)
		return
	}
	t.due = false
	m.place(s, t)
}

// passDeadline fails a run whose deadline has passed.
func (m *Model) passDeadline(s *State) {
	d := s.db
	d.deadlineTimer = false
	if !d.exists || !d.deadline || d.status != running && d.status != paused && !m.broken(DeadlineUnasked) {
		return
	}
	m.failRun(d, byDeadline, true)
}

// compact folds the state log into a snapshot.
func (m *Model) compact(d *db) {
	cut := d.sv - d.sb
	if d.sb > 0 {
		cut++
	}
	d.length += 1 - cut
	d.sb = d.sv
}

// rebuild queues tokens again whose entry or timer is gone.
func (m *Model) rebuild(s *State) {
	d := s.db
	for i := range d.toks {
		t := &d.toks[i]
		switch {
		case t.loc == inQueue && d.entry(t.eid) == nil:
			m.enqueue(s, t)
		case t.loc == delayed || t.loc == waiting && t.due:
			setTimer(d, t.id)
		}
	}
	if d.deadline && d.status != undoing {
		d.deadlineTimer = true
	}
}
