package floxtest

import (
	"fmt"
	"sync"

	"github.com/floxrun/flox/pkg/flox"
)

var undoRaceChecks = []check{
	{"Together", undoTogether},
	{"CancelAndSettle", undoCancelAndSettle},
}

// settleOften settles beside others.
func (d *driver) settleOften(times int) {
	for range times {
		if _, err := d.s.Settle(d.ctx, d.run); err != nil {
			d.t.Errorf("Settle: %v", err)
		}
	}
}

// undoTogether has four janitors settle while the branches' workers commit.
func undoTogether(d *driver) {
	const n = 9
	items := d.beginUndoBeside(n)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { d.settleOften(20) })
	}
	for _, l := range items {
		wg.Go(func() {
			result, err := d.s.Commit(d.ctx, undone(next(l, "second")))
			if err != nil || result.Verdict != flox.VerdictParked {
				d.t.Errorf("Commit(%s) = %+v, %v, want it parked", l.Lease.Item(), result, err)
			}
		})
	}
	wg.Wait()
	d.settle()
	for range n {
		d.commit(endSilently(d.take()), flox.VerdictReleased)
	}
	d.wantUndone("boom", flox.Counts{Created: 3 * n, Committed: 2 * n, Dropped: n, Version: 2 * n})
}

// undoCancelAndSettle cancels, settles and commits all at once.
func undoCancelAndSettle(d *driver) {
	for i := range 8 {
		d := d.scene(fmt.Sprintf("run%d", i))
		items := d.beginUndoBeside(5)
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { d.settleOften(5) })
		}
		for _, l := range items {
			wg.Go(func() {
				if _, err := d.s.Commit(d.ctx, undone(next(l, "second"))); err != nil {
					d.t.Errorf("Commit: %v", err)
				}
			})
		}
		wg.Go(func() {
			if _, err := d.s.Control(d.ctx, flox.ControlRequest{Run: d.run, Op: flox.ControlCancel, Nonce: newOwner()}); err != nil {
				d.t.Errorf("Control: %v", err)
			}
		})
		wg.Wait()
		d.settle()
		d.ledger()
		if n := d.wantStatus(flox.StatusCancelled).Counts; n.Live != 0 || n.Parked != 0 {
			d.t.Errorf("%+v after cancel, want all dropped", n)
		}
		d.idle(d.queue)
	}
}
