package redisstore

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
)

// crowd is a run that has opened a frame of many branches, and another run.
type crowd struct {
	t       *testing.T
	s       *Store
	entries map[string]flox.Entry // by token, the other run's as "other"
}

const crowdSize = 24

// openOne opens a store of one partition on a server of its own.
func openOne(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), Config{URL: testredis.Start(t).URL(), Partitions: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func newCrowd(t *testing.T) *crowd {
	t.Helper()
	s := openOne(t)
	c := &crowd{t, s, map[string]flox.Entry{}}
	for _, run := range []string{"wide", "other"} {
		req := flox.StartRequest{Run: run, Nonce: run, Workflow: run + "-wf", Node: "n", Queue: "q", Input: []byte("in of " + run)}
		if err := s.Start(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	c.claim(2)
	root := c.load(c.entries["0"], "root").Lease
	fan := flox.Commit{
		Lease: root, Op: flox.OpFan, Node: "branch", Queue: "q", Input: []byte("in of " + root.Token), Read: -1, Keep: true,
		Fan: &flox.Fan{Size: crowdSize, Frame: &flox.FrameSpec{Join: "join", Queue: "q"}}, Record: c.record(root),
	}
	for i := range crowdSize - 1 {
		fan.Fan.Branches = append(fan.Fan.Branches, flox.Branch{Node: "branch", Queue: "q", Input: fmt.Appendf(nil, "in of 0.0.%d", i+1)})
	}
	// The root goes on as branch 0.
	if r, err := s.Commit(t.Context(), fan); err != nil || r.Verdict != flox.VerdictKept {
		t.Fatalf("Commit(fan) = %+v, %v, want kept", r, err)
	}
	delete(c.entries, "0")
	c.claim(crowdSize - 1)
	return c
}

// claim takes so many entries.
func (c *crowd) claim(n int) {
	c.t.Helper()
	for n > 0 {
		entries, err := c.s.Claim(c.t.Context(), flox.ClaimRequest{Consumer: "w", Queues: []string{"q"}, Max: n, Wait: time.Minute})
		if err != nil || len(entries) == 0 {
			c.t.Fatalf("Claim = %v, %v, want some of %d entries", entries, err, n)
		}
		for _, e := range entries {
			name := e.Token
			if e.Run == "other" {
				name = "other"
			}
			c.entries[name] = e
		}
		n -= len(entries)
	}
}

func (c *crowd) load(e flox.Entry, owner string) flox.Loaded {
	l, err := c.s.Load(c.t.Context(), e, owner, 3)
	if err != nil {
		c.t.Errorf("Load(%s of %s for %s) = %v", e.Token, e.Run, owner, err)
	}
	return l
}

func (c *crowd) commit(commit flox.Commit) flox.Verdict {
	r, err := c.s.Commit(c.t.Context(), commit)
	if err != nil {
		c.t.Errorf("Commit(%s) = %v", commit.Item(), err)
	}
	return r.Verdict
}

func (c *crowd) record(l flox.Lease) []byte {
	return flox.EncodeStep(&flox.StepRecord{Item: l.Item(), Node: "branch", Outcome: "deposit", Attempt: 1, Worker: "w"})
}

// plainOf are those calls that are plain.
func plainOf(calls []*call) []*call {
	return slices.DeleteFunc(slices.Clone(calls), func(c *call) bool { return c.plain == nil })
}

// together lets calls wait, in this order, and be sent when all of them do. It returns
// how many of them the largest group has.
func (c *crowd) together(calls ...func()) (largest int) {
	c.t.Helper()
	l := c.s.lanes[0]
	hold := func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		idle := l.flying == 0
		if idle {
			l.flying = maxFlying
		}
		return idle
	}
	for !hold() {
		time.Sleep(time.Millisecond)
	}
	var callers sync.WaitGroup
	var waiting []*call
	for i, call := range calls {
		callers.Go(call)
		for len(waiting) <= i && c.t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
			l.mu.Lock()
			waiting = plainOf(l.queue)
			l.mu.Unlock()
		}
	}
	_, sizes := joined(waiting)
	l.mu.Lock()
	l.flying = 1
	l.mu.Unlock()
	c.s.background.Go(l.run)
	callers.Wait()
	return slices.Max(sizes)
}

// TestPlainItemsOfOneRun sends loads and deposits of one run together. Each caller is
// given the answer to its own item, and those that are not plain among them change
// nothing but what their own scripts do.
func TestPlainItemsOfOneRun(t *testing.T) {
	c := newCrowd(t)
	leases := c.loads()
	c.deposits(leases)
	log, err := c.s.State(t.Context(), "wide", 0)
	deltas := map[string]int{}
	for _, d := range log.Deltas {
		deltas[string(d)]++
	}
	if err != nil || log.Version != crowdSize/2 || len(deltas) != crowdSize/2 {
		t.Errorf("the state is %+v, %v, want %d deltas, each once", log, err, crowdSize/2)
	}
	items := map[string]int{}
	steps, err := c.s.History(t.Context(), "wide", 0, 100)
	for _, s := range steps {
		items[s.Item]++
	}
	if err != nil || len(steps) != crowdSize+1 || len(items) != crowdSize+1 {
		t.Errorf("the history is %+v, %v, want %d items, each once", steps, err, crowdSize+1)
	}
	c.claim(1)
	join := c.load(c.entries["0.0.j"], "joiner")
	var want []string
	for i := range crowdSize {
		want = append(want, "out of "+leases[i].Item())
	}
	if got := fmt.Sprintf("%s", join.Item.Input.Deposits); got != fmt.Sprint(want) || join.Item.Committed != crowdSize+1 {
		t.Errorf("the join is given %s after %d items, want %s after %d", got, join.Item.Committed, want, crowdSize+1)
	}
}

// loads loads all tokens, one of them for two owners, with an entry of a token's that
// it does not have, and with the other run's. It returns the branches' leases.
func (c *crowd) loads() []flox.Lease {
	c.t.Helper()
	var mu sync.Mutex
	loaded := map[string]flox.Loaded{}
	load := func(e flox.Entry, owner string) func() {
		return func() {
			l := c.load(e, owner)
			mu.Lock()
			defer mu.Unlock()
			loaded[owner] = l
		}
	}
	stray := c.entries["0.0.1"]
	stray.ID = "1-1"
	calls := []func(){load(stray, "stray"), load(c.entries["0.0.2"], "rival"), load(c.entries["other"], "other")}
	for i := range crowdSize - 1 {
		token := fmt.Sprint("0.0.", i+1)
		calls = append(calls, load(c.entries[token], "owner of "+token))
	}
	if n := c.together(calls...); n != crowdSize+1 {
		c.t.Errorf("%d loads were sent as one, want %d", n, crowdSize+1)
	}
	if l := loaded["stray"]; l.Grant != flox.GrantStray {
		c.t.Errorf("Load of an entry that is not the token's = %+v, want a stray", l)
	}
	if l := loaded["other"]; l.Grant != flox.GrantOK || l.Item.Workflow != "other-wf" || string(l.Item.Input.Payload) != "in of other" {
		c.t.Errorf("Load in the other run = %+v, want what it was started with", l)
	}
	leases := make([]flox.Lease, crowdSize)
	leases[0] = c.root() // has been at it since the fan-out
	for i := 1; i < crowdSize; i++ {
		token := fmt.Sprint("0.0.", i)
		owner := "owner of " + token
		if l, r := loaded[owner], loaded["rival"]; i == 2 {
			if (l.Grant == flox.GrantOK) == (r.Grant == flox.GrantOK) || max(l.Grant, r.Grant) != flox.GrantLost {
				c.t.Errorf("Load of one token for two = %+v and %+v, want it to be one's and lost to the other", l, r)
			}
			if r.Grant == flox.GrantOK {
				owner = "rival"
			}
		}
		l := loaded[owner]
		if l.Grant != flox.GrantOK || l.Lease.Owner != owner || l.Lease.Token != token || string(l.Item.Input.Payload) != "in of "+token ||
			l.Item.Workflow != "wide-wf" || l.Item.Committed != 1 {
			c.t.Errorf("Load of %s for %s = %+v, want its own", token, owner, l)
		}
		leases[i] = l.Lease
	}
	return leases
}

// root is the lease of branch 0, with a note as its next commit needs it.
func (c *crowd) root() flox.Lease {
	c.t.Helper()
	key := c.s.keys.parts[0].run("wide")
	record, err := c.s.client.HGet(c.t.Context(), key, "t:0").Result()
	if err != nil {
		c.t.Fatal(err)
	}
	f := strings.Split(record, "|")
	return flox.Lease{
		Entry: flox.Entry{Run: "wide", Token: "0", Queue: "q", ID: f[1], Consumer: "w"}, Owner: f[2], Step: 1, Note: writeNote(1, nil, record),
	}
}

// deposits leaves the results of all branches, the odd ones with a delta, one of them
// twice, with one of a zombie.
func (c *crowd) deposits(leases []flox.Lease) {
	c.t.Helper()
	verdicts := make([]flox.Verdict, crowdSize+2)
	var calls []func()
	for i := range verdicts {
		l := leases[min(i, crowdSize-1)]
		want := i
		switch i {
		case crowdSize: // what an earlier holder sends
			l = leases[4]
			l.Owner, l.Note = "zombie", strings.Replace(l.Note, l.Owner, "zombie", 1)
			want = 4
		case crowdSize + 1:
			l, want = leases[6], 6
		}
		d := flox.Commit{Lease: l, Op: flox.OpDeposit, Output: []byte("out of " + l.Item()), Read: -1, JoinQueue: "q", Record: c.record(l)}
		if want%2 == 1 {
			d.Delta = []byte("delta of " + l.Item())
		}
		calls = append(calls, func() { verdicts[i] = c.commit(d) })
	}
	// The zombie's comes before the holder's.
	calls[0], calls[crowdSize] = calls[crowdSize], calls[0]
	if n := c.together(calls...); n != crowdSize/2+2 {
		c.t.Errorf("%d deposits were sent as one, want %d", n, crowdSize/2+2)
	}
	for i, v := range verdicts {
		switch i {
		case crowdSize:
			if v != flox.VerdictLost && v != flox.VerdictRepeat { // the holder's has been done by then, or not
				c.t.Errorf("the zombie's deposit = %v, want it refused", v)
			}
		case 6, crowdSize + 1:
			first, second := verdicts[6], verdicts[crowdSize+1]
			if min(first, second) != flox.VerdictReleased || max(first, second) != flox.VerdictRepeat {
				c.t.Errorf("a deposit that was sent twice = %v and %v, want it done and repeated", first, second)
			}
		default:
			if v != flox.VerdictReleased {
				c.t.Errorf("deposit of %s = %v, want it done", leases[i].Token, v)
			}
		}
	}
}
