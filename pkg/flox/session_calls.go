package flox

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"
)

// decide makes the commit. A retry policy and an error are code of users, too,
// which may panic: that is then the item's failure, and no policy is asked.
func (s *session) decide(n *node, x *execution, out outcome) (c Commit, came outcome) {
	d := s.decision()
	defer func() {
		if p := recover(); p != nil {
			came = panicked(p)
			came.err, came.took = fmt.Errorf("%v; its retry policy: %v", out.err, came.err), out.took
			once := *n
			once.retry = RetryPolicy{MaxAttempts: 1}
			c = decide(s.graph, &once, x, came, d)
		}
	}()
	return decide(s.graph, n, x, out, d), out
}

func (s *session) decision() decision {
	return decision{keep: s.mayKeep(), jitter: rand.Float64(), worker: s.w.consumer}
}

// send stores c, also while the worker drains.
func (s *session) send(c *Commit) (CommitResult, bool) {
	var res CommitResult
	var err error
	start := time.Now()
	for again, now := true, start; again; now = time.Now() {
		ctx := s.w.calls.from(now)
		res, err = s.w.st.Commit(ctx, *c)
		again = err != nil && s.insist(ctx, "commit", err, start)
	}
	outcome := verdictName(res.Verdict)
	if err != nil {
		outcome = "error"
	}
	s.ending.Verdict = outcome
	s.w.cfg.Observer.Observe(Event{
		Kind: EventCommitted, Workflow: s.workflowLabel(), Outcome: outcome, Duration: time.Since(start),
	})
	if c.Delay > 0 && err == nil {
		s.w.wakeForwarder()
	}
	return res, err == nil
}

// handback gives the token to whoever is next.
func (s *session) handback(unknown bool) {
	s.note()
	var verdict Verdict
	start := time.Now()
	for again, now := true, start; again; now = time.Now() {
		var err error
		ctx := s.w.calls.from(now)
		verdict, err = s.w.st.Handback(ctx, s.lease, unknown)
		again = err != nil && s.insist(ctx, "handback", err, start)
	}
	if verdict == VerdictDropped {
		s.w.settle(s.lease.Run)
	}
	if unknown {
		s.w.wakeForwarder()
	}
}

// settle does at once what the janitor would do later.
func (w *Worker) settle(run string) {
	ctx, cancel := context.WithTimeout(w.life, w.cfg.Lease)
	defer cancel()
	for more := true; more; {
		settled, err := w.st.Settle(ctx, run)
		w.runsEnded(settled.Ended)
		if err != nil {
			w.storeFailed("settle", err)
			return
		}
		more = settled.More
	}
}

// insisting is for how many leases a session goes on to tell a store that is away
// what became of its token. Whoever takes over meanwhile is safe, by the fence.
const insisting = 10

// insist says whether to repeat a call that failed and was begun at first: one that
// the store did not answer for a lease, for what it is not told is done again and
// counts as a crash. A worker that drains asks once.
func (s *session) insist(ctx context.Context, name string, err error, first time.Time) bool {
	unanswered := ctx.Err() != nil
	s.storeFailed(name, err)
	// Else the token is left to whoever reclaims it.
	return unanswered && !s.w.draining.Load() && time.Since(first) <= insisting*s.w.cfg.Lease
}

// crashed is the outcome of an item that took too many workers with it.
func (s *session) crashed() outcome {
	err := fmt.Errorf("crashed its worker %d times", s.item.Crashes)
	return outcome{kind: outcomeError, class: ClassCrash, err: err, read: -1}
}

// fail fails the item for good, whatever its node does with failures.
func (s *session) fail(n *node, x *execution, out outcome) bool {
	out.kind, out.read = outcomeError, -1
	s.ending = failedFor(out)
	c := decideFailure(Commit{Lease: s.lease, Read: -1}, &node{name: n.name}, x, out, s.decision())
	s.observeFailure(&c, out)
	return s.commit(n, x, &c, out)
}

// spoilt fails an item whose commit was refused because a key of the run has a
// wrong type. If that is the key of its errors, it fails without a record.
func (s *session) spoilt(n *node, x *execution, c *Commit, out outcome) bool {
	if c.Op != OpFail {
		err := fmt.Errorf("%w: something else wrote to flox's keys", ErrInvalid)
		return s.fail(n, x, outcome{class: ClassPayload, err: err, took: out.took})
	}
	if c.Err == nil {
		return false
	}
	c.Err = nil
	return s.commit(n, x, c, out)
}
