package model

import (
	"bytes"
	"slices"
)

// trespass judges that only the holder of a token changes something (S3).
func (m *Model) trespass(before, after *State, x *session) {
	if t := before.db.token(x.tok); t != nil && t.holder == x.uid {
		return
	}
	if !bytes.Equal(before.db.encode(nil), after.db.encode(nil)) {
		m.violate("S3: session %d changes token %s, which it does not hold", x.uid, x.tok)
	}
}

// check judges a state, and the change that led to it. It returns "" if all holds.
func (m *Model) check(before *State, step Step, after *State) string {
	d := after.db
	if m.wrong != "" {
		return m.wrong
	}
	if before != nil && before.db.exists && !d.exists && !before.db.status.ended() && !step.cuts() {
		return "S8: a run that has not ended is gone"
	}
	if !d.exists {
		if d.todo || d.active || d.atCompleted || d.atFailed || d.atCancelled || d.deadlineTimer {
			return "L5: something of a deleted run is left"
		}
		return ""
	}
	for _, judge := range []func(*db) string{m.ledger, m.indexes, m.places, m.effects, m.outcome} {
		if wrong := judge(d); wrong != "" {
			return wrong
		}
	}
	if before != nil && before.db.exists && before.db.born == d.born && !step.cuts() {
		return m.changes(before.db, d, step)
	}
	return ""
}

// ledger judges the counts of the run (S9).
func (m *Model) ledger(d *db) string {
	p := int8(0)
	for i := range d.toks {
		if d.toks[i].loc == parked {
			p++
		}
	}
	switch {
	case d.created != d.committed+d.failed+d.dropped+d.live:
		return "S9: items created are not those committed, failed, dropped and live"
	case int(d.live) != len(d.toks):
		return "S9: live is not the number of tokens"
	case d.parked != p:
		return "S9: parked is not the number of parked tokens"
	}
	closed := int8(0)
	for i := range d.frames {
		f := &d.frames[i]
		if f.need == fired {
			closed++
		}
		if f.live <= 0 {
			return "S5: a frame without branches is left"
		}
	}
	if closed != d.closed {
		return "S9: closed is not the number of closed frames"
	}
	return ""
}

// indexes judges that the run is in its own index alone (S12).
func (m *Model) indexes(d *db) string {
	want := [4]bool{!d.status.ended(), d.status == completed, d.status == failed, d.status == cancelled}
	if want != [4]bool{d.active, d.atCompleted, d.atFailed, d.atCancelled} {
		return "S12: the run is not in its own index alone"
	}
	return ""
}

// places judges where tokens stand: each that is queued has its entry (S10), each
// that is delayed its timer, and no other has one (S11).
func (m *Model) places(d *db) string {
	if m.setup.has(drain) {
		return "" // what is lost is rebuilt: that nothing is stuck says so
	}
	timers, entries := 0, 0
	for i := range d.toks {
		t := &d.toks[i]
		switch {
		case t.loc == inQueue:
			e := d.entry(t.eid)
			if e == nil || e.tok != t.id {
				return "S10: token " + t.id + " is queued without an entry"
			}
			entries++
		case t.loc == delayed || t.loc == waiting && t.due:
			if !slices.Contains(d.timers, t.id) {
				return "S11: token " + t.id + " is delayed without a timer"
			}
			timers++
		}
		if t.loc == waiting && !slices.Contains(d.waiters, t.id) {
			return "S11: token " + t.id + " waits and is not listed"
		}
	}
	if timers != len(d.timers) {
		return "S11: a timer belongs to nothing"
	}
	if m.setup.Left[stray] == 0 && entries != len(d.entries) {
		return "S9: an entry belongs to nothing"
	}
	for i := range d.entries {
		if d.entries[i].con == erased {
			return "S10: an entry was delivered and is pending with nobody"
		}
	}
	return ""
}

// effects judges the state: the delta of each committed item, once (S1).
func (m *Model) effects(d *db) string {
	for i, item := range d.log {
		if slices.Contains(d.log[:i], item) {
			return "S1: the delta of item " + item + " is applied twice"
		}
	}
	if d.length != d.sv-d.sb+min(d.sb, 1) {
		return "S1: the state log is not as long as its versions say"
	}
	if d.gen == 0 && len(d.log) != int(d.committed) || d.gen > 0 && len(d.log) > int(d.committed) {
		return "S1: a committed item has no delta"
	}
	return ""
}

// outcome judges how a run has ended: for a reason, with what the graph says.
func (m *Model) outcome(d *db) string {
	switch d.status {
	case completed, cancelled:
		if d.status == completed && d.live != 0 {
			return "S9: the run is completed, and tokens are left"
		}
	case failed:
		if d.cause == byNothing && (m.graph.need && m.graph.outs > 0) {
			return "S5: the run ended with no output"
		}
		return ""
	default:
		if d.live == 0 && d.exists {
			return "S9: the run has no token, and has not ended"
		}
		return ""
	}
	if d.status != completed {
		return ""
	}
	if m.graph.outs >= 0 && d.outs != m.graph.outs {
		return "S5: the run completed with " + digits(d.outs) + " outputs, and the graph has " + digits(m.graph.outs)
	}
	if m.graph.same && d.gen > 0 && len(d.log) != len(m.want) {
		return "S1: the state of a run that was done again from a node is not that of one that was done once"
	}
	if m.graph.same && d.gen == 0 {
		for _, item := range m.want {
			if !slices.Contains(d.log, item) && len(d.fell) == 0 {
				return "S1: the run completed without item " + item
			}
		}
		if len(d.fell) == 0 && len(d.log) != len(m.want) {
			return "S1: the run completed with items that the graph does not have"
		}
	}
	return ""
}

// changes judges how the status changes (S8).
func (m *Model) changes(from, to *db, step Step) string {
	kept := from.status == failed || from.status == undoing
	if kept && (to.status == failed || to.status == undoing) && from.cause != to.cause && step.does != scriptControl {
		return "S8: the cause of a failure changes"
	}
	if from.status == to.status || !from.status.ended() {
		return ""
	}
	retried := from.status == failed && (step.does == scriptControl || step.does == scriptRestart)
	if !retried {
		return "S8: the run was " + from.status.String() + " and is " + to.status.String()
	}
	return ""
}

// goal says whether nothing is left to do in a state (L1, L4).
func (m *Model) goal(s *State) bool {
	d := s.db
	if len(s.sess) > 0 || len(d.entries) > 0 || len(d.timers) > 0 {
		return false
	}
	if !d.exists {
		return true
	}
	if d.todo || d.purging != 0 || d.deadlineTimer {
		return false
	}
	switch d.status {
	case completed, cancelled:
		return d.live == 0 && d.parked == 0
	case failed:
		return true
	}
	return false
}

// cuts says whether the server comes back with what it had before: what was done
// since is undone.
func (step Step) cuts() bool { return step.does == happens && fault(step.n) == cut }
