package simulation

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/floxrun/flox/pkg/flox"
)

func (p *pair) run(t *rapid.T) string { return rapid.SampledFrom(p.runs).Draw(t, "run") }

// nonce is a new one, or one that was used before.
func (p *pair) nonce(t *rapid.T) string {
	if p.nonces > 0 && rapid.IntRange(0, 5).Draw(t, "repeat") == 0 {
		return fmt.Sprint("n", rapid.IntRange(max(1, p.nonces-2), p.nonces).Draw(t, "nonce"))
	}
	p.nonces++
	return fmt.Sprint("n", p.nonces)
}

func (p *pair) start(t *rapid.T) {
	req := flox.StartRequest{
		Run: p.run(t), Nonce: rapid.SampledFrom([]string{"born", "born", "other"}).Draw(t, "born"), Workflow: "wf",
		Fingerprint: "print", Node: "s0", Queue: p.queue, Input: []byte("input"), NeedsOutput: true, Delay: p.delay(t),
	}
	p.same(t, "start "+req.Run, func(_ int, s calls) string { return said(s.Start(p.ctx, req)) })
}

func (p *pair) delay(t *rapid.T) time.Duration {
	return rapid.SampledFrom([]time.Duration{0, 0, 0, 0, time.Millisecond, 5 * time.Hour}).Draw(t, "delay")
}

// took puts the entries that two stores gave beside each other.
func (p *pair) took(t *rapid.T, what string, take func(s calls) ([]flox.Entry, error)) {
	var got [2][]flox.Entry
	for i := range p.both {
		for began := time.Now(); ; { // the second is the first's measure
			entries, err := take(p.both[1-i])
			if err != nil {
				t.Fatalf("%s = %v", what, err)
			}
			got[1-i] = append(got[1-i], entries...)
			// A read of Redis that takes long on a slow machine is left for the next.
			if i == 0 || len(got[0]) >= len(got[1]) || time.Since(began) > 10*time.Second {
				break
			}
		}
		slices.SortFunc(got[1-i], func(a, b flox.Entry) int { return strings.Compare(a.Run+"/"+a.Token, b.Run+"/"+b.Token) })
	}
	p.same(t, what, func(i int, _ calls) string { return fmt.Sprint(names(got[i])) })
	for i := range got[0] {
		p.entries = append(p.entries, entryPair{got[0][i], got[1][i]})
	}
}

// take claims and loads what there is, as workers do.
func (p *pair) take(t *rapid.T) {
	p.claim(t)
	p.load(t)
}

func (p *pair) claim(t *rapid.T) {
	req := flox.ClaimRequest{Consumer: "w", Queues: []string{p.queue}, Max: 1000}
	p.took(t, "claim", func(s calls) ([]flox.Entry, error) { return s.Claim(p.ctx, req) })
}

// reclaim takes what is claimed, as if its lease had run out.
func (p *pair) reclaim(t *rapid.T) {
	req := flox.ReclaimRequest{Consumer: "w", Queues: []string{p.queue}, Max: 1000}
	p.took(t, "reclaim", func(s calls) ([]flox.Entry, error) { return s.Reclaim(p.ctx, req) })
}

func (p *pair) load(t *rapid.T) {
	if len(p.entries) == 0 {
		t.Skip("nothing is claimed")
	}
	n := len(p.entries) // mostly one of the last
	at := n - 1 - min(n-1, rapid.IntRange(0, 3).Draw(t, "entry"))
	e := p.entries[at]
	if rapid.IntRange(0, 4).Draw(t, "load it again") > 0 {
		p.entries = slices.Delete(p.entries, at, at+1)
	}
	p.owners++
	p.loadAs(t, e, fmt.Sprint("o", p.owners))
}

// loadAgain repeats the last load, as if its answer had been lost.
func (p *pair) loadAgain(t *rapid.T) {
	if p.owners == 0 {
		t.Skip("nothing was loaded")
	}
	p.loadAs(t, p.last, fmt.Sprint("o", p.owners))
}

func (p *pair) loadAs(t *rapid.T, e entryPair, owner string) {
	p.last = e
	h := &handPair{}
	p.same(t, fmt.Sprintf("load %s/%s as %s", e[0].Run, e[0].Token, owner), func(i int, s calls) string {
		l, err := s.Load(p.ctx, e[i], owner, 2)
		h.loaded[i] = l
		return fmt.Sprint(l.Grant, l.Lease.Step, l.Lease.Attempt, item(l.Item), said(err))
	})
	p.seen.add(fmt.Sprint("grant ", int(h.loaded[0].Grant)))
	if g := h.loaded[0].Grant; g == flox.GrantOK || g == flox.GrantPoison {
		p.hands = append(p.hands, h)
	}
}

