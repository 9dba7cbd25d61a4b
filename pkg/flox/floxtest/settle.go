package floxtest

import (
	"fmt"
	"sync"

	"github.com/floxrun/flox/pkg/flox"
)

var settleChecks = []check{
	{"AnyRun", settleAny},
	{"ManyTokens", settleMany},
	{"Interrupted", settleInterrupted},
	{"Together", settleTogether},
	{"PausedAgain", settlePausedAgain},
	{"RebuildHealthy", rebuildHealthy},
	{"RebuildLost", rebuildLost},
}

// parkMany starts a run and parks n tokens of it.
func (d *driver) parkMany(n int) {
	d.t.Helper()
	l := d.begin()
	d.control(flox.ControlPause)
	d.commit(fan(l, n), flox.VerdictParked)
}

// settleAny leaves the work to a janitor that does not know the runs.
func settleAny(d *driver) {
	for i := range 3 {
		d := d.scene(fmt.Sprintf("resumed%d", i))
		d.parkMany(2)
		d.control(flox.ControlResume)
	}
	cancelled := d.scene("cancelled")
	cancelled.parkMany(2)
	cancelled.control(flox.ControlCancel)
	for range 100 {
		if !d.settleSome("") {
			break
		}
	}
	for i := range 3 {
		d.scene(fmt.Sprintf("resumed%d", i)).takeAll(2)
	}
	cancelled.wantCounts(flox.Counts{Created: 3, Committed: 1, Dropped: 2, Version: 1})
	d.unchanged("Settle of nothing", func() {
		if d.settleSome("") {
			d.t.Error("Settle leaves something, want nothing left")
		}
	})
}

func settleMany(d *driver) {
	const n = 250
	d.parkMany(n)
	d.wantCounts(flox.Counts{Created: n + 1, Committed: 1, Live: n, Parked: n, Version: 1})
	d.control(flox.ControlResume)
	d.settle()
	d.wantCounts(flox.Counts{Created: n + 1, Committed: 1, Live: n, Version: 1})
	d.takeAll(n)
	d.idle(d.queue)
}

// settleInterrupted settles a part, then pauses: Settle looks at the status
// each time it is called.
func settleInterrupted(d *driver) {
	const n = 250
	d.parkMany(n)
	d.control(flox.ControlResume)
	d.settleSome(d.run)
	d.control(flox.ControlPause)
	counts := d.info().Counts
	d.settle()
	d.wantCounts(counts)
	d.control(flox.ControlCancel)
	d.settle()
	d.wantCounts(flox.Counts{Created: n + 1, Committed: 1, Dropped: n, Version: 1})
	d.idle(d.queue)
}

func settleTogether(d *driver) {
	const n = 120
	d.parkMany(n)
	d.control(flox.ControlResume)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				if settled, err := d.s.Settle(d.ctx, d.run); err != nil || !settled.More {
					return
				}
			}
		})
	}
	wg.Wait()
	d.settle()
	d.takeAll(n)
	d.idle(d.queue)
}

func settlePausedAgain(d *driver) {
	d.parkMany(3)
	d.control(flox.ControlResume)
	d.control(flox.ControlPause)
	d.settle()
	d.idle(d.queue)
	d.wantCounts(flox.Counts{Created: 4, Committed: 1, Live: 3, Parked: 3, Version: 1})
	d.control(flox.ControlResume)
	d.settle()
	d.takeAll(3)
}

func (d *driver) rebuild(run string, want int) {
	d.t.Helper()
	n, err := d.s.Rebuild(d.ctx, run)
	d.must(err)
	if n != want {
		d.t.Fatalf("Rebuild(%q) = %d, want %d", run, n, want)
	}
}

func rebuildHealthy(d *driver) {
	d.commit(fan(d.begin(), 4), flox.VerdictReleased)
	d.take()
	late := retry(d.take())
	late.Delay = 1 << 40
	d.commit(late, flox.VerdictReleased)
	d.unchanged("Rebuild of a healthy run", func() {
		d.rebuild(d.run, 0)
		d.rebuild("", 0)
	})
}

// rebuildLost rebuilds what a store that lost its queues still knows.
func rebuildLost(d *driver) {
	d.commit(fan(d.begin(), 4), flox.VerdictReleased)
	held := d.take()
	late := retry(d.take())
	late.Delay = lease
	d.commit(late, flox.VerdictReleased)
	if d.b.LoseQueues == nil || !d.b.LoseQueues(d.t) {
		return
	}
	d.rebuild(d.run, 4)
	d.rebuild(d.run, 0)
	d.wantHealth(held, flox.HealthLost)
	d.b.Advance(lease + lease/4)
	d.promote(1)
	for _, l := range d.takeAll(4) {
		d.commit(end(l, "out"), flox.VerdictReleased)
	}
	d.wantStatus(flox.StatusCompleted)
}
