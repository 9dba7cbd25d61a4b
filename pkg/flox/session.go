package flox

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// errDraining is why a node's context ends when its worker shuts down.
var errDraining = errors.New("worker is shutting down")

// errDropped is why a node's context ends when the join of its branch fired
// without it.
var errDropped = errors.New("the join of this branch needs it no more")

// session is a worker's hold on one token, from Load until the token is out of
// its hands: any number of steps under one lease.
type session struct {
	w      *Worker
	ctx    context.Context // of the nodes; its cause says why it was cancelled
	cancel context.CancelCauseFunc
	held   Lease // as granted; what a heartbeat needs of it never changes
	began  time.Time
	state  *runState
	poison bool

	lease Lease
	item  Item
	id    string // of the item
	graph *graph

	mu      sync.Mutex
	renewed time.Time // the lease lasts from here
	halt    bool      // paused or failed: finish the step, start no other
	// mayBeLate says that the join of the item's branch may fire without it.
	mayBeLate bool
	current   Lease // of the step being executed
	doing     ActiveItem
	since     time.Time
	noted     noted // see note

	started bool // an EventStarted awaits its end
	entered bool // a step was executed
	told    bool // that the lease is lost

	span   Span // between begin and finish, if there is a tracer
	ending AttemptEnd

	in      siblings  // of w.sessions
	first   runState  // that state points to at first
	scratch execution // reused, see execution
}

// handle takes a claimed entry to its end, in a slot that the caller took. A
// token that there is no slot for is handed back.
func (w *Worker) handle(items context.Context, e Entry, slot bool) {
	asked := time.Now()
	loaded, renewed, ok := w.load(items, e, w.consumer+"-"+strconv.FormatInt(w.owners.Add(1), 10))
	if !ok {
		return
	}
	switch loaded.Grant {
	case GrantOK, GrantPoison:
	case GrantInvalid:
		// It comes again whenever its lease is over.
		if alike, say := w.complaints.say("load "+e.Run+" "+e.Token, ErrInvalid); say {
			w.cfg.Logger.Error("run left alone", logError, ErrInvalid, logRun, e.Run, logItem, e.Token, logAlike, alike)
		}
		return
	case GrantDropped:
		w.settle(e.Run)
		return
	default:
		return
	}
	s := &session{
		w: w, held: loaded.Lease, lease: loaded.Lease, item: loaded.Item, began: asked, renewed: renewed,
		graph: w.graphs[loaded.Item.Workflow], poison: loaded.Grant == GrantPoison, id: loaded.Lease.Item(),
	}
	s.first = runState{st: w.st, run: e.Run, graph: s.graph, observe: s}
	s.state = &s.first
	s.ctx, s.cancel = context.WithCancelCause(items)
	defer s.cancel(nil)
	w.sessions.add(s)
	defer w.sessions.remove(s)
	if !slot {
		s.handback(false)
		return
	}
	for s.step() {
	}
}

// step executes the item in hand and commits it. It reports whether there is
// another one under this lease.
func (s *session) step() bool {
	if s.item.Release != nil {
		return s.release()
	}
	n, now := s.node(), time.Now()
	switch {
	case n == nil:
		s.note()
		s.log().Warn("node unknown to this worker, handed back", logWorkflow, s.item.Workflow, logGraph, s.item.Fingerprint)
		s.handback(true)
		return false
	case s.w.draining.Load():
		s.handback(false)
		return false
	case !s.valid(now):
		s.lost("before the step")
		s.handback(false)
		return false
	}
	s.enter(n, now)
	defer s.leave()
	ctx := s.begin()
	defer s.finish()
	x := s.execution(n)
	out := s.execute(ctx, n, x)
	if cause := context.Cause(s.ctx); cause != nil && !s.keepResult(cause, out) {
		return false
	}
	if out.class == "" && out.err != nil {
		if !errors.Is(out.err, errDropped) {
			s.storeFailed("state", out.err)
		}
		s.handback(false)
		return false
	}
	c, out := s.decide(n, x, out)
	s.observeFinish(n, &c, out)
	return s.commit(n, x, &c, out)
}

// keepResult says whether to commit out although the context was cancelled. A
// node that was interrupted by the drain, or because the store was away for a
// whole lease, is handed back, not failed. If the lease is another's by now, the
// fence refuses both.
func (s *session) keepResult(cause error, out outcome) bool {
	if errors.Is(cause, ErrCancelled) {
		s.ending.Verdict = verdictName(VerdictCancelled)
		return false
	}
	if errors.Is(cause, errDropped) {
		s.ending.Verdict = verdictName(VerdictDropped)
		s.handback(false)
		return false
	}
	if !errors.Is(cause, errDraining) {
		s.lost("during the step")
	}
	if out.err == nil {
		return true
	}
	s.handback(false)
	return false
}

