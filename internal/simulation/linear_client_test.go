package simulation

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/floxrun/flox/pkg/flox"
)

// recorder lets clients ask at the same time, and keeps what they heard.
type recorder struct {
	st    calls
	run   string
	began time.Time

	mu      sync.Mutex
	history []porcupine.Operation
}

// record makes a call. With lose the caller does not hear the answer.
func (r *recorder) record(client int, q question, lose bool) (flox.Loaded, flox.CommitResult, []flox.Entry) {
	call := time.Since(r.began).Nanoseconds()
	if rand.IntN(4) == 0 {
		runtime.Gosched() // else, on a single processor, memory answers one client before another asks
	}
	a, l, res, entries := q.ask(r.st, r.run)
	back := time.Since(r.began).Nanoseconds()
	if lose {
		a = answer{lost: true}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, porcupine.Operation{ClientId: client, Input: q, Call: call, Output: a, Return: back})
	return l, res, entries
}

// linearClient is a worker, or somebody who controls the run, with little to do but
// to get in the others' way.
func linearClient(rec *recorder, client, calls int, r *rand.Rand) {
	var entries []flox.Entry
	var held []flox.Loaded
	for n := range calls {
		runtime.Gosched() // else memory answers one client all it asks before another begins
		switch k := r.IntN(12); {
		case k < 5 && len(held) > 0:
			linearHeld(rec, client, r, &held)
		case k < 7 && len(entries) > 0:
			i := r.IntN(len(entries))
			q := question{what: "load", entry: entries[i], owner: fmt.Sprintf("o%d-%d", client, n)}
			if r.IntN(4) > 0 {
				entries = slices.Delete(entries, i, i+1)
			}
			if l, _, _ := rec.record(client, q, false); l.Grant == flox.GrantOK || l.Grant == flox.GrantPoison {
				held = append(held, l)
			}
		case k < 9:
			what := []string{"claim", "claim", "reclaim"}[r.IntN(3)]
			_, _, got := rec.record(client, question{what: what}, false)
			entries = append(entries, got...)
		case k == 9:
			ops := []flox.ControlOp{flox.ControlPause, flox.ControlResume, flox.ControlResume, flox.ControlRetry, flox.ControlRetry, flox.ControlCancel}
			op := ops[r.IntN(len(ops))]
			if op == flox.ControlCancel && r.IntN(4) > 0 {
				op = flox.ControlResume
			}
			req := flox.ControlRequest{Run: rec.run, Op: op, Nonce: fmt.Sprintf("c%d-%d", client, n)}
			rec.record(client, question{what: "control", control: req}, r.IntN(6) == 0)
		default:
			rec.record(client, question{what: []string{"info", "settle", "promote"}[k%3]}, false)
		}
	}
}

// linearHeld does something with a lease, which may be lost by now.
func linearHeld(rec *recorder, client int, r *rand.Rand, held *[]flox.Loaded) {
	i := r.IntN(len(*held))
	l := &(*held)[i]
	lose := r.IntN(6) == 0
	switch r.IntN(8) {
	case 0:
		rec.record(client, question{what: "renew", lease: l.Lease}, lose)
		return
	case 1:
		rec.record(client, question{what: "handback", lease: l.Lease}, lose)
		return
	}
	c := flox.Commit{Lease: l.Lease, Op: flox.OpNext, Read: -1, Node: "b", Queue: rec.run, Input: []byte(l.Lease.Item()), Keep: r.IntN(2) == 0}
	c.Delta = []byte(l.Lease.Owner)
	switch r.IntN(10) {
	case 0:
		c = flox.Commit{Lease: l.Lease, Op: flox.OpFail, Read: -1, Cause: "no"}
	case 1:
		c = flox.Commit{Lease: l.Lease, Op: flox.OpRetry, Read: -1, Delay: time.Millisecond}
	case 2:
		c.Op, c.Node, c.Input, c.Output = flox.OpEnd, "", nil, []byte("out")
	}
	_, res, _ := rec.record(client, question{what: "commit", commit: c}, lose)
	if lose { // it asks again
		_, res, _ = rec.record(client, question{what: "commit", commit: c}, false)
	}
	switch res.Verdict {
	case flox.VerdictKept:
		l.Lease.Step, l.Lease.Attempt = c.Step+1, 0
	case flox.VerdictLost: // a zombie tries once more, now and then
		if r.IntN(2) == 0 {
			*held = slices.Delete(*held, i, i+1)
		}
	default:
		*held = slices.Delete(*held, i, i+1)
	}
}

// linearHistory is what some clients did to one item at the same time.
func linearHistory(st calls, run string, seed uint64) []porcupine.Operation {
	rec := &recorder{st: st, run: run, began: time.Now()}
	rec.record(0, question{what: "start"}, false)
	var clients sync.WaitGroup
	together := make(chan struct{})
	for client := range 4 {
		clients.Go(func() {
			<-together
			linearClient(rec, client+1, 16, rand.New(rand.NewPCG(seed, uint64(client))))
		})
	}
	close(together)
	clients.Wait()
	rec.record(0, question{what: "info"}, false)
	return rec.history
}
