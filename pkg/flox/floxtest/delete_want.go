package floxtest

import (
	"errors"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

// wantGone checks that nothing can be read of the run, nor be done to it.
func (d *driver) wantGone() {
	d.t.Helper()
	_, info := d.s.Info(d.ctx, d.run)
	_, state := d.s.State(d.ctx, d.run, 0)
	_, _, tokens := d.s.Checkpoint(d.ctx, d.run, "", 10)
	_, errs := d.s.Errors(d.ctx, d.run)
	_, history := d.s.History(d.ctx, d.run, 0, 10)
	_, outputs := d.s.Outputs(d.ctx, d.run)
	_, control := d.s.Control(d.ctx, flox.ControlRequest{Run: d.run, Op: flox.ControlRetry, Nonce: newOwner()})
	_, again := d.s.Delete(d.ctx, d.run)
	for _, err := range []error{info, state, tokens, errs, history, outputs, control, again, d.send("go", "id", "late")} {
		if !errors.Is(err, flox.ErrNotFound) {
			d.t.Fatalf("a call for the deleted run %s = %v, want flox.ErrNotFound", d.run, err)
		}
	}
	if listed := d.list(flox.ListRequest{Limit: 100}); slices.Contains(listed, d.run) {
		d.t.Fatalf("List = %v, want %s not to be there", listed, d.run)
	}
}

// wantZombies checks that nobody who still has something of a deleted run can
// change anything, also if another run has its id: then the item may be said to be
// done already.
func (d *driver) wantZombies(leased []flox.Loaded, claimed []flox.Entry) {
	d.t.Helper()
	fenced := []flox.Verdict{flox.VerdictGone, flox.VerdictLost, flox.VerdictRepeat}
	d.unchanged("what is left of a deleted run", func() {
		for _, l := range leased {
			for _, c := range []flox.Commit{
				next(l, "second"), keep(l, "second"), end(l, "out"), fan(l, 3), fail(l, "boom"), retry(l), await(l, "go"), hold(l, 0),
			} {
				result, err := d.s.Commit(d.ctx, c)
				d.must(err)
				if !slices.Contains(fenced, result.Verdict) {
					d.t.Errorf("a zombie's commit (op %d) = verdict %d, want one of %d", c.Op, result.Verdict, fenced)
				}
			}
			d.wantHealth(l, flox.HealthLost)
			d.handback(l, false, fenced...)
		}
		for _, e := range claimed {
			d.wantGrant(e, flox.GrantStray)
		}
		d.rebuild("", 0)
		d.settle()
	})
}

// scatter starts a run, fails it, and leaves tokens everywhere else: leased,
// claimed, ready, delayed, waiting with and without a timeout, and parked.
func (d *driver) scatter() (leased []flox.Loaded, claimed []flox.Entry) {
	d.t.Helper()
	d.commit(fanJoin(d.begin(), 9), flox.VerdictReleased)
	at := func() flox.Loaded { return d.take() }
	held, failing, parks := at(), at(), at()
	late := retry(at())
	late.Delay = never
	d.commit(late, flox.VerdictReleased)
	d.commit(await(at(), "go"), flox.VerdictReleased)
	d.commit(after(never, await(at(), "stop")), flox.VerdictReleased)
	d.signal("kept", "for nobody")
	entry := d.claim(d.queue)
	d.commit(fail(failing, "boom"), flox.VerdictReleased)
	d.commit(next(parks, "second"), flox.VerdictParked)
	d.wantStatus(flox.StatusFailed)
	return []flox.Loaded{held, failing, parks}, []flox.Entry{entry}
}
