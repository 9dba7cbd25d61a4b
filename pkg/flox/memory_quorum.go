package flox

// reached reports whether the frame's quorum has just arrived.
func (f *memFrame) reached() bool { return f.quorum > 0 && len(f.deposits) == f.quorum }

// depositFrame finds the frame that a deposit is left at, and the index of the
// token's branch in it.
func (t *memToken) depositFrame(c Commit) (*memFrame, int) {
	f, index := t.run.frames[t.frame], t.index
	for up := c.Up; up > 0 && f != nil; up-- {
		f, index = t.run.frames[f.parent], f.parentIndex
	}
	return f, index
}

// closeFrame fires the join with what has arrived, t's deposit last. Branches
// that are still out are late from now on.
func (m *Memory) closeFrame(t *memToken, f *memFrame) {
	r := t.run
	f.closed = true
	r.closed++
	m.fire(r, f)
	f.deposits = nil
	r.lowerLate(t.frame, 1)
	if r.frames[f.id] == nil {
		return // t was the last
	}
	m.todo[r.id] = true
	// The status is what it was: this wakes workers to look at their leases.
	m.tellStatus(r)
}

// late reports whether a join fired without the token's branch, or without one
// that the branch is a part of.
func (r *memRun) late(t *memToken) bool {
	if r.closed == 0 {
		return false
	}
	for f := r.frames[t.frame]; f != nil; f = r.frames[f.parent] {
		if f.closed {
			return true
		}
	}
	return false
}

// dropLate drops a late token, unless it is with a worker, who will see to it.
func (m *Memory) dropLate(t *memToken) bool {
	if !t.idle() {
		return false
	}
	branches := 1
	if t.release != nil {
		branches += t.release.unmade()
	}
	m.drop(t)
	t.run.lowerLate(t.frame, branches)
	m.finish(t.run)
	return true
}

// unmade counts the branches of a large fan-out that are not released yet.
func (r *memRelease) unmade() int { return r.size - 1 - (r.next-1)*ReleaseChunk }

// lowerLate counts late branches of a frame as gone. A frame without branches
// goes too: the closed one has fired, those within it never will.
func (r *memRun) lowerLate(frame string, branches int) {
	for f := r.frames[frame]; f != nil; f = r.frames[f.parent] {
		f.live -= branches
		if f.live > 0 {
			return
		}
		delete(r.frames, f.id)
		if f.closed {
			r.closed--
			return
		}
		branches = 1
	}
}
