package flox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"
)

// errDraining is why a node's context ends when its worker shuts down.
var errDraining = errors.New("worker is shutting down")

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
	graph *graph

	mu      sync.Mutex
	renewed time.Time // the lease lasts from here
	halt    bool      // paused or failed: finish the step, start no other
	current Lease     // of the step being executed
	doing   ActiveItem
	since   time.Time
}

// handle takes a claimed entry to its end. It holds a slot meanwhile.
func (w *Worker) handle(items context.Context, e Entry, claimed time.Time) {
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	case <-items.Done():
		return
	}
	owner := fmt.Sprintf("%s-%d", w.consumer, w.owners.Add(1))
	ctx, cancel := context.WithTimeout(items, w.cfg.Lease)
	loaded, err := w.st.Load(ctx, e, owner, w.cfg.CrashLimit)
	cancel()
	if err != nil {
		w.storeFailed("load", err)
		return
	}
	switch loaded.Grant {
	case GrantOK, GrantPoison:
	case GrantInvalid:
		w.cfg.Logger.Error("run left alone", logError, ErrInvalid, logRun, e.Run, logItem, e.Token)
		return
	default:
		return
	}
	s := &session{
		w: w, held: loaded.Lease, lease: loaded.Lease, item: loaded.Item, began: time.Now(), renewed: claimed,
		graph: w.graphs[loaded.Item.Workflow], poison: loaded.Grant == GrantPoison,
		state: &runState{st: w.st, run: e.Run},
	}
	s.ctx, s.cancel = context.WithCancelCause(items)
	defer s.cancel(nil)
	w.sessions.add(s)
	defer w.sessions.remove(s)
	if time.Since(claimed) > w.cfg.Lease/4 {
		w.renew(items, s) // it waited for a slot, and the lease runs from the claim
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
	n := s.node()
	switch {
	case n == nil:
		s.w.cfg.Logger.Warn("node unknown to this worker, handed back",
			logWorkflow, s.item.Workflow, logNode, s.item.Node, logGraph, s.item.Fingerprint)
		s.handback(true)
		return false
	case s.w.draining.Load():
		s.handback(false)
		return false
	case !s.valid():
		s.lost("before the step")
		return false
	}
	s.enter(n)
	x := s.execution()
	out := s.execute(n, x)
	if cause := context.Cause(s.ctx); cause != nil && !s.keepResult(cause, out) {
		return false
	}
	if out.class == "" && out.err != nil {
		s.w.storeFailed("state", out.err)
		s.handback(false)
		return false
	}
	c := decide(s.graph, n, x, out, s.decision())
	s.observeFinish(n, c, out)
	return s.commit(n, x, c, out)
}

func (s *session) decision() decision {
	return decision{keep: s.mayKeep(), jitter: rand.Float64(), worker: s.w.consumer}
}

// keepResult says whether to commit out although the context was cancelled. A
// node that was interrupted by the drain is handed back, not failed.
func (s *session) keepResult(cause error, out outcome) bool {
	switch {
	case errors.Is(cause, errDraining):
		if out.err == nil {
			return true
		}
		s.handback(false)
		return false
	case errors.Is(cause, ErrCancelled):
		return false
	default:
		s.lost("during the step")
		return false
	}
}

func (s *session) node() *node {
	if s.graph == nil {
		return nil
	}
	return s.graph.byName[s.item.Node]
}

// execution is the item in hand, copied: a node that is given up may go on
// reading its own while the session has moved on.
func (s *session) execution() *execution {
	item, lease := s.item, s.lease
	return &execution{
		item: &item, lease: &lease, ns: s.w.st.Namespace(), state: s.state, limit: s.w.cfg.MaxPayload,
		logger: s.w.cfg.Logger.With(logRun, s.lease.Run, logItem, s.lease.Item(), logNode, s.item.Node),
	}
}

// abandonAfter is how long after its timeout a node that ignores its context is
// given up. Its goroutine goes on, but what it returns is thrown away.
const abandonAfter = 2 * time.Second

func (s *session) execute(n *node, x *execution) outcome {
	switch {
	case s.poison:
		s.poison = false
		err := fmt.Errorf("crashed its worker %d times", s.item.Crashes)
		return outcome{kind: outcomeError, class: ClassCrash, err: err, read: -1}
	case n.timeout <= 0:
		return n.execute(s.ctx, x)
	}
	done := make(chan outcome, 1)
	go func() { done <- n.execute(s.ctx, x) }()
	giveUp := time.NewTimer(n.timeout + abandonAfter)
	defer giveUp.Stop()
	select {
	case out := <-done:
		return out
	case <-giveUp.C:
		s.state = &runState{st: s.w.st, run: s.lease.Run}
		err := fmt.Errorf("ran longer than its timeout of %v and ignored its context's end", n.timeout)
		return outcome{kind: outcomeError, class: ClassTimeout, err: err, read: -1, took: n.timeout + abandonAfter}
	}
}

