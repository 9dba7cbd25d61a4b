package floxtest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

const (
	stormRuns     = 24
	stormWorkers  = 6
	stormBranches = 5
)

// storm drains runs that do a little of everything, with six workers and a
// janitor. Each run fans out to branches, of which a quorum is joined; every
// second one then fails and is undone, every third is signalled, and every
// seventh cancelled, at any moment.
func storm(d *driver) {
	s := &stormOf{d: d}
	for i := range stormRuns {
		req := d.request()
		req.Run = fmt.Sprintf("storm-%d", i)
		req.Nonce = req.Run
		d.must(d.s.Start(d.ctx, req))
	}
	s.left.Store(stormRuns)
	var workers, others sync.WaitGroup
	for i := range stormWorkers {
		workers.Go(func() { s.work(fmt.Sprintf("w%d", i), rand.New(rand.NewPCG(2, uint64(i)))) })
	}
	others.Go(s.tend)
	others.Go(s.meddle)
	others.Wait()
	workers.Wait()
	for i := range stormRuns {
		d.run = fmt.Sprintf("storm-%d", i)
		s.wantCalm(i)
	}
	d.idle(d.queue)
	d.wantQuiet()
}

type stormOf struct {
	d    *driver
	left atomic.Int64 // runs that have not ended
}

func (s *stormOf) ok(what string, err error) {
	if err != nil {
		s.d.t.Errorf("%s: %v", what, err)
	}
}

// tend is the janitor. It also sees which runs have ended.
func (s *stormOf) tend() {
	d := s.d
	deadline := time.Now().Add(5 * time.Minute)
	for s.left.Load() > 0 && time.Now().Before(deadline) {
		_, err := d.s.Settle(d.ctx, "")
		s.ok("Settle", err)
		_, err = d.s.Promote(d.ctx, 10)
		s.ok("Promote", err)
		page, err := d.s.List(d.ctx, flox.ListRequest{RunFilter: activeRuns, Limit: stormRuns})
		s.ok("List", err)
		s.left.Store(int64(len(page.Runs)))
	}
	if n := s.left.Swap(0); n > 0 {
		d.t.Errorf("%d runs have not ended, want 0", n)
	}
}

// meddle signals and cancels. A run may have ended, which is as good.
func (s *stormOf) meddle() {
	d := s.d
	for i := range stormRuns {
		run := fmt.Sprintf("storm-%d", i)
		if i%3 == 0 {
			_, _ = d.s.Signal(d.ctx, flox.SignalRequest{Run: run, Name: "go", ID: run})
		}
		if i%7 == 0 {
			_, _ = d.s.Control(d.ctx, flox.ControlRequest{Run: run, Op: flox.ControlCancel, Nonce: run})
		}
	}
}

func (s *stormOf) work(name string, random *rand.Rand) {
	d := s.d
	for s.left.Load() > 0 {
		entries, err := d.s.Claim(d.ctx, flox.ClaimRequest{
			Consumer: name, Queues: []string{d.queue}, Max: 1 + random.IntN(4), Wait: 20 * time.Millisecond,
		})
		s.ok("Claim", err)
		for _, e := range entries {
			l, err := d.s.Load(d.ctx, e, newOwner(), crashes)
			s.ok("Load", err)
			for ok := err == nil && l.Grant == flox.GrantOK; ok; {
				l, ok = s.step(l, random)
			}
		}
	}
}

// step commits one item, sometimes twice, and returns the next if it was kept.
func (s *stormOf) step(l flox.Loaded, random *rand.Rand) (flox.Loaded, bool) {
	d := s.d
	c := stormCommit(l)
	c.Keep = c.Op == flox.OpNext && random.IntN(2) == 0
	result, err := d.s.Commit(d.ctx, c)
	s.ok("Commit", err)
	if random.IntN(4) == 0 {
		_, err = d.s.Commit(d.ctx, c)
		s.ok("Commit", err)
	}
	if result.Settle && random.IntN(2) == 0 {
		_, err = d.s.Settle(d.ctx, l.Lease.Run)
		s.ok("Settle", err)
	}
	return kept(l, c), result.Verdict == flox.VerdictKept
}

// stormNumber is the number of the run that an item is of.
func stormNumber(l flox.Loaded) int {
	var n int
	fmt.Sscanf(l.Lease.Run, "storm-%d", &n)
	return n
}

// stormCommit is the workflow.
func stormCommit(l flox.Loaded) flox.Commit {
	n := stormNumber(l)
	switch l.Item.Node {
	case "first":
		return undone(quorum(l, stormBranches, 1+n%stormBranches))
	case "branch":
		if n%3 == 0 && l.Lease.Token == "0" && l.Item.Input.Answer == nil {
			return after(2*time.Millisecond, await(l, "go"))
		}
		return undone(next(l, "branch2"))
	case "branch2":
		return deposit(l, "x")
	case "join":
		if n%2 == 0 {
			return fail(l, "boom")
		}
		return end(l, "out")
	}
	return endSilently(l) // what undoes
}

// wantCalm checks how a run has ended: undone item by item, if it failed.
func (s *stormOf) wantCalm(i int) {
	d := s.d
	d.t.Helper()
	d.settle() // a cancelled run may have tokens left
	d.ledger()
	info := d.info()
	n := info.Counts
	want := flox.StatusCompleted
	if i%2 == 0 {
		want = flox.StatusFailed
	}
	if info.Status != want && (info.Status != flox.StatusCancelled || i%7 != 0) {
		d.t.Fatalf("%s is %q (%q), want %q", d.run, info.Status, info.Cause, want)
	}
	if n.Live != 0 || n.Parked != 0 {
		d.t.Fatalf("%s has ended with %+v, want no token", d.run, n)
	}
	if info.Status == flox.StatusFailed {
		s.wantAllUndone(n)
	}
}

// wantAllUndone checks that each step that can be undone was, once.
func (s *stormOf) wantAllUndone(n flox.Counts) {
	d := s.d
	d.t.Helper()
	steps, err := d.s.History(d.ctx, d.run, 0, 1000)
	d.must(err)
	undos := map[string]int{}
	for _, step := range steps {
		switch step.Outcome {
		case "fan", "next":
			undos["undo-"+step.Item]++
		case "end":
			undos[step.Node]--
		}
	}
	for node, balance := range undos {
		if balance != 0 {
			d.t.Fatalf("%s: %s was done %d times too few, history %+v", d.run, node, balance, steps)
		}
	}
	if len(steps) != int(n.Committed) || n.Version != n.Committed {
		d.t.Fatalf("%s: %d steps in the history, %+v, want them equal", d.run, len(steps), n)
	}
}
