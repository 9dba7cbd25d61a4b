package simulation

import (
	"fmt"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// work lets a worker make one call.
func (s *stepper) work(w *stepWorker) {
	switch n := s.r.IntN(10); {
	case len(w.hands) > 0 && n < 6:
		s.workHand(w, w.hands[s.r.IntN(len(w.hands))])
	case len(w.entries) > 0 && n < 8:
		e := w.entries[0]
		w.entries = w.entries[1:]
		s.load(w, e)
	case len(w.hands)+len(w.entries) >= 3:
	case n == 9:
		s.reclaim(w)
	default:
		s.claim(w)
	}
}

func (s *stepper) claim(w *stepWorker) {
	req := flox.ClaimRequest{Consumer: w.name, Queues: stepQueues, Max: 1 + s.r.IntN(2)}
	var entries []flox.Entry
	heard := s.call(false, func() {
		var err error
		entries, err = s.st.Claim(s.ctx, req)
		s.must(err)
		s.say("%s claim = %v", w.name, names(entries))
	})
	if heard {
		w.entries = append(w.entries, entries...)
	}
}

func (s *stepper) reclaim(w *stepWorker) {
	req := flox.ReclaimRequest{Consumer: w.name, Queues: stepQueues, Lease: stepLease, Max: 1 + s.r.IntN(2)}
	var entries []flox.Entry
	heard := s.call(false, func() {
		var err error
		entries, err = s.st.Reclaim(s.ctx, req)
		s.must(err)
		s.say("%s reclaim = %v", w.name, names(entries))
		for _, e := range entries {
			s.judge.reclaimed(e)
		}
	})
	s.judgeAll()
	if heard {
		w.entries = append(w.entries, entries...)
	}
}

func names(entries []flox.Entry) []string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Run+"/"+e.Token)
	}
	return all
}

func (s *stepper) load(w *stepWorker, e flox.Entry) {
	s.owners++
	owner := fmt.Sprint("o", s.owners)
	var loaded flox.Loaded
	heard := s.call(true, func() {
		var err error
		loaded, err = s.st.Load(s.ctx, e, owner, crashLimit)
		s.must(err)
		s.say("%s load %s/%s as %s = grant %d, %s at %s, crashes %d", w.name, e.Run, e.Token, owner,
			loaded.Grant, loaded.Lease.Item(), loaded.Item.Node, loaded.Item.Crashes)
		s.judge.loaded(s, e, owner, loaded)
	})
	s.judgeRun(e.Run)
	granted := loaded.Grant == flox.GrantOK || loaded.Grant == flox.GrantPoison
	if heard && granted {
		w.hands = append(w.hands, &hand{loaded: loaded})
	}
}

// workHand lets a worker do something with a token in its hand.
func (s *stepper) workHand(w *stepWorker, h *hand) {
	l := h.loaded.Lease
	switch n := s.r.IntN(20); {
	case n < 3:
		s.renew(w, h)
	case n < 4 && h.commit == nil:
		s.handback(w, h)
	default:
		if h.commit == nil {
			c := s.plan(l.Run).commit(h.loaded, s.r.IntN(2) == 0)
			if h.loaded.Item.Version > 0 && s.r.IntN(4) == 0 && c.Op != flox.OpRetry && c.Op != flox.OpFail {
				c.Read = h.loaded.Item.Version
			}
			h.commit = &c
		}
		s.commit(w, h)
	}
}

func (s *stepper) plan(run string) *plan {
	i := slices.IndexFunc(s.plans, func(p *plan) bool { return p.run == run })
	return s.plans[i]
}

func (s *stepper) renew(w *stepWorker, h *hand) {
	l := h.loaded.Lease
	var health flox.Health
	heard := s.call(true, func() {
		var err error
		health, err = s.st.Renew(s.ctx, l)
		s.must(err)
		s.say("%s renew %s/%s of %s = health %d", w.name, l.Run, l.Item(), l.Owner, health)
		s.judge.renewed(s, l, health)
	})
	if heard && (health == flox.HealthLost || health == flox.HealthCancelled) && s.r.IntN(2) == 0 {
		w.letGo(h) // else it commits all the same, as a node does that does not look
	}
}

func (s *stepper) handback(w *stepWorker, h *hand) {
	l := h.loaded.Lease
	unknown := s.r.IntN(4) == 0
	heard := s.call(true, func() {
		verdict, err := s.st.Handback(s.ctx, l, unknown)
		s.must(err)
		s.say("%s handback %s/%s of %s = verdict %d", w.name, l.Run, l.Item(), l.Owner, verdict)
		s.judge.handedBack(s, l, verdict)
	})
	s.judgeRun(l.Run)
	if heard || s.r.IntN(2) == 0 {
		w.letGo(h)
	}
}

// commit sends a hand's commit, once more if it was not answered.
func (s *stepper) commit(w *stepWorker, h *hand) {
	c := *h.commit
	var res flox.CommitResult
	heard := s.call(true, func() {
		var err error
		res, err = s.st.Commit(s.ctx, c)
		s.must(err)
		s.say("%s commit %s/%s of %s: op %d to %s, keep %t = %+v", w.name, c.Run, c.Item(), c.Owner, c.Op, c.Node, c.Keep, res)
		s.judge.committed(s, c, res)
	})
	s.judgeRun(c.Run)
	if !heard {
		return
	}
	switch res.Verdict {
	case flox.VerdictKept:
		h.advance(c, res)
	case flox.VerdictStale:
		h.commit, h.loaded.Item.Version = nil, res.Version
	default:
		w.letGo(h)
	}
}

// advance goes on with the successor that a commit left in the hand.
func (h *hand) advance(c flox.Commit, res flox.CommitResult) {
	h.commit = nil
	l := &h.loaded
	l.Grant = flox.GrantOK
	l.Lease.Step++
	l.Lease.Attempt = 0
	l.Item.Input = flox.Input{Payload: c.Input}
	if c.Op == flox.OpAwait {
		l.Item.Input.Answer = &flox.Answered{Payload: []byte("yes")} // the signal had come
	} else {
		l.Item.Node = c.Node
	}
	l.Item.Version, l.Item.Crashes, l.Item.Retried = res.Version, 0, 0
}

func (w *stepWorker) letGo(h *hand) {
	w.hands = slices.DeleteFunc(w.hands, func(o *hand) bool { return o == h })
}
