package simulation

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/floxrun/flox/internal/testredis"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// namespaces numbers them.
var namespaces atomic.Int64

func (p *pair) actions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T){
		"": p.compare, "start": p.start, "claim": p.claim, "load": p.load, "load again": p.loadAgain, "take": p.take, "take2": p.take, "take3": p.take, "take4": p.take,
		"renew": p.renew, "handback": p.handback, "reclaim": p.reclaim, "promote": p.promote, "settle": p.settle,
		"commit": p.commit, "commit2": p.commit, "commit3": p.commit, "commit4": p.commit, "commit5": p.commit, "commit6": p.commit,
		"control": p.control, "signal": p.signal, "delete": p.delete,
	}
	if p.all {
		actions["compact"] = p.compact
	}
	return actions
}

// onRedis opens a namespace of its own, so that no timers of others are met.
func onRedis(t *rapid.T, server *testredis.Server) flox.Store {
	name := fmt.Sprint("simulation-", namespaces.Add(1))
	st, err := redisstore.Open(context.Background(), redisstore.Config{URL: server.URL(), Namespace: name})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = st.Close() })
	return st
}

// newSeen counts answers until the test ends, which then fails if a common one was
// never had.
func newSeen(t *testing.T) *tally {
	seen := &tally{times: map[string]int{}}
	t.Cleanup(func() {
		t.Log(seen.times)
		for _, v := range []flox.Verdict{flox.VerdictReleased, flox.VerdictRepeat, flox.VerdictLost} {
			if name := fmt.Sprint("verdict ", int(v)); seen.times[name] == 0 && !t.Failed() {
				t.Errorf("%s: 0 times, want it to have been answered", name)
			}
		}
	})
	return seen
}

// TestRedisIsAsTheModel makes random calls of a real Redis, and compares each answer,
// and after it all that Redis has of the runs, with a small model. Rapid makes a
// failure shorter and says how to repeat it.
func TestRedisIsAsTheModel(t *testing.T) {
	t.Parallel()
	seen := newSeen(t)
	server := testredis.Start(t)
	rapid.Check(t, func(t *rapid.T) {
		t.Repeat(newPair(onRedis(t, server), newModel(), seen, false).actions())
	})
}

// TestMemoryIsAsTheModel is the same for the store in memory.
func TestMemoryIsAsTheModel(t *testing.T) {
	t.Parallel()
	seen := newSeen(t)
	rapid.Check(t, func(t *rapid.T) {
		t.Repeat(newPair(flox.NewMemory(), newModel(), seen, false).actions())
	})
}

// TestRedisIsAsMemory makes random calls of both stores, with all that they have:
// undo, quorums, snapshots and retries from a node, too.
func TestRedisIsAsMemory(t *testing.T) {
	t.Parallel()
	seen := newSeen(t)
	server := testredis.Start(t)
	rapid.Check(t, func(t *rapid.T) {
		t.Repeat(newPair(onRedis(t, server), flox.NewMemory(), seen, true).actions())
	})
}