// item is what a worker is told of an item, times aside.
func item(i flox.Item) string {
	text := fmt.Sprintf(" %s %s joined=%t %s from %v, crashes=%d version=%d committed=%d retried=%d", i.Node, i.Input.Payload,
		i.Input.Joined, i.Input.Deposits, i.Input.Sources, i.Crashes, i.Version, i.Committed, i.Retried)
	if a := i.Input.Answer; a != nil {
		text += fmt.Sprintf(" answer %s %t", a.Payload, a.TimedOut)
	}
	return text
}

// hand is one of the last leases, be it lost by now.
func (p *pair) hand(t *rapid.T) *handPair {
	n := len(p.hands)
	if n == 0 {
		t.Skip("no lease was had")
	}
	return p.hands[n-1-min(n-1, rapid.IntRange(0, 4).Draw(t, "hand"))]
}

// letGo forgets a hand, mostly: some go on with what is not theirs any more.
func (p *pair) letGo(t *rapid.T, h *handPair) {
	if rapid.IntRange(0, 4).Draw(t, "go on with it") > 0 {
		p.hands = slices.DeleteFunc(p.hands, func(o *handPair) bool { return o == h })
	}
}

func (p *pair) renew(t *rapid.T) {
	h := p.hand(t)
	p.same(t, "renew "+itemKey(h.loaded[0].Lease), func(i int, s calls) string {
		health, err := s.Renew(p.ctx, h.loaded[i].Lease)
		return fmt.Sprint(health, said(err))
	})
}

func (p *pair) handback(t *rapid.T) {
	h := p.hand(t)
	p.same(t, "handback "+itemKey(h.loaded[0].Lease), func(i int, s calls) string {
		verdict, err := s.Handback(p.ctx, h.loaded[i].Lease, false)
		return fmt.Sprint(verdict, said(err))
	})
	p.letGo(t, h)
}

// promote lets a moment pass first: what is due soon is due.
func (p *pair) promote(t *rapid.T) {
	time.Sleep(3 * time.Millisecond)
	p.same(t, "promote", func(_ int, s calls) string {
		promoted, err := s.Promote(p.ctx, 1000)
		return fmt.Sprint(promoted.Moved, said(err))
	})
}

func (p *pair) settle(t *rapid.T) {
	run := p.run(t)
	p.same(t, "settle "+run, func(_ int, s calls) string {
		for {
			settled, err := s.Settle(p.ctx, run)
			if !settled.More || err != nil {
				return said(err)
			}
		}
	})
}

func (p *pair) control(t *rapid.T) {
	ops := []flox.ControlOp{
		flox.ControlPause, flox.ControlPause, flox.ControlResume, flox.ControlResume, flox.ControlResume,
		flox.ControlRetry, flox.ControlRetry, flox.ControlRetry, flox.ControlCancel,
	}
	req := flox.ControlRequest{Run: p.run(t), Op: rapid.SampledFrom(ops).Draw(t, "op"), Nonce: p.nonce(t)}
	if p.all && req.Op == flox.ControlRetry && rapid.Bool().Draw(t, "from a node") {
		req.From = rapid.SampledFrom([]string{"s0", "t0", "j0"}).Draw(t, "from")
	}
	p.same(t, fmt.Sprintf("%s %s from %q with %s", req.Op, req.Run, req.From, req.Nonce), func(_ int, s calls) string {
		status, err := s.Control(p.ctx, req)
		return fmt.Sprint(status, " ", said(err))
	})
}

func (p *pair) signal(t *rapid.T) {
	req := flox.SignalRequest{
		Run: p.run(t), Name: rapid.SampledFrom([]string{"go", "stop"}).Draw(t, "name"), ID: p.nonce(t), Payload: []byte("yes"),
	}
	p.same(t, "signal "+req.Name+" to "+req.Run, func(_ int, s calls) string {
		delivered, err := s.Signal(p.ctx, req)
		return fmt.Sprint(delivered, said(err))
	})
}

func (p *pair) delete(t *rapid.T) {
	run := p.run(t)
	p.same(t, "delete "+run, func(_ int, s calls) string {
		n, err := s.Delete(p.ctx, run)
		return fmt.Sprint(n, said(err))
	})
}

func (p *pair) compact(t *rapid.T) {
	run := p.run(t)
	deltas := rapid.Int64Range(1, 4).Draw(t, "deltas")
	log, _ := p.both[0].State(p.ctx, run, 0)
	folded := log.Folded - rapid.SampledFrom([]int64{0, 0, 0, 1}).Draw(t, "behind")
	p.same(t, "compact "+run, func(_ int, s calls) string {
		done, err := s.Compact(p.ctx, flox.CompactRequest{Run: run, Folded: folded, Deltas: deltas, Snapshot: []byte("snapshot")})
		return fmt.Sprint(done, said(err))
	})
}
