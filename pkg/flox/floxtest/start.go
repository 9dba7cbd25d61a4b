package floxtest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var startChecks = []check{
	{"Info", startInfo},
	{"Trace", startTrace},
	{"Repeat", startRepeat},
	{"Taken", startTaken},
	{"TakenAfterEnd", startTakenAfterEnd},
	{"At", startAt},
	{"NoOutput", startNoOutput},
	{"NeedsNoOutput", startNeedsNoOutput},
}

func startInfo(d *driver) {
	d.start()
	info := d.wantStatus(flox.StatusPending)
	if info.ID != d.run || info.Workflow != workflow || info.Fingerprint != "print" {
		d.t.Errorf("Info = %+v, want run %s of %s", info, d.run, workflow)
	}
	if info.Created.IsZero() || !info.Ended.IsZero() || info.Cause != "" {
		d.t.Errorf("Info = %+v, want a start time alone", info)
	}
	d.wantCounts(flox.Counts{Created: 1, Live: 1})
	token := d.tokens()[flox.RootToken]
	if token.Node != "first" || token.Queue != d.queue || token.Place != flox.PlaceQueued || token.Step != 0 {
		d.t.Errorf("Checkpoint = %+v, want token 0 queued at first", token)
	}
	d.take()
	d.wantStatus(flox.StatusRunning)
	if token = d.tokens()[flox.RootToken]; token.Place != flox.PlaceLeased || token.Owner == "" {
		d.t.Errorf("Checkpoint = %+v, want a leased token", token)
	}
}

// startTrace gives a run its place in a trace, which every worker and reader is told.
func startTrace(d *driver) {
	const place = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	req := d.request()
	req.Trace = place
	d.must(d.s.Start(d.ctx, req))
	d.commit(fanJoin(d.take(), 2), flox.VerdictReleased)
	for _, l := range d.takeAll(2) {
		if l.Item.Trace != place {
			d.t.Errorf("Load(%s).Item.Trace = %q, want %q", l.Lease.Item(), l.Item.Trace, place)
		}
	}
	page, err := d.s.List(d.ctx, flox.ListRequest{Limit: 1})
	d.must(err)
	if got := d.info().Trace; got != place || len(page.Runs) != 1 || page.Runs[0].Trace != place {
		d.t.Errorf("Info(%q).Trace = %q, List = %+v, want %q in both", d.run, got, page, place)
	}

	plain := d.scene("plain")
	if l := plain.begin(); l.Item.Trace != "" || plain.info().Trace != "" {
		d.t.Errorf("Trace = %q, Info's %q of a run that was given none", l.Item.Trace, plain.info().Trace)
	}
}

func startRepeat(d *driver) {
	d.start()
	d.unchanged("a repeated Start", func() { d.start() })
	l := d.take()
	d.idle(d.queue)
	d.unchanged("a repeated Start", func() { d.start() })
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.unchanged("a repeated Start", func() { d.start() })
}

func (d *driver) wantTaken(want ...flox.Status) {
	d.t.Helper()
	req := d.request()
	req.Nonce = "another"
	d.unchanged("a refused Start", func() {
		err := d.s.Start(d.ctx, req)
		exists, ok := errors.AsType[*flox.RunExistsError](err)
		if !ok || !errors.Is(err, flox.ErrRunExists) {
			d.t.Fatalf("Start of a taken id = %v, want a *flox.RunExistsError", err)
		}
		if exists.Run != d.run || !slices.Contains(want, exists.Status) {
			d.t.Fatalf("Start of a taken id = %+v, want run %s, status one of %q", exists, d.run, want)
		}
	})
}

func startTaken(d *driver) {
	d.start()
	d.wantTaken(flox.StatusPending, flox.StatusRunning)
}

func startTakenAfterEnd(d *driver) {
	d.commit(end(d.begin(), "out"), flox.VerdictReleased)
	d.wantTaken(flox.StatusCompleted)
}

func startAt(d *driver) { d.swiftly(soon, startsByClock) }

// startsByClock starts a run by the clock, and one whose time is past.
func startsByClock(d *driver) string {
	req := d.request()
	d.must(d.s.Start(d.ctx, req)) // tells the store's time
	info, err := d.s.Info(d.ctx, d.run)
	d.must(err)
	d.take()
	later, past := d.run+"-later", d.run+"-past"
	for run, at := range map[string]time.Time{later: info.Created.Add(soon), past: info.Created.Add(-time.Hour)} {
		req.Run, req.Nonce, req.At = run, run, at
		d.must(d.s.Start(d.ctx, req))
	}
	waits := *d
	waits.run = later
	if token := waits.tokens()[flox.RootToken]; token.Place != flox.PlaceDelayed {
		return fmt.Sprintf("Checkpoint = %+v of the run whose time is to come, want it delayed", token)
	}
	if e := d.claim(d.queue); e.Run != past {
		d.t.Fatalf("Claim = %+v, want the run whose time is past", e)
	}
	d.idle(d.queue)
	d.b.Advance(soon + soon/4)
	d.promote(1)
	if e := d.claim(d.queue); e.Run != later {
		d.t.Fatalf("Claim = %+v, want the run whose time has come", e)
	}
	return ""
}

func startNoOutput(d *driver) {
	d.commit(endSilently(d.begin()), flox.VerdictReleased)
	info := d.wantStatus(flox.StatusFailed)
	if info.Cause != "ended with no output" || info.Ended.IsZero() {
		d.t.Errorf("Info = %+v, want cause: ended with no output", info)
	}
}

func startNeedsNoOutput(d *driver) {
	req := d.request()
	req.NeedsOutput = false
	d.must(d.s.Start(d.ctx, req))
	d.commit(endSilently(d.take()), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}
