package flox

import (
	"fmt"
	"slices"
)

// purgeRestart is what the tokens of a failed run are dropped for before it goes on
// at another node.
const purgeRestart = "restart"

// memVisit is how a run stood before a token that was alone in it left a node.
type memVisit struct {
	node, queue string
	input       []byte
	order       int64 // Counts.Created then: tells which of two visits came first
	version     int64
	outputs     int
	ends        int64
	holds       []memHold
}

// String is for Dump.
func (v memVisit) String() string {
	return fmt.Sprintf("%s in %s with %q, order=%d version=%d outputs=%d ends=%d holds=%v",
		v.node, v.queue, v.input, v.order, v.version, v.outputs, v.ends, v.holds)
}

// visit returns the token's visit of its node, if it is alone. A join's input is
// gone with its frame, and an answered wait goes on from its first half.
func (t *memToken) visit() (memVisit, bool) {
	r := t.run
	if r.counts.Live != 1 || r.status == StatusUndoing || !t.visits() || t.undoes() {
		return memVisit{}, false
	}
	return memVisit{
		node: t.node, queue: t.queue, input: t.input, order: r.counts.Created, version: r.counts.Version,
		outputs: len(r.outputs), ends: r.ends, holds: slices.Clone(r.holds),
	}, true
}

// visits reports whether the token stands at its node as it came there, outside
// frames and with an input of one value.
func (t *memToken) visits() bool {
	return t.frame == "" && t.joins == "" && t.answer == nil && t.place != PlaceWaiting && t.release == nil
}

// keepVisit keeps a visit if the run may still be retried.
func (r *memRun) keepVisit(v memVisit) {
	if r.status == StatusCompleted || r.status == StatusUndoing {
		return
	}
	if r.visits == nil {
		r.visits = map[string]memVisit{}
	}
	r.visits[v.node] = v
}

// retry does what a retry asks for, or says why not.
func (m *Memory) retry(r *memRun, req ControlRequest) error {
	if req.From == "" || r.purging != "" {
		return m.retryRun(r, req)
	}
	if r.undoing {
		return RetryUndone.Refuse(req)
	}
	for _, t := range r.tokens {
		if r.counts.Live == 1 && t.node == req.From && t.visits() {
			return m.retryRun(r, req) // it has come there last just now
		}
	}
	visit, kept := r.visits[req.From]
	switch {
	case !kept:
		return RetryNotKept.Refuse(req)
	case visit.version < r.folded:
		return RetryFolded.Refuse(req)
	}
	r.purging, r.restart = purgeRestart, visit
	return nil
}

// restartRun lets a run without tokens go on from the visit that was asked for.
func (m *Memory) restartRun(r *memRun) {
	visit := r.restart
	shift := r.cutBack(visit.version)
	r.visits[visit.node] = visit
	for node, v := range r.visits {
		if v.order > visit.order {
			delete(r.visits, node)
			continue
		}
		v.version += shift
		r.visits[node] = v
	}
	r.outputs = slices.Clone(r.outputs[:visit.outputs])
	r.counts.Outputs, r.ends, r.holds = int64(visit.outputs), visit.ends, slices.Clone(visit.holds)
	clear(r.frames)
	r.closed = 0
	r.purging, r.restart = "", memVisit{}
	m.revive(r, StatusRunning)
	r.restarts++
	m.make(&memToken{run: r, id: RestartToken(r.restarts), node: visit.node, queue: visit.queue, input: visit.input}, 0)
}

// cutBack ends the state log where it ended at a version, and returns by how much
// the versions of what is left of it have grown. Who has read any version must read
// it all again: the numbers go on behind the newest, and without a snapshot an empty
// one takes its place.
func (r *memRun) cutBack(version int64) int64 {
	newest := r.counts.Version
	if version >= newest {
		return 0
	}
	left, shift := version-r.folded, newest+1-r.folded
	r.state = slices.Clone(r.state[:left])
	if r.snapshot == nil {
		r.snapshot = []byte{}
	}
	r.folded = newest + 1
	r.counts.Version = r.folded + left
	return shift
}
