package model

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
)

// key tells states apart: 128 bits of hash, so that a state takes 16 bytes.
type key [2]uint64

var seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// key brings a state into its canonical form and returns its key. Orders that no
// rule sees are sorted away, and numbers are given by first appearance.
func (m *Model) key(s *State) key {
	m.arrange(s)
	b := s.encode(m.buf[:0])
	m.buf = b
	return key{maphash.Bytes(seeds[0], b), maphash.Bytes(seeds[1], b)}
}

func (m *Model) arrange(s *State) {
	m.sort(s.db)
	slices.SortFunc(s.sess, func(a, b session) int {
		return cmp.Or(strings.Compare(a.tok, b.tok), cmp.Compare(a.phase, b.phase), cmp.Compare(a.step, b.step),
			cmp.Compare(a.op, b.op), cmp.Compare(a.read, b.read), cmp.Compare(a.queue, b.queue), cmp.Compare(a.att, b.att))
	})
	if len(s.asks) > 1 {
		slices.SortFunc(s.asks, func(a, b request) int {
			return cmp.Or(cmp.Compare(a.op.script(), b.op.script()), cmp.Compare(a.nonce, b.nonce))
		})
	}
	var n numbers
	for i := range s.sess {
		n.uids[s.sess[i].uid] = -2 // alive
	}
	n.walk(s.db)
	if s.snap != nil {
		s.snap = s.snap.clone()
		n.walk(s.snap)
	}
	for i := range s.sess {
		x := &s.sess[i]
		x.uid, x.eid = n.uid(x.uid), n.eid(x.eid)
	}
}

func (m *Model) sort(d *db) {
	slices.SortFunc(d.toks, func(a, b token) int { return strings.Compare(a.id, b.id) })
	slices.SortFunc(d.entries, func(a, b entry) int {
		return cmp.Or(strings.Compare(a.tok, b.tok), cmp.Compare(a.queue, b.queue), cmp.Compare(min(a.con, 1), min(b.con, 1)))
	})
	if len(d.frames) > 1 {
		slices.SortFunc(d.frames, func(a, b frame) int { return strings.Compare(a.id, b.id) })
	}
	if len(d.deps) > 1 {
		slices.SortFunc(d.deps, func(a, b deposit) int {
			return cmp.Or(strings.Compare(a.frame, b.frame), cmp.Compare(a.n, b.n))
		})
	}
	slices.Sort(d.timers)
	slices.Sort(d.fell)
	if !m.setup.ordered {
		slices.Sort(d.log)
	}
}

// numbers renames entries and owners. 0 and below mean what they mean.
type numbers struct {
	uids, eids [128]int8
	nuid, neid int8
}

func (n *numbers) uid(old int8) int8 {
	if old <= 0 {
		return old
	}
	switch n.uids[old] {
	case 0:
		return dead
	case -2:
		n.nuid++
		n.uids[old] = n.nuid
	}
	return n.uids[old]
}

func (n *numbers) eid(old int8) int8 {
	if old <= 0 {
		return old
	}
	if n.eids[old] == 0 {
		n.neid++
		n.eids[old] = n.neid
	}
	return n.eids[old]
}

func (n *numbers) walk(d *db) {
	for i := range d.toks {
		t := &d.toks[i]
		t.own, t.holder, t.eid = n.uid(t.own), n.uid(t.holder), n.eid(t.eid)
	}
	for i := range d.entries {
		e := &d.entries[i]
		e.con, e.eid = n.uid(e.con), n.eid(e.eid)
	}
}

func bits(flags ...bool) (b byte) {
	for i, f := range flags {
		if f {
			b |= 1 << i
		}
	}
	return b
}