// release makes the next branches of a large fan-out.
func (s *session) release() bool {
	c, err := decideRelease(s.lease, s.item.Release)
	if err != nil {
		n := &node{name: s.item.Node}
		out := outcome{kind: outcomeError, class: ClassPayload, err: err, read: -1}
		c = decideFailure(Commit{Lease: s.lease, Read: -1}, n, s.execution(), out, s.decision())
	}
	s.send(c)
	return false
}

// commit sends c and acts on the answer. It reports whether the token stays.
func (s *session) commit(n *node, x *execution, c Commit, out outcome) bool {
	res, ok := s.send(c)
	if !ok {
		return false
	}
	switch res.Verdict {
	case VerdictKept:
		s.advance(c, res)
		return true
	case VerdictStale:
		s.state.reset()
		return true
	case VerdictLimit:
		err := fmt.Errorf("%w: the run has committed %d items", ErrStepLimit, s.graph.maxSteps)
		out = outcome{kind: outcomeError, class: ClassLimit, err: err, read: -1, took: out.took}
		return s.commit(n, x, decide(s.graph, n, x, out, s.decision()), out)
	case VerdictInvalid:
		if c.Op == OpFail {
			return false
		}
		err := fmt.Errorf("%w: something else wrote to flox's keys", ErrInvalid)
		out = outcome{kind: outcomeError, class: ClassPayload, err: err, read: -1, took: out.took}
		return s.commit(n, x, decide(s.graph, n, x, out, s.decision()), out)
	case VerdictLost:
		s.lost("at the commit")
	}
	return false
}

// send stores c, also while the worker drains. What cannot be stored until the
// lease ends is left to whoever reclaims the token.
func (s *session) send(c Commit) (CommitResult, bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.w.cfg.Lease)
	defer cancel()
	start := time.Now()
	res, err := s.w.st.Commit(ctx, c)
	outcome := verdictName(res.Verdict)
	if err != nil {
		s.w.storeFailed("commit", err)
		outcome = "error"
	}
	s.w.cfg.Observer.Observe(Event{
		Kind: EventCommitted, Workflow: s.workflowLabel(), Outcome: outcome, Duration: time.Since(start),
	})
	if c.Op == OpRetry && err == nil {
		s.w.wakeForwarder()
	}
	return res, err == nil
}

// advance moves the session to the successor that the commit left in its hands.
func (s *session) advance(c Commit, res CommitResult) {
	s.lease.Step++
	s.lease.Attempt = 0
	s.item.Node, s.item.Input = c.Node, Input{Payload: c.Input}
	s.item.Crashes, s.item.Waited = 0, 0
	s.item.Version, s.item.Committed = res.Version, res.Committed
}

// handback gives the token to whoever is next.
func (s *session) handback(unknown bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), s.w.cfg.Lease)
	defer cancel()
	if _, err := s.w.st.Handback(ctx, s.lease, unknown); err != nil {
		s.w.storeFailed("handback", err)
	}
	if unknown {
		s.w.wakeForwarder()
	}
}

func (s *session) lost(when string) {
	s.w.cfg.Observer.Observe(Event{Kind: EventLeaseLost, Workflow: s.workflowLabel(), Node: s.nodeLabel(), Count: 1})
	s.w.cfg.Logger.Warn("lease lost "+when, logRun, s.lease.Run, logItem, s.lease.Item(), logNode, s.item.Node)
}

// workflowLabel and nodeLabel are "" for names that no graph of this worker has.
func (s *session) workflowLabel() string {
	if s.graph == nil {
		return ""
	}
	return s.graph.name
}

func (s *session) nodeLabel() string {
	if n := s.node(); n != nil {
		return n.name
	}
	return ""
}

func (s *session) observeFinish(n *node, c Commit, out outcome) {
	name := map[Op]string{OpRetry: "retry", OpFail: "fail"}[c.Op]
	if name == "" {
		name = outcomeName(c)
	}
	if c.Fallback {
		name = "fallback"
	}
	s.w.cfg.Observer.Observe(Event{
		Kind: EventFinished, Workflow: s.graph.name, Node: n.name, Queue: n.queue, Outcome: name, Duration: out.took,
	})
	if out.err != nil {
		level := slog.LevelWarn
		if c.Op == OpFail {
			level = slog.LevelError
		}
		s.w.cfg.Logger.Log(s.ctx, level, "item failed", logRun, s.lease.Run, logItem, s.lease.Item(),
			logNode, n.name, logAttempt, s.lease.Attempt+1, logClass, out.class, logVerdict, name)
	}
}

func verdictName(v Verdict) string {
	switch v {
	case VerdictStale:
		return "stale"
	case VerdictLost:
		return "lost"
	case VerdictCancelled:
		return "cancelled"
	case VerdictLimit:
		return "limit"
	case VerdictGone:
		return "gone"
	case VerdictInvalid:
		return "invalid"
	case VerdictRepeat:
		return "repeated"
	default:
		return "applied"
	}
}
