package simulation

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// stood reports whether the machine stood still for so long that a read of Redis may
// have outlasted the claim that began it, or that what it brought and nobody took may
// have been given back: both happen unseen.
func stood(history []porcupine.Operation) bool {
	last := int64(0)             // time at which a claim may have left something
	for _, op := range history { // by the time of the answers
		if time.Duration(op.Return-op.Call) > 80*time.Millisecond || time.Duration(op.Return-last) > 80*time.Millisecond {
			return true
		}
		if q := op.Input.(question); q.what == "claim" {
			last = op.Call
		}
	}
	return false
}

// linearLimit is how long the checker may think about a history. What it cannot
// decide by then is counted.
const linearLimit = 5 * time.Second

var linearHistories = flag.Int("flox.linear", linearDefault, "how many histories of one item are checked, on each store")

// linearized is what came of some histories.
type linearized struct {
	histories, wrong, undecided int
	overlaps                    int // pairs of calls at the same time
	answers                     map[string]int
}

func linearize(t *testing.T, histories int, open func(n int) (calls, string), report bool) linearized {
	sum := linearized{histories: histories, answers: map[string]int{}}
	stoodStill := 0
	for n := 0; n < histories+stoodStill; n++ {
		st, run := open(n)
		history := linearHistory(st, run, uint64(n))
		if stood(history) { // another one is made in its place
			if stoodStill++; stoodStill > 10*histories {
				t.Fatal("the machine stands still all the time, so that nothing can be checked")
			}
			continue
		}
		sum.count(history)
		switch result, info := porcupine.CheckOperationsVerbose(linearModel(run), history, linearLimit); result {
		case porcupine.Illegal:
			sum.wrong++
			if report {
				t.Errorf("no order of the calls explains the history of seed %d:\n%s\nas far as it can be explained:\n%v",
					n, tell(run, history), info.PartialLinearizationsOperations())
			}
		case porcupine.Unknown:
			sum.undecided++
		}
	}
	return sum
}

// count notes what is in a history.
func (sum *linearized) count(history []porcupine.Operation) {
	for i, op := range history {
		for _, other := range history[:i] {
			if other.Call < op.Return && op.Call < other.Return {
				sum.overlaps++
			}
		}
		q, a := op.Input.(question), op.Output.(answer)
		switch {
		case a.lost:
			sum.answers["lost"]++
		case q.what == "load" || q.what == "commit":
			sum.answers[q.what+" "+a.text[:1]]++
		}
	}
}

// wantGood checks histories of a store that must be right, and that they were worth
// the name.
func wantGood(t *testing.T, open func(n int) (calls, string)) {
	t.Helper()
	sum := linearize(t, *linearHistories, open, true)
	t.Logf("%+v", sum)
	if sum.undecided > sum.histories/4 {
		t.Errorf("%d of %d histories undecided, want fewer", sum.undecided, sum.histories)
	}
	for _, name := range []string{"load 0", "load 3", "commit 0", "commit 1", "commit 5", "lost"} {
		if (sum.answers[name] == 0 || sum.overlaps == 0) && !t.Failed() {
			t.Errorf("%+v: want some %q, and calls at the same time", sum, name)
		}
	}
}

// tell is a history as text, by the time of the answers.
func tell(run string, history []porcupine.Operation) string {
	text, m := "", linearModel(run)
	for _, op := range history {
		text += fmt.Sprintf("%9d-%9d client %d: %s\n", op.Call/1000, op.Return/1000, op.ClientId, m.DescribeOperation(op.Input, op.Output))
	}
	return text
}

// TestLinearizableInMemory and TestLinearizableOnRedis check that what several
// clients do to one item at the same time is what they could have done one after
// another.
func TestLinearizableInMemory(t *testing.T) {
	t.Parallel()
	wantGood(t, func(int) (calls, string) { return flox.NewMemory(), "run" })
}

func TestLinearizableOnRedis(t *testing.T) {
	t.Parallel()
	server := testredis.Start(t)
	st, err := redisstore.Open(t.Context(), redisstore.Config{URL: server.URL(), Namespace: "linear"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	wantGood(t, func(n int) (calls, string) { return st, fmt.Sprint("run-", n) })
}

// TestLinearizableFindsBugs checks that broken histories are refused: of stores that
// do one thing wrong, and one in which two clients both committed the item.
func TestLinearizableFindsBugs(t *testing.T) {
	for _, name := range []string{"no fence", "hand-back lost", "two holders", "renewed for anyone"} {
		open := func(int) (calls, string) { return &locked{Store: bugs[name](flox.NewMemory())}, "run" }
		if linearize(t, 40, open, false).wrong == 0 {
			t.Errorf("%s: 40 histories were all explained", name)
		}
	}
	history, i := linearCommitted(t)
	if !porcupine.CheckOperations(linearModel("run"), history) {
		t.Fatal("the history is refused before it is broken")
	}
	again := history[i]
	again.Call, again.Return = again.Return+1, again.Return+2
	if porcupine.CheckOperations(linearModel("run"), append(history, again)) {
		t.Error("a history in which an item is committed twice is accepted")
	}
}

// linearCommitted returns a history in which something was committed, and where.
func linearCommitted(t *testing.T) ([]porcupine.Operation, int) {
	for seed := range uint64(1000) {
		history := linearHistory(flox.NewMemory(), "run", seed)
		i := slices.IndexFunc(history, func(op porcupine.Operation) bool {
			q, a := op.Input.(question), op.Output.(answer)
			return q.what == "commit" && !a.lost && a.text[0] == '1'
		})
		if i >= 0 {
			return history, i
		}
	}
	t.Fatal("nothing was committed")
	return nil, 0
}

// locked makes a broken store one that is not also broken by races.
type locked struct {
	flox.Store
	mu sync.Mutex
}

func (b *locked) Commit(ctx context.Context, c flox.Commit) (flox.CommitResult, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Store.Commit(ctx, c)
}

func (b *locked) Load(ctx context.Context, e flox.Entry, owner string, limit int) (flox.Loaded, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Store.Load(ctx, e, owner, limit)
}