func (s *State) encode(b []byte) []byte {
	b = s.db.encode(b)
	b = append(b, bits(s.snap != nil, s.recalls), byte(s.memory), byte(s.nonces), byte(s.born), byte(s.sent), byte(s.taken))
	for _, n := range s.left {
		b = append(b, byte(n))
	}
	if s.snap != nil {
		b = s.snap.encode(b)
	}
	b = append(b, byte(len(s.sess)))
	for i := range s.sess {
		x := &s.sess[i]
		b = append(b, byte(x.uid), byte(x.eid), byte(x.queue), x.phase, byte(x.node), byte(x.step), byte(x.idx), x.att,
			byte(x.rel), byte(x.read), byte(x.seen), byte(x.op), bits(x.doom, x.again, x.ended), byte(x.epoch))
		b = appendText(b, x.tok)
	}
	b = append(b, byte(len(s.asks)))
	for _, a := range s.asks {
		b = append(b, byte(a.op), byte(a.nonce), byte(a.from), bits(a.late, a.told, a.refused),
			byte(a.upon.born), byte(a.upon.control), byte(a.upon.signal), byte(a.upon.folded), a.upon.purging)
	}
	return b
}

func appendText(b []byte, text string) []byte {
	return append(append(b, byte(len(text))), text...)
}

func appendTexts(b []byte, list []string) []byte {
	b = append(b, byte(len(list)))
	for _, text := range list {
		b = appendText(b, text)
	}
	return b
}

func appendNumbers(b []byte, list []int8) []byte {
	b = append(b, byte(len(list)))
	for _, n := range list {
		b = append(b, byte(n))
	}
	return b
}

func (v visit) encode(b []byte) []byte {
	return append(b, byte(v.node), byte(v.queue), byte(v.order), byte(v.sv), byte(v.outs), byte(v.ends))
}

func (d *db) encode(b []byte) []byte {
	b = append(b, bits(d.exists, d.undoing, d.deadline, d.todo, d.deadlineTimer),
		bits(d.active, d.atCompleted, d.atFailed, d.atCancelled),
		byte(d.born), byte(d.status), byte(d.live), byte(d.parked), byte(d.created), byte(d.committed), byte(d.failed),
		byte(d.dropped), byte(d.outs), byte(d.ends), byte(d.sv), byte(d.sb), byte(d.length), byte(d.closed), byte(d.gen), d.purging,
		byte(d.kept), byte(d.last), byte(d.cause))
	b = d.restart.encode(b)
	b = append(b, byte(len(d.toks)))
	for i := range d.toks {
		t := &d.toks[i]
		b = append(b, t.loc, byte(t.eid), byte(t.own), byte(t.step), byte(t.node), byte(t.queue), t.att, t.crash, t.flags,
			byte(t.idx), byte(t.count), byte(t.rel), byte(t.chunks), byte(t.origin), bits(t.framed, t.due),
			byte(t.signal), byte(t.epoch), byte(t.holder), t.lost)
		b = appendText(appendText(appendText(b, t.id), t.frame), t.from)
	}
	b = append(b, byte(len(d.frames)))
	for i := range d.frames {
		f := &d.frames[i]
		b = append(b, byte(f.live), byte(f.join), byte(f.queue), byte(f.pidx), byte(f.arrived), byte(f.need))
		b = appendText(appendText(b, f.id), f.parent)
	}
	b = append(b, byte(len(d.deps)))
	for i := range d.deps {
		p := &d.deps[i]
		b = appendText(appendText(append(b, byte(p.n), byte(p.idx)), p.frame), p.item)
	}
	b = append(b, byte(len(d.entries)))
	for i := range d.entries {
		e := &d.entries[i]
		b = appendText(append(b, byte(e.eid), byte(e.queue), byte(e.con)), e.tok)
	}
	b = append(b, byte(len(d.visits)))
	for _, v := range d.visits {
		b = v.encode(b)
	}
	b = appendTexts(appendTexts(b, d.timers), d.waiters)
	b = appendTexts(appendTexts(b, d.log), d.fell)
	return appendNumbers(appendNumbers(appendNumbers(b, d.undos), d.ctl), d.eaten)
}
