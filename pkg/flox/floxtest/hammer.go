package floxtest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var hammerChecks = []check{
	{"Drain", hammer},
	{"Storm", storm},
}

const (
	hammerRuns     = 50
	hammerBranches = 5
	hammerWorkers  = 8
)

// hammer drains many runs, each a fan-out of two-step branches and a join, with
// eight workers that repeat their commits at random.
func hammer(d *driver) {
	for i := range hammerRuns {
		req := d.request()
		req.Run = fmt.Sprintf("hammer-%d", i)
		req.Nonce = req.Run
		d.must(d.s.Start(d.ctx, req))
	}
	var left atomic.Int64
	left.Store(hammerRuns)
	var wg sync.WaitGroup
	for i := range hammerWorkers {
		wg.Go(func() {
			w := &hammerWorker{s: d.s, d: d, name: fmt.Sprintf("w%d", i), left: &left, random: rand.New(rand.NewPCG(1, uint64(i)))}
			w.run()
		})
	}
	wg.Wait()
	if n := left.Load(); n != 0 {
		d.t.Fatalf("%d runs were not ended, want 0", n)
	}
	for i := range hammerRuns {
		d.run = fmt.Sprintf("hammer-%d", i)
		d.wantHammered()
	}
}

// wantHammered checks that each item of the run was committed once.
func (d *driver) wantHammered() {
	d.t.Helper()
	const items = 1 + 2*hammerBranches + 1
	d.wantStatus(flox.StatusCompleted)
	d.wantCounts(flox.Counts{Created: items, Committed: items, Outputs: 1, Version: items})
	d.wantOutputs("0 1 2 3 4")
	log, err := d.s.State(d.ctx, d.run, 0)
	d.must(err)
	deltas := map[string]bool{}
	for _, delta := range log.Deltas {
		deltas[string(delta)] = true
	}
	if len(deltas) != items || len(log.Deltas) != items {
		d.t.Fatalf("%s has %d deltas, %d different ones, want %d", d.run, len(log.Deltas), len(deltas), items)
	}
	if steps := d.history(0, 100); len(steps) != items {
		d.t.Fatalf("%s has a history of %d steps, want %d", d.run, len(steps), items)
	}
}

type hammerWorker struct {
	s      flox.Store
	d      *driver
	name   string
	left   *atomic.Int64
	random *rand.Rand
}

func (w *hammerWorker) run() {
	deadline := time.Now().Add(5 * time.Minute)
	for w.left.Load() > 0 && time.Now().Before(deadline) {
		entries, err := w.s.Claim(w.d.ctx, flox.ClaimRequest{
			Consumer: w.name, Queues: []string{w.d.queue}, Max: 1 + w.random.IntN(8), Wait: 20 * time.Millisecond,
		})
		if err != nil {
			w.d.t.Errorf("Claim: %v", err)
			return
		}
		for _, e := range entries {
			w.execute(e)
		}
	}
}

// execute loads an entry and goes on with its token as long as it may.
func (w *hammerWorker) execute(e flox.Entry) {
	l, err := w.s.Load(w.d.ctx, e, newOwner(), crashes)
	if err != nil || l.Grant != flox.GrantOK {
		w.d.t.Errorf("Load = grant %d, %v, want it granted", l.Grant, err)
		return
	}
	for {
		c := hammerCommit(l)
		c.Keep = w.random.IntN(2) == 0
		result, ok := w.commit(c)
		if !ok {
			return
		}
		if c.Op == flox.OpEnd {
			w.left.Add(-1)
		}
		if result.Verdict != flox.VerdictKept {
			return
		}
		l = kept(l, c)
		l.Item.Input = flox.Input{Payload: c.Input}
	}
}

// commit sends a commit, often more than once, also at the same time.
func (w *hammerWorker) commit(c flox.Commit) (flox.CommitResult, bool) {
	if w.random.IntN(3) == 0 {
		return w.commitTogether(c)
	}
	result, err := w.s.Commit(w.d.ctx, c)
	ok := err == nil && !result.Again && (result.Verdict == flox.VerdictKept || result.Verdict == flox.VerdictReleased)
	if !ok {
		w.d.t.Errorf("Commit(%s) = %+v, %v, want it applied", c.Item(), result, err)
	}
	return result, ok
}

// commitTogether sends a commit three times at once: one of them applies it.
func (w *hammerWorker) commitTogether(c flox.Commit) (flox.CommitResult, bool) {
	results := make(chan flox.CommitResult, 3)
	var wg sync.WaitGroup
	for range cap(results) {
		wg.Go(func() {
			result, err := w.s.Commit(w.d.ctx, c)
			if err != nil {
				w.d.t.Errorf("Commit(%s): %v", c.Item(), err)
			}
			results <- result
		})
	}
	wg.Wait()
	close(results)
	var applied []flox.CommitResult
	for result := range results {
		if !result.Again && (result.Verdict == flox.VerdictKept || result.Verdict == flox.VerdictReleased) {
			applied = append(applied, result)
		}
	}
	if len(applied) != 1 {
		w.d.t.Errorf("%d of three equal commits of %s were applied, want 1", len(applied), c.Item())
		return flox.CommitResult{}, false
	}
	return applied[0], true
}

// hammerCommit is the workflow: first fans out into branches, each of which
// goes on to branch2 and deposits, and the join ends.
func hammerCommit(l flox.Loaded) flox.Commit {
	switch l.Item.Node {
	case "first":
		c := fanJoin(l, hammerBranches)
		c.Input = []byte("0")
		for i := range c.Fan.Branches {
			c.Fan.Branches[i].Input = fmt.Appendf(nil, "%d", i+1)
		}
		return c
	case "branch":
		c := next(l, "branch2")
		c.Input = l.Item.Input.Payload
		c.JoinQueue = l.Lease.Queue
		return c
	case "branch2":
		return deposit(l, string(l.Item.Input.Payload))
	default:
		var output []byte
		for i, payload := range l.Item.Input.Deposits {
			if i > 0 {
				output = append(output, ' ')
			}
			output = append(output, payload...)
		}
		return end(l, string(output))
	}
}
