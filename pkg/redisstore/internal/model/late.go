package model

import "slices"

// What clients ask of a run may come late: the network has held it up, and they have
// sent it again meanwhile, and were answered.

// request is what a client asks of a run under one nonce, or signal id: it got no
// answer, and sends it again, or it was late and may still come.
type request struct {
	op      control
	nonce   int8
	from    int8
	upon    upon // what the run was like when it was to be allowed
	late    bool // it is under way, whatever the client knows
	told    bool // the client has an answer
	refused bool // the answer was no
}

// upon is what a request builds upon: it changes with every other request that is
// done, and when a retry from a node has dropped the tokens. Such a retry can also be
// lost to a compaction, and be possible again.
type upon struct {
	born, control, signal, folded int8
	purging                       uint8
}

func (m *Model) upon(d *db, r request) upon {
	u := upon{born: d.born, purging: d.purging}
	if n := len(d.ctl); n > 0 {
		u.control = d.ctl[n-1]
	}
	switch r.op {
	case toSignal:
		u.signal = d.last
	case toRewind:
		u.folded = d.sb
	}
	return u
}

// reply is what a script says to a request.
type reply uint8

const (
	taken reply = iota
	takenBefore
	refused
	moved // another request came between
)

// receive is what the server does when a request comes.
func (m *Model) receive(s *State, r request) reply {
	switch r.op {
	case toSignal:
		return m.signalRun(s, r)
	case toDelete:
		return m.deleteRun(s, r)
	}
	return m.control(s, r)
}

// builds says whether the run is as the request found it.
func (m *Model) builds(d *db, r request) bool {
	if blind, is := map[control]Mutation{toSignal: SignalLate, toDelete: DeleteLate}[r.op]; is && m.broken(blind) {
		return true
	}
	return r.op < toSignal && m.broken(ControlLate) || r.upon == m.upon(d, r)
}

// asks lets a client look whether its request is allowed, and send it. A delete is
// of the run that the client has seen first.
func (m *Model) asks(s *State, r request) reply {
	born := r.upon.born
	r.upon = m.upon(s.db, r)
	if r.op == toDelete && born != 0 {
		r.upon.born = born
	}
	return m.receive(s, r)
}

// delays sends a request that is late: nothing comes of it yet. It was looked
// whether it is allowed, else it is not sent.
func (m *Model) delays(s *State, r request, step Step, y yield) bool {
	if s.left[late] == 0 || !s.db.exists {
		return true
	}
	r.late, r.upon = true, m.upon(s.db, r)
	if !m.broken(SentUnasked) && m.receive(s.clone(), r) != taken {
		return true
	}
	to := s.clone()
	to.left[late]--
	to.asks = append(to.asks, r)
	step.op, step.fair = stalls, false
	return y(step, to)
}

// coming is what comes of requests without an answer, and of those that are late.
func (m *Model) coming(s *State, y yield) bool {
	for i, r := range s.asks {
		step := Step{does: r.op.script(), n: int8(r.op), op: commits}
		if r.op == toSignal {
			step.n = r.nonce
		}
		if !r.late || !r.told {
			// The client sends it again; if others came between, it looks again.
			to, answer := s.clone(), moved
			if r.late {
				answer = m.receive(to, r)
			}
			if answer == moved {
				to = s.clone()
				answer = m.asks(to, r)
			}
			if r.op == toSignal && answer != refused {
				to.taken++
			}
			if r.late {
				to.asks[i].told, to.asks[i].refused = true, answer == refused
			} else {
				to.asks = slices.Delete(to.asks, i, i+1)
			}
			if !y(step, to) {
				return false
			}
		}
		if !r.late {
			continue
		}
		to := s.clone()
		to.asks = slices.Delete(to.asks, i, i+1)
		if m.receive(to, r) == taken && r.refused {
			m.violate("S4: a request to %s is done, its client was told that it is refused", r.op)
		}
		if !r.told {
			r.late = false
			to.asks = append(to.asks, r)
		}
		step.op = arrives
		if !y(step, to) {
			return false
		}
	}
	return true
}