func (s *session) node() *node {
	if s.graph == nil {
		return nil
	}
	return s.graph.byName[s.item.Node]
}

// execution is the item in hand. It is copied if the node can be given up: that
// may go on reading its own while the session has moved on.
func (s *session) execution(n *node) *execution {
	x := &s.scratch
	*x = execution{
		item: &s.item, lease: &s.lease, name: s.id, ns: s.w.st.Namespace(), state: s.state, limit: s.w.cfg.MaxPayload,
		report: s, logger: s.w.cfg.Logger, noted: s.note(),
	}
	if n.timeout > 0 {
		own, item, lease := *x, s.item, s.lease
		x, own.item, own.lease = &own, &item, &lease
	}
	return x
}

// abandonAfter is how long after its timeout a node that ignores its context is
// given up. Its goroutine goes on, but what it returns is thrown away.
const abandonAfter = 2 * time.Second

func (s *session) execute(ctx context.Context, n *node, x *execution) outcome {
	switch {
	case s.poison:
		s.poison = false
		return s.crashed()
	case n.timeout <= 0:
		return n.execute(ctx, x)
	}
	done := make(chan outcome, 1)
	go func() { done <- n.execute(ctx, x) }()
	giveUp := time.NewTimer(n.timeout + abandonAfter)
	defer giveUp.Stop()
	select {
	case out := <-done:
		return out
	case <-giveUp.C:
		s.state = newRunState(s.w.st, s.lease.Run, s.graph, s)
		err := fmt.Errorf("ran longer than its timeout of %v and ignored its context's end", n.timeout)
		return outcome{kind: outcomeError, class: ClassTimeout, err: err, read: -1, took: n.timeout + abandonAfter}
	}
}

// release makes the next branches of a large fan-out.
func (s *session) release() bool {
	s.entered = true
	s.begin()
	defer s.finish()
	n := &node{name: s.item.Node}
	x := s.execution(n)
	if s.poison {
		return s.fail(n, x, s.crashed())
	}
	c, err := decideRelease(s.lease, s.item.Release)
	if err != nil {
		return s.fail(n, x, outcome{class: ClassPayload, err: err})
	}
	s.ending.Outcome = outcomeRelease
	return s.commit(n, x, &c, outcome{})
}

// commit sends c and acts on the answer. It reports whether the token stays.
func (s *session) commit(n *node, x *execution, c *Commit, out outcome) bool {
	res, ok := s.send(c)
	if !ok {
		return false
	}
	if res.Ended != "" {
		s.w.runsEnded([]EndedRun{{
			Namespace: s.w.st.Namespace(), Run: s.lease.Run, Workflow: s.item.Workflow, Trace: s.item.Trace,
			Status: res.Ended, Lasted: res.Lasted, Cause: c.Cause,
		}})
	}
	if res.Settle {
		s.w.settle(s.lease.Run)
	}
	switch res.Verdict {
	case VerdictKept:
		s.advance(c, res)
		return true
	case VerdictStale:
		s.state.reset()
		s.item.Version, s.item.Committed = res.Version, res.Committed
		return true
	case VerdictDropped:
		s.w.settle(s.lease.Run)
		return false
	case VerdictLimit:
		err := fmt.Errorf("%w: the run has committed %d items", ErrStepLimit, s.graph.maxSteps)
		out = outcome{kind: outcomeError, class: ClassLimit, err: err, read: -1, took: out.took}
		s.ending = failedFor(out)
		failed := decide(s.graph, n, x, out, s.decision())
		s.observeFailure(&failed, out)
		return s.commit(n, x, &failed, out)
	case VerdictInvalid:
		return s.spoilt(n, x, c, out)
	case VerdictLost:
		s.lost("at the commit")
	}
	return false
}

// advance moves the session to the successor that the commit left in its hands.
func (s *session) advance(c *Commit, res CommitResult) {
	if c.Fan != nil && c.Fan.Frame != nil && c.Fan.Frame.Scope {
		s.item.Scope = shortToken(s.lease.Item())
	}
	s.lease.Step++
	s.lease.Attempt, s.lease.Note = 0, res.Note
	s.id = s.lease.Item()
	s.item.Node, s.item.Input, s.item.Joins = c.Node, Input{Payload: c.Input}, ""
	s.item.Crashes, s.item.Retried, s.item.Waited, s.item.Elapsed = 0, 0, 0, 0
	s.item.Version, s.item.Committed = res.Version, res.Committed
}
