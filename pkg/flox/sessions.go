package flox

import (
	"sync"
	"time"
)

// sessionSet is the sessions of a worker: a list of all, and one of each run's.
type sessionSet struct {
	mu    sync.Mutex
	n     int
	first *session
	byRun map[string]*session
}

// siblings are the neighbours of a session in the lists of its set.
type siblings struct{ before, after, sameRun *session }

func (t *sessionSet) add(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byRun == nil {
		t.byRun = map[string]*session{}
	}
	t.n++
	s.in = siblings{after: t.first, sameRun: t.byRun[s.held.Run]}
	if t.first != nil {
		t.first.in.before = s
	}
	t.first, t.byRun[s.held.Run] = s, s
}

func (t *sessionSet) remove(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if s.in.after != nil {
		s.in.after.in.before = s.in.before
	}
	if s.in.before != nil {
		s.in.before.in.after = s.in.after
	} else {
		t.first = s.in.after
	}
	t.removeOfRun(s)
	s.in = siblings{}
}

func (t *sessionSet) removeOfRun(s *session) {
	switch of := t.byRun[s.held.Run]; {
	case of != s:
		for of.in.sameRun != s {
			of = of.in.sameRun
		}
		of.in.sameRun = s.in.sameRun
	case s.in.sameRun != nil:
		t.byRun[s.held.Run] = s.in.sameRun
	default:
		delete(t.byRun, s.held.Run)
	}
}

// of returns the sessions of a run.
func (t *sessionSet) of(run string) []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []*session
	for s := t.byRun[run]; s != nil; s = s.in.sameRun {
		all = append(all, s)
	}
	return all
}

func (t *sessionSet) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}

// list returns those that match; a nil match is all.
func (t *sessionSet) list(match func(*session) bool) []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	var some []*session
	for s := t.first; s != nil; s = s.in.after {
		if match == nil || match(s) {
			some = append(some, s)
		}
	}
	return some
}

func (t *sessionSet) active() []ActiveItem {
	var items []ActiveItem
	for _, s := range t.list(nil) {
		s.mu.Lock()
		a := s.doing
		a.For = time.Since(s.since)
		s.mu.Unlock()
		if a.Run != "" {
			items = append(items, a)
		}
	}
	return items
}

// enter notes that the session starts to execute n.
func (s *session) enter(n *node, now time.Time) {
	s.mu.Lock()
	s.current = s.lease
	s.doing = ActiveItem{Run: s.lease.Run, Item: s.id, Node: n.name}
	s.mayBeLate = n.mayBeLate
	s.since = now
	s.mu.Unlock()
	s.observeStart(n)
}

// concerned says whether a change of the run's status, or the same status told
// again because a join has fired early, may change what the session may do. A
// start and an end do not, and they are most of all events.
func (s *session) concerned(status Status) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch status {
	case StatusPaused, StatusFailed, StatusUndoing:
		return true
	case StatusRunning:
		return s.halt || s.mayBeLate
	}
	return false
}

// report notes what the node says of its progress, for the next beat.
func (s *session) report(share float64, note string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.doing.Share, s.doing.Note = share, note
}

// mayKeep says whether the worker would go on with a successor: not when it
// drains, when the run does not run, or when others had to wait long enough.
func (s *session) mayKeep() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.halt && !s.w.draining.Load() && time.Since(s.began) < s.w.cfg.Quantum
}

// valid says whether the lease has not run out by this process's own monotonic
// clock, which sees what a fence cannot: a stop between the grant and the start.
func (s *session) valid(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Sub(s.renewed) < s.w.cfg.Lease
}

func (s *session) due() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.renewed) >= s.w.cfg.Lease/3
}
