package model

import "slices"

// Where a session is.
const (
	claimed uint8 = iota // it has an entry and no lease
	holding              // it was granted the step
)

// session is a worker's hold on a token, from the claim on: one slot. A worker that
// dies with several slots is as many crashes.
type session struct {
	uid   int8 // unique for ever, and the owner it writes
	eid   int8
	queue int8
	tok   string
	phase uint8
	node  int8
	step  int8
	idx   int8
	att   uint8
	rel   int8
	read  int8 // state version that was read, -1 if none
	seen  int8 // arrivals in the state that was read
	op    op   // what it sends, if it was sent before and not answered
	doom  bool // the item has crashed too often
	again bool // the undoing run granted it because it was lost
	ended bool // its wait has ended
	epoch int8 // of a mutation
}

// State is one state of the whole system.
type State struct {
	db     *db
	snap   *db // what a shorter log would bring back, nil if there is none
	sess   []session
	asks   []request
	nonces int8 // given out so far
	born   int8 // starts so far
	sent   int8 // signals sent so far
	taken  int8 // of those, how many this run has taken, as the client knows
	left   budget

	memory  status // of a mutation: what a janitor remembers
	recalls bool
}

func (s *State) clone() *State {
	c := *s
	c.db = s.db.clone()
	c.sess = slices.Clone(s.sess)
	c.asks = slices.Clone(s.asks)
	return &c // snap is never written
}

func (s *State) session(uid int8) *session {
	for i := range s.sess {
		if s.sess[i].uid == uid {
			return &s.sess[i]
		}
	}
	return nil
}

// quit ends a session.
func (s *State) quit(uid int8) {
	s.sess = slices.DeleteFunc(s.sess, func(x session) bool { return x.uid == uid })
}

// fresh returns a number that no session has, and nothing refers to.
func (s *State) fresh() int8 {
	n := int8(0)
	for _, d := range []*db{s.db, s.snap} {
		if d == nil {
			continue
		}
		for i := range d.toks {
			n = max(n, d.toks[i].own, d.toks[i].holder)
		}
		for i := range d.entries {
			n = max(n, d.entries[i].con)
		}
	}
	for i := range s.sess {
		n = max(n, s.sess[i].uid)
	}
	return n + 1
}

// freshEntry returns an entry id that was not used before, as far as anybody knows.
func (s *State) freshEntry() int8 {
	n := int8(0)
	for _, d := range []*db{s.db, s.snap} {
		if d == nil {
			continue
		}
		for i := range d.toks {
			n = max(n, d.toks[i].eid)
		}
		for i := range d.entries {
			n = max(n, d.entries[i].eid)
		}
	}
	for i := range s.sess {
		n = max(n, s.sess[i].eid)
	}
	return n + 1
}
