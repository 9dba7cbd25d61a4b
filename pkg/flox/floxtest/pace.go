package floxtest

import (
	"fmt"
	"time"
)

// How checks of what takes time bear a machine that stands still meanwhile.

// pass lets the one timer there is run out, which was set to go off so long after,
// and does what is due then.
func (d *driver) pass(delay time.Duration) {
	d.t.Helper()
	promoted := d.promoteSome()
	// On a machine that stood still for so long it may be due already.
	slow := time.Since(d.began) >= delay
	if !slow && (promoted.Moved != 0 || promoted.Next <= 0 || promoted.Next > delay) {
		d.t.Fatalf("Promote = %+v, want nothing moved, and something to be due within %v", promoted, delay)
	}
	if promoted.Moved == 0 {
		d.b.Advance(delay + delay/4)
		d.promote(1)
	}
}

// swiftly makes a check that fails on a machine that needs so long for it: it is tried
// again then, in another run with queues of its own. try returns what is wrong.
func (d *driver) swiftly(within time.Duration, try func(d *driver) string) {
	d.t.Helper()
	for n := 1; ; n++ {
		scene := d.scene(fmt.Sprintf("try%d", n))
		wrong := try(scene)
		if wrong == "" {
			return
		}
		if time.Since(scene.began) < within || n == 20 {
			d.t.Fatal(wrong)
		}
	}
}
