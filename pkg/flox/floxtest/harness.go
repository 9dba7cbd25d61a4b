package floxtest

import (
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// Harness runs a workflow in a test: by itself, on a store in memory, in virtual
// time. What is set on it (fakes, failures, signals, options) holds for every
// following Run, each of which begins anew. It is not safe for concurrent use,
// but the functions it is given must be, once Parallel is.
type Harness[S, I, O any] struct {
	*rig
	wf *flox.Workflow[S, I, O]
}

// AnyHarness is a Harness of any workflow.
type AnyHarness interface{ base() *rig }

// New makes a Harness of wf. t must be a *testing.T, or the test be in a
// testing/synctest bubble already, which the runs then use.
func New[S, I, O any](t testing.TB, wf *flox.Workflow[S, I, O]) *Harness[S, I, O] {
	t.Helper()
	if wf == nil {
		t.Fatalf("floxtest: New was given a nil workflow; did Build return an error?")
	}
	return &Harness[S, I, O]{newRig(t, wf), wf}
}

// Parallel lets up to n items be executed at the same time. By default they are
// executed one at a time, each token followed as far as it goes before the next
// one is taken up, so that every Run does the same in the same order.
func (h *Harness[S, I, O]) Parallel(n int) *Harness[S, I, O] {
	h.t.Helper()
	if n < 1 {
		h.t.Fatalf("floxtest: Parallel(%d): want 1 or more", n)
	}
	h.slots = n
	return h
}

// StartWith sets options that the runs are started with, such as
// flox.WithDeadline. The id of a run is "test" unless flox.WithID sets another.
func (h *Harness[S, I, O]) StartWith(opts ...flox.StartOption) *Harness[S, I, O] {
	h.options = opts
	return h
}

// Fail lets the first attempts at a node fail with err, as many as times says,
// whatever items they are at; the node's code is not called for them. They are
// failures like any other: retried by the node's policy, unless err is made by
// flox.Permanent. A second Fail of the same node adds to the first.
func (h *Harness[S, I, O]) Fail(node string, times int, err error) {
	h.t.Helper()
	h.fail(node, times, err)
}

// Run runs the workflow and returns what the run came to. If it does not
// complete, the test fails at once with the run's error, its path and the errors
// of its nodes.
func (h *Harness[S, I, O]) Run(in I) flox.Result[S, O] {
	h.t.Helper()
	res, err := h.TryRun(in)
	if err != nil {
		h.t.Fatalf("floxtest: %v\n%s", err, h.last)
	}
	return res
}

// TryRun is Run for runs that may fail: the error is a *flox.RunError, or what
// refused the start, and the
// result then has the state so far. A run that does not end at all fails the
// test with a list of where its tokens stand.
func (h *Harness[S, I, O]) TryRun(in I) (flox.Result[S, O], error) {
	h.t.Helper()
	var (
		res flox.Result[S, O]
		err error
	)
	h.last = nil
	h.inBubble(func() { res, err = h.drive(in) })
	if h.last != nil && h.last.stuck != nil {
		h.t.Fatalf("floxtest: the run does not end: %d years after its start its tokens stand here:\n  %s\n%s",
			forever/year, strings.Join(h.last.stuck, "\n  "), h.last)
	}
	return res, err
}

// Elapsed returns how much virtual time the last run took, from its start to its
// end. Code takes none; what takes time are timers, delays, timeouts and waits.
// The wait before a retry, elsewhere drawn at random, is what the back-off says
// at most.
func (h *Harness[S, I, O]) Elapsed() time.Duration {
	h.t.Helper()
	return h.ran("Elapsed").elapsed
}

// Path returns the nodes whose items the last run has committed, in that order:
// those that took their fallback and those that undid something included, but
// not the one that the run failed of, which its error names.
func (h *Harness[S, I, O]) Path() []string {
	h.t.Helper()
	return h.ran("Path").path
}

// WantPath checks that the last run's path is this one, see Path.
func (h *Harness[S, I, O]) WantPath(nodes ...string) {
	h.t.Helper()
	last := h.ran("WantPath")
	if d := diff(nodes, last.path); d != "" {
		h.t.Errorf("floxtest: the path is not as wanted (-want +got):\n%s%s", d, last)
	}
}

// ran is the last run.
func (r *rig) ran(method string) *report {
	r.t.Helper()
	if r.last == nil {
		r.t.Fatalf("floxtest: %s: no run was started yet; call Run or TryRun before", method)
	}
	return r.last
}
