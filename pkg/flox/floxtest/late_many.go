package floxtest

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/floxrun/flox/pkg/flox"
)

var lateManyChecks = []check{
	{"Releasing", lateReleasing},
	{"ReleasingInner", lateReleasingInner},
	{"LastDepositors", lateLastDepositors},
}

// lateReleasing closes a large fan-out's frame before all branches are made.
func lateReleasing(d *driver) {
	const size = 2*small + 10
	d.commit(quorum(d.begin(), size, 2), flox.VerdictReleased)
	d.commit(release(d.takeItem("0.1", "branch")), flox.VerdictReleased)
	d.leaves(deposit(d.take(), "a"))
	d.closes(deposit(d.take(), "b"))
	d.settle()
	d.wantCounts(flox.Counts{Created: 2 + small + 1, Committed: 3, Dropped: small - 1, Live: 1, Version: 3})
	l := d.take()
	if l.Lease.Token != "0.0.j" || len(l.Item.Input.Deposits) != 2 {
		d.t.Fatalf("took %s with %d deposits, want 0.0.j with 2", l.Lease.Token, len(l.Item.Input.Deposits))
	}
	d.wantLateEnd(l, flox.Counts{Created: 3 + small, Committed: 4, Dropped: small - 1, Outputs: 1, Version: 4})
}

// lateReleasingInner closes over a branch that releases a large fan-out, in a
// frame of its own and in the branch's.
func lateReleasingInner(d *driver) {
	for i, open := range []func(flox.Loaded, int) flox.Commit{fan, fanJoin} {
		d := d.scene(fmt.Sprintf("run%d", i))
		d.commit(quorum(d.begin(), 2, 1), flox.VerdictReleased)
		items := d.takeAll(2)
		d.commit(open(items["0.0.1"], 2*small+10), flox.VerdictReleased)
		d.commit(release(d.takeItem("0.0.1.1", "branch")), flox.VerdictReleased)
		d.closes(deposit(items["0"], "a"))
		d.settle()
		d.wantCounts(flox.Counts{Created: small + 5, Committed: 3, Dropped: small + 1, Live: 1, Version: 3})
		d.wantLateEnd(d.wantJoin("0.0.j", "a"), flox.Counts{Created: small + 5, Committed: 4, Dropped: small + 1, Outputs: 1, Version: 4})
	}
}

// lateLastDepositors has eight branches arrive at once at joins that want from
// one to all of them.
func lateLastDepositors(d *driver) {
	const n = 8
	for need := 1; need <= n; need++ {
		d := d.scene(fmt.Sprintf("need%d", need))
		d.commit(quorum(d.begin(), n, need), flox.VerdictReleased)
		var arrived, dropped atomic.Int64
		var wg sync.WaitGroup
		for _, l := range d.takeAll(n) {
			wg.Go(func() {
				result, err := d.s.Commit(d.ctx, deposit(l, "x"))
				switch {
				case err == nil && result.Verdict == flox.VerdictReleased:
					arrived.Add(1)
				case err == nil && result.Verdict == flox.VerdictDropped:
					dropped.Add(1)
				default:
					d.t.Errorf("Commit(%s) = %+v, %v, want it released or dropped", l.Lease.Item(), result, err)
				}
				d.settleOften(2)
			})
		}
		wg.Wait()
		join := d.take()
		if got := len(join.Item.Input.Deposits); join.Lease.Token != "0.0.j" || got != need || int(arrived.Load()) != need || int(dropped.Load()) != n-need {
			d.t.Fatalf("quorum %d of %d: %s with %d deposits, %d arrived, %d dropped", need, n, join.Lease.Token, got, arrived.Load(), dropped.Load())
		}
		committed := int64(need) + 2
		d.wantLateEnd(join, flox.Counts{Created: n + 2, Committed: committed, Dropped: n + 2 - committed, Outputs: 1, Version: committed})
	}
}
