package floxtest

import (
	"errors"
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

// deleteWhileCommitting deletes failed runs while a worker goes on to commit what
// it had: nothing of a run is left, whoever was first.
func deleteWhileCommitting(d *driver) {
	d.unchanged("a run that was deleted under a worker", func() {
		for i := range 10 {
			scene := *d
			scene.run = fmt.Sprintf("run%d", i)
			scene.commit(fan(scene.begin(), 3), flox.VerdictReleased)
			items := scene.takeAll(3)
			scene.commit(fail(items[flox.RootToken], "boom"), flox.VerdictReleased)
			together(
				func() { _, _ = scene.s.Delete(d.ctx, scene.run) },
				func() { _, _ = scene.s.Commit(d.ctx, fan(items["0.0.1"], 40)) },
				func() { _, _ = scene.s.Commit(d.ctx, end(items["0.0.2"], "out")) },
			)
			scene.wantGone()
		}
	})
}

// deleteRace deletes, retries and settles failed runs at the same time: a run is
// deleted with all its tokens, or goes on with all of them.
func deleteRace(d *driver) {
	const branches, rounds = 12, 20
	for i := range rounds {
		scene := d.scene(fmt.Sprintf("run%d", i))
		scene.commit(fan(scene.begin(), branches), flox.VerdictReleased)
		scene.commit(fail(scene.take(), "boom"), flox.VerdictReleased)
		scene.race()
		_, err := d.s.Info(d.ctx, scene.run)
		if errors.Is(err, flox.ErrNotFound) {
			scene.wantGone()
			scene.idle(scene.queue)
			continue
		}
		d.must(err)
		scene.wantStatus(flox.StatusRunning)
		scene.settle()
		for _, l := range scene.takeAll(branches) {
			scene.commit(end(l, "out"), flox.VerdictReleased)
		}
		scene.wantStatus(flox.StatusCompleted)
	}
}

// race deletes the run from two sides while others retry it and settle.
func (d *driver) race() {
	remove := func() {
		if _, err := d.s.Delete(d.ctx, d.run); err != nil && !errors.Is(err, flox.ErrRefused) && !errors.Is(err, flox.ErrNotFound) {
			d.t.Errorf("Delete: %v", err)
		}
	}
	again := func() {
		_, err := d.s.Control(d.ctx, flox.ControlRequest{Run: d.run, Op: flox.ControlRetry, Nonce: newOwner()})
		if err != nil && !errors.Is(err, flox.ErrRefused) && !errors.Is(err, flox.ErrNotFound) {
			d.t.Errorf("retry: %v", err)
		}
	}
	settle := func(run string) func() {
		return func() {
			for more := true; more && !d.t.Failed(); {
				settled, err := d.s.Settle(d.ctx, run)
				if err != nil {
					d.t.Errorf("Settle(%q): %v", run, err)
				}
				more = settled.More
			}
		}
	}
	together(remove, again, settle(d.run), remove, settle(""), again)
}
