package model

// The scripts of a lease, and what comes before it.

// room says whether a worker that serves the queue has a slot free.
func (m *Model) room(s *State, queue int8) bool {
	if !m.setup.apart {
		return int8(len(s.sess)) < m.setup.Slots
	}
	n := int8(0)
	for i := range s.sess {
		if s.sess[i].queue == queue {
			n++
		}
	}
	return n < m.setup.Slots
}

// claim is XREADGROUP.
func (m *Model) claim(s *State, e *entry) {
	uid := s.fresh()
	e.con = uid
	s.sess = append(s.sess, session{uid: uid, eid: e.eid, queue: e.queue, tok: e.tok, read: -1})
}

// load turns a claimed entry into a lease by writing the owner into the token.
func (m *Model) load(s *State, x *session) {
	d := s.db
	t := d.token(x.tok)
	strays := !d.exists || t == nil || t.loc != inQueue ||
		(t.eid != x.eid || t.queue != x.queue) && !m.broken(LoadBlindToEntry)
	switch {
	case strays:
		if !m.broken(StraysStay) {
			m.release(d, x.eid)
		}
		s.quit(x.uid)
		return
	case t.own != 0 && t.own != x.uid && !m.broken(EpochFence) && !m.broken(EpochInEntry) && !m.broken(LoadTakes):
		s.quit(x.uid)
		return
	}
	if d.status == cancelled && !m.broken(LoadUnasked) {
		m.drop(d, t)
		s.quit(x.uid)
		return
	}
	if m.late(d, t) {
		m.shelve(d, t)
		s.quit(x.uid)
		return
	}
	again := d.status == undoing && t.crash > 0 && !undoes(t.id)
	if !d.grants(t.id) && !again && !m.broken(LoadUnasked) {
		m.shelve(d, t)
		s.quit(x.uid)
		return
	}
	if e := d.entry(t.eid); e != nil && e.con != nobody {
		e.con = x.uid
	}
	if t.holder != 0 && t.holder != x.uid {
		m.violate("S3: load takes the lease of token %s from its holder", t.id)
	}
	t.own, t.holder = x.uid, x.uid
	x.phase, x.step, x.node, x.idx, x.att, x.rel = holding, t.step, t.node, t.idx, t.att, t.rel
	x.read, x.op, x.again, x.doom = -1, undecided, again, t.crash >= m.setup.Limit
	x.ended = t.flags&(flagSignal|flagTime) != 0
	if m.broken(EpochFence) {
		x.epoch = t.epoch
	}
	m.judgeStart(d, t, x)
	if t.from != "" {
		m.joined(d, t)
	}
}

// judgeStart judges the grant of a step by a load.
func (m *Model) judgeStart(d *db, t *token, x *session) {
	m.granted(d, t.id, x.again)
	switch {
	case x.doom && t.lost < m.setup.Limit:
		m.violate("S14: item %s is poison after %d lost starts, and the limit is %d", t.item(), t.lost, m.setup.Limit)
	case !x.doom && t.lost >= m.setup.Limit:
		m.violate("S14: item %s is started again after %d lost starts, and the limit is %d", t.item(), t.lost, m.setup.Limit)
	}
}

// granted judges that a step may begin.
func (m *Model) granted(d *db, tok string, again bool) {
	switch {
	case d.status == running || again || d.status == undoing && undoes(tok):
	case d.status == paused:
		m.violate("S7: token %s is granted a step while the run is paused", tok)
	case d.status == cancelled:
		m.violate("S6: token %s is granted a step after the run was cancelled", tok)
	default:
		m.violate("S8: token %s is granted a step of a run that is %v", tok, d.status)
	}
}

// joined judges what a join is given: as many deposits as its frame counted, as
// many as the graph says, none twice.
func (m *Model) joined(d *db, t *token) {
	n := int8(0)
	for i := range d.deps {
		if d.deps[i].frame != t.from {
			continue
		}
		n++
		for j := range i {
			if d.deps[j].frame == t.from && d.deps[j].item == d.deps[i].item {
				m.violate("S5: the join of %s is given item %s twice", t.from, d.deps[i].item)
			}
		}
	}
	want := m.graph.Nodes[t.node].branches
	if n != t.count || want != 0 && n != want {
		m.violate("S5: the join of %s is given %d branches of %d that its frame counted, and the graph says %d", t.from, n, t.count, want)
	}
}

// reclaim moves an entry whose lease ran out to another consumer.
func (m *Model) reclaim(s *State, eid int8) {
	d := s.db
	e := d.entry(eid)
	queue := e.queue
	t := d.token(e.tok)
	if !d.exists || t == nil || t.loc != inQueue || t.eid != eid || t.queue != queue {
		m.release(d, eid)
		return
	}
	if d.status == cancelled {
		m.drop(d, t)
		return
	}
	// An entry that became nobody's again has no lease that a holder could renew.
	if e.con == dead && s.session(t.holder) != nil && !m.setup.has(regroup) && !m.setup.has(cut) {
		m.violate("S3: the lease of token %s has not run out, and is taken from its holder", t.id)
	}
	uid := s.fresh()
	e.con = uid
	if t.own != 0 || m.broken(ClaimsCount) {
		if !m.broken(CrashUncounted) {
			t.crash++
		}
		if t.holder != 0 {
			t.lost++
		}
		if !m.broken(ReclaimKeepsOwner) {
			t.own = 0
		}
		t.holder = 0
	}
	if m.broken(EpochFence) || m.broken(EpochInEntry) {
		t.epoch++
	}
	s.sess = append(s.sess, session{uid: uid, eid: eid, queue: queue, tok: t.id, read: -1, epoch: t.epoch})
}

// unclaim queues the token of an entry again that was claimed and not loaded.
func (m *Model) unclaim(s *State, x *session) {
	d := s.db
	t := d.token(x.tok)
	switch {
	case !d.exists || t == nil || t.loc != inQueue || t.eid != x.eid || t.queue != x.queue:
		m.release(d, x.eid)
	case t.own != 0 && !m.broken(UnclaimBlind):
	case d.status == cancelled:
		m.drop(d, t)
	default:
		if t.holder != 0 {
			m.violate("S3: unclaim takes the lease of token %s from its holder", t.id)
		}
		m.release(d, t.eid)
		m.place(s, t)
	}
	s.quit(x.uid)
}

// renew extends a lease: the entry is the holder's.
func (m *Model) renew(s *State, x *session) {
	d := s.db
	if d.exists && d.status == cancelled {
		s.quit(x.uid)
		return
	}
	t := d.token(x.tok)
	eid := x.eid
	if !m.broken(RenewBlind) {
		if !d.exists || t == nil || t.own != x.uid || t.loc != inQueue {
			return
		}
		eid = t.eid
	}
	if e := d.entry(eid); e != nil && e.con != nobody && e.con != erased {
		e.con = x.uid
	}
}
