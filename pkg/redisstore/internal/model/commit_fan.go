package model

// fan makes the branches of an item; those that are too many for one script are
// made by release.
func (m *Model) fan(s *State, x *session, keep bool) verdict {
	t, v := m.fence(s, x)
	if t == nil {
		return v
	}
	if v, is := m.stale(s, t, x, false); is {
		return v
	}
	d, n := s.db, m.graph.Nodes[t.node]
	visit := m.visitOf(d, t)
	d.committed++
	m.keepUndo(d, t, false)
	m.journal(d, t.item())
	size, origin, eid, queue := n.size, t.step, t.eid, t.queue
	var f *frame
	if n.join != 0 {
		f = &frame{id: itemOf(t.id, origin), live: size, join: n.join, queue: m.graph.Nodes[n.join].Queue,
			parent: t.frame, pidx: t.idx, need: n.quorum}
	}
	if size == 0 {
		if f == nil {
			d.ends++
		}
		frame := t.frame
		consume(d, t)
		m.release(d, eid)
		m.remove(d, t.id)
		switch {
		case f != nil && m.broken(NothingFiresNothing):
		case f != nil:
			m.fire(s, f)
		default:
			m.lower(s, frame, false)
		}
		m.finish(s)
		m.putVisit(d, visit)
		return released
	}
	m.putVisit(d, visit)
	if f != nil {
		d.frames = append(d.frames, *f)
		t.frame, t.idx = f.id, 0
	} else if outer := d.frame(t.frame); outer != nil && !m.broken(SpreadUncounted) {
		outer.live += size - 1
	}
	m.advance(d, t, n.to)
	if size > m.setup.Chunk {
		t.rel, t.chunks, t.origin, t.framed = 1, (size-1+m.setup.Chunk-1)/m.setup.Chunk, origin, f != nil
		t.count = size
		return m.goOn(s, t, false, eid)
	}
	m.branches(s, t, origin, 1, size-1, f != nil)
	return m.goOn(s, t, keep && t.queue == queue, eid)
}

// branches makes some of a fan-out's, numbered from number on, beside the token.
func (m *Model) branches(s *State, t *token, origin, number, many int8, framed bool) {
	for ; many > 0; many-- {
		idx := t.idx
		if framed {
			idx = number
		}
		b := newToken(itemOf(itemOf(t.id, origin), number), t.node, t.queue, t.frame, idx)
		m.add(s, b)
		number++
	}
}

// releaseChunk makes the branches of one chunk of a large fan-out.
func (m *Model) releaseChunk(s *State, x *session) verdict {
	t, v := m.fence(s, x)
	if t == nil {
		return v
	}
	if t.rel == 0 {
		return done
	}
	first := (t.rel-1)*m.setup.Chunk + 1
	m.branches(s, t, t.origin, first, min(m.setup.Chunk, t.count-first), t.framed)
	if !m.broken(ChunkKeepsStep) {
		stepOn(t)
	}
	last := t.rel >= t.chunks
	if last {
		t.rel, t.chunks, t.origin, t.framed, t.count = 0, 0, 0, false, 0
	} else {
		t.rel++
	}
	return m.goOn(s, t, last, t.eid)
}
