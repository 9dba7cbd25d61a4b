package floxtest

import (
	"context"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var queueChecks = []check{
	{"ClaimEmpty", claimEmpty},
	{"ClaimMax", claimMax},
	{"ClaimQueues", claimQueues},
	{"ClaimWaits", claimWaits},
	{"ClaimCancelled", claimCancelled},
	{"LoadItem", loadItem},
	{"LoadRepeat", loadRepeat},
	{"LoadStray", loadStray},
	{"LoadPaused", loadPaused},
	{"LoadCancelled", loadCancelled},
}

func claimEmpty(d *driver) {
	d.idle(d.queue)
	entries, err := d.s.Claim(d.ctx, flox.ClaimRequest{
		Consumer: "w0", Queues: []string{d.queue}, Max: 1, Wait: 20 * time.Millisecond,
	})
	d.must(err)
	if len(entries) > 0 {
		d.t.Errorf("Claim = %+v, want nothing", entries)
	}
}

func claimMax(d *driver) {
	for _, run := range []string{"a", "b", "c"} {
		req := d.request()
		req.Run, req.Nonce = run, run
		d.must(d.s.Start(d.ctx, req))
	}
	claim := func(n int) map[string]bool {
		runs := map[string]bool{}
		for len(runs) < n {
			entries, err := d.s.Claim(d.ctx, flox.ClaimRequest{
				Consumer: "w0", Queues: []string{d.queue}, Max: 2 - len(runs), Wait: patience,
			})
			d.must(err)
			if len(entries) > 2-len(runs) {
				d.t.Fatalf("Claim = %d entries, want at most %d", len(entries), 2-len(runs))
			}
			if len(entries) == 0 {
				break
			}
			for _, e := range entries {
				runs[e.Run] = true
			}
		}
		return runs
	}
	first, second := claim(2), claim(1)
	if len(first) != 2 || len(second) != 1 {
		d.t.Errorf("claims returned %v, then %v, want two runs, then the third", first, second)
	}
	for run := range second {
		if first[run] {
			d.t.Errorf("run %s was claimed twice", run)
		}
	}
}

func claimQueues(d *driver) {
	d.start()
	d.idle(d.other)
	entries, err := d.s.Claim(d.ctx, flox.ClaimRequest{
		Consumer: "w7", Queues: []string{d.other, d.queue}, Max: 5, Wait: patience,
	})
	d.must(err)
	if len(entries) != 1 {
		d.t.Fatalf("Claim = %d entries, want 1", len(entries))
	}
	e := entries[0]
	if e.Run != d.run || e.Token != flox.RootToken || e.Queue != d.queue || e.Consumer != "w7" || e.ID == "" {
		d.t.Errorf("Claim = %+v, want token 0 of %s in %s for w7", e, d.run, d.queue)
	}
	d.idle(d.queue)
}

func claimWaits(d *driver) {
	claimed := make(chan flox.Entry)
	go func() {
		defer close(claimed)
		entries, err := d.s.Claim(d.ctx, flox.ClaimRequest{
			Consumer: "w0", Queues: []string{d.queue, d.other}, Max: 1, Wait: patience,
		})
		if err == nil && len(entries) == 1 {
			claimed <- entries[0]
		}
	}()
	d.start()
	if e, ok := <-claimed; !ok || e.Run != d.run {
		d.t.Errorf("a waiting claim got %+v, %t, want run %s", e, ok, d.run)
	}
}

// claimCancelled gives up waiting, and asks after it gave up.
func claimCancelled(d *driver) {
	ctx, cancel := context.WithCancel(d.ctx)
	timer := time.AfterFunc(20*time.Millisecond, cancel)
	defer timer.Stop()
	for range 2 {
		began := time.Now()
		entries, err := d.s.Claim(ctx, flox.ClaimRequest{
			Consumer: "w0", Queues: []string{d.queue}, Max: 1, Wait: time.Hour,
		})
		if err == nil || len(entries) > 0 || time.Since(began) > patience {
			d.t.Errorf("Claim with a cancelled context = %v, %v after %v, want an error at once", entries, err, time.Since(began))
		}
	}
}

func loadItem(d *driver) {
	l := d.begin()
	item := l.Item
	if item.Workflow != workflow || item.Fingerprint != "print" || item.Node != "first" {
		d.t.Errorf("Load = %+v, want node first of %s, fingerprint print", item, workflow)
	}
	if string(item.Input.Payload) != "input" || item.Input.Joined || item.Release != nil {
		d.t.Errorf("Load = input %+v, release %v, want a plain input", item.Input, item.Release)
	}
	if item.Crashes != 0 || item.Version != 0 || item.Committed != 0 || item.Waited < 0 || item.Waited > time.Minute {
		d.t.Errorf("Load = %+v, want nothing counted yet", item)
	}
	if l.Lease.Step != 0 || l.Lease.Attempt != 0 || l.Lease.Owner == "" || l.Lease.Item() != "0.0" {
		d.t.Errorf("Load = lease %+v, want item 0.0", l.Lease)
	}
	d.wantStatus(flox.StatusRunning)
}

func loadRepeat(d *driver) {
	d.start()
	e := d.claim(d.queue)
	owner := newOwner()
	first, err := d.s.Load(d.ctx, e, owner, crashes)
	d.must(err)
	d.unchanged("a repeated Load", func() {
		again, err := d.s.Load(d.ctx, e, owner, crashes)
		d.must(err)
		again.Lease.Note = first.Lease.Note
		if again.Grant != flox.GrantOK || again.Lease != first.Lease {
			d.t.Errorf("a repeated Load = grant %d, %+v, want %+v", again.Grant, again.Lease, first.Lease)
		}
	})
	d.unchanged("a Load by another", func() { d.wantGrant(e, flox.GrantLost) })
}

func loadStray(d *driver) {
	l := d.begin()
	d.commit(next(l, "second"), flox.VerdictReleased)
	d.wantGrant(l.Lease.Entry, flox.GrantStray)
	d.wantGrant(d.claim(d.queue), flox.GrantOK)
	unknown := l.Lease.Entry
	unknown.Run = "nobody"
	d.wantGrant(unknown, flox.GrantStray)
}

func loadPaused(d *driver) {
	d.start()
	e := d.claim(d.queue)
	d.control(flox.ControlPause)
	d.wantGrant(e, flox.GrantParked)
	d.wantCounts(flox.Counts{Created: 1, Live: 1, Parked: 1})
	d.wantGrant(e, flox.GrantStray)
}

func loadCancelled(d *driver) {
	d.start()
	e := d.claim(d.queue)
	d.control(flox.ControlCancel)
	d.wantGrant(e, flox.GrantCancelled)
	d.wantCounts(flox.Counts{Created: 1, Dropped: 1})
}
