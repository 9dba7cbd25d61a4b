package flox

import (
	"slices"
	"sync"
	"time"
)

// sessionSet is the sessions of a worker.
type sessionSet struct {
	mu    sync.Mutex
	all   map[*session]struct{}
	byRun map[string][]*session
}

func (t *sessionSet) add(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.all == nil {
		t.all, t.byRun = map[*session]struct{}{}, map[string][]*session{}
	}
	t.all[s] = struct{}{}
	t.byRun[s.held.Run] = append(t.byRun[s.held.Run], s)
}

func (t *sessionSet) remove(s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.all, s)
	left := slices.DeleteFunc(t.byRun[s.held.Run], func(o *session) bool { return o == s })
	if len(left) == 0 {
		delete(t.byRun, s.held.Run)
		return
	}
	t.byRun[s.held.Run] = left
}

// of returns the sessions of a run.
func (t *sessionSet) of(run string) []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.byRun[run])
}

func (t *sessionSet) len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.all)
}

// list returns those that match; a nil match is all.
func (t *sessionSet) list(match func(*session) bool) []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	var some []*session
	for s := range t.all {
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
func (s *session) enter(n *node) {
	s.mu.Lock()
	s.current = s.lease
	s.doing = ActiveItem{Run: s.lease.Run, Item: s.lease.Item(), Node: n.name}
	s.mayBeLate = n.mayBeLate
	s.since = time.Now()
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
func (s *session) valid() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.renewed) < s.w.cfg.Lease
}

func (s *session) due() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Since(s.renewed) >= s.w.cfg.Lease/3
}
