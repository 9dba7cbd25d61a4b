package floxtest

import (
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// briefly is a retention that is over when outlast returns, and not before, however
// slow the machine is at the few calls in between.
const briefly = 10 * lease

func (d *driver) outlast() { d.b.Advance(briefly + lease/4) }

// retain registers a workflow whose runs are kept so long.
func (d *driver) retain(workflow string, keep map[flox.Status]time.Duration) {
	d.t.Helper()
	d.must(d.s.Register(d.ctx, flox.WorkflowInfo{
		Name: workflow, StartNode: "first", StartQueue: d.queue, Queues: []string{d.queue}, Retention: keep,
	}))
}

// allEnds is a retention whatever the end.
func allEnds(keep time.Duration) map[flox.Status]time.Duration {
	return map[flox.Status]time.Duration{
		flox.StatusCompleted: keep, flox.StatusFailed: keep, flox.StatusCancelled: keep,
	}
}

// ended starts a run of a workflow and ends it.
func (d *driver) ended(workflow, run string, as flox.Status) *driver {
	d.t.Helper()
	scene := *d
	scene.run = run
	if as != flox.StatusCancelled { // the others need a worker
		scene = *d.scene(run)
	}
	req := scene.request()
	req.Workflow = workflow
	d.must(d.s.Start(d.ctx, req))
	switch as {
	case flox.StatusCompleted:
		scene.commit(end(scene.take(), "out"), flox.VerdictReleased)
	case flox.StatusFailed:
		scene.commit(fail(scene.take(), "boom"), flox.VerdictReleased)
	case flox.StatusCancelled:
		scene.control(flox.ControlCancel)
		scene.settle()
	}
	return &scene
}

// removeExpired removes all that has expired, and returns how many there were.
func (d *driver) removeExpired() int {
	d.t.Helper()
	total := 0
	for range 100 {
		n, err := d.s.Delete(d.ctx, "")
		d.must(err)
		if n == 0 {
			return total
		}
		total += n
	}
	d.t.Fatal("Delete of what has expired never comes to an end")
	return total
}

// wantExpired removes what has expired, and checks how many there were.
func (d *driver) wantExpired(want int) {
	d.t.Helper()
	if n := d.removeExpired(); n != want {
		d.t.Fatalf("Delete removed %d runs that have expired, want %d", n, want)
	}
}
