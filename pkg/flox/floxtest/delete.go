package floxtest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/floxrun/flox/pkg/flox"
)

var deleteChecks = []check{
	{"Refused", deleteRefused},
	{"NotFound", deleteNotFound},
	{"Ended", deleteEnded},
	{"Tokens", deleteTokens},
	{"Told", deleteTold},
	{"ManyTokens", deleteMany},
	{"CancelledTokens", deleteCancelled},
	{"StartAgain", deleteStartAgain},
	{"Others", deleteOthers},
	{"WhileCommitting", deleteWhileCommitting},
	{"Stats", deleteStats},
	{"BrokenKeys", deleteBroken},
	{"Race", deleteRace},
}

// delete deletes the run, which must work.
func (d *driver) delete() {
	d.t.Helper()
	n, err := d.s.Delete(d.ctx, d.run)
	if n != 1 || err != nil {
		d.t.Fatalf("Delete(%q) = %d, %v, want 1", d.run, n, err)
	}
	d.wantGone()
}

func (d *driver) wantUndeletable(want ...flox.Status) {
	d.t.Helper()
	d.unchanged("a refused Delete", func() {
		n, err := d.s.Delete(d.ctx, d.run)
		refusal, ok := errors.AsType[*flox.RefusedError](err)
		if !ok || n != 0 || refusal.Run != d.run || refusal.Op != flox.ControlDelete || !slices.Contains(want, refusal.Status) {
			d.t.Fatalf("Delete = %d, %v, want it refused as %q", n, err, want)
		}
	})
}

func deleteRefused(d *driver) {
	d.start()
	d.wantUndeletable(flox.StatusPending)
	l := d.take()
	d.wantUndeletable(flox.StatusRunning)
	d.control(flox.ControlPause)
	d.wantUndeletable(flox.StatusPaused)
	undoing := d.scene("undoing")
	undoing.beginUndo(2)
	undoing.wantUndeletable(flox.StatusUndoing)
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.delete()
}

func deleteNotFound(d *driver) {
	d.unchanged("Delete of an unknown run", func() {
		if n, err := d.s.Delete(d.ctx, "nobody"); n != 0 || !errors.Is(err, flox.ErrNotFound) {
			d.t.Errorf("Delete of an unknown run = %d, %v, want flox.ErrNotFound", n, err)
		}
	})
}

// deleteEnded deletes a run of each end with all that can be kept of one.
func deleteEnded(d *driver) {
	for name, end := range map[string]func(d *driver){
		"completed": func(d *driver) { d.commit(end(d.take(), "out"), flox.VerdictReleased) },
		"failed":    func(d *driver) { d.commit(fail(d.take(), "boom"), flox.VerdictReleased) },
		"empty":     func(d *driver) { d.commit(endSilently(d.take()), flox.VerdictReleased) },
		"held":      func(d *driver) { d.commit(hold(d.take(), 0), flox.VerdictReleased) },
		"cancelled": func(d *driver) { d.control(flox.ControlCancel); d.settle() },
		"undone": func(d *driver) {
			d.commit(undone(keep(d.take(), "second")), flox.VerdictKept)
			d.control(flox.ControlCancel)
			d.settle()
		},
	} {
		scene := d.scene(name)
		scene.unchanged("a run that was deleted", func() {
			req := scene.request()
			req.Deadline, req.Labels = never, map[string]string{"team": "blue"}
			d.must(scene.s.Start(d.ctx, req))
			scene.signal("early", "kept")
			scene.commit(fallback(scene.take(), "second"), flox.VerdictReleased)
			end(scene)
			scene.delete()
		})
	}
}

func deleteTokens(d *driver) {
	var leased []flox.Loaded
	var claimed []flox.Entry
	d.unchanged("a run that was deleted with tokens everywhere", func() {
		leased, claimed = d.scatter()
		d.delete()
	})
	d.wantZombies(leased, claimed)
	d.idle(d.queue)
	d.expire()
	if found := d.reclaim("w1"); len(found) > 0 {
		d.t.Errorf("Reclaim = %+v, want nothing", found)
	}
}

// deleteTold deletes a run of which somebody has a token: an event tells of it.
func deleteTold(d *driver) {
	events, err := d.s.Watch(d.ctx)
	d.must(err)
	d.commit(fan(d.begin(), 2), flox.VerdictReleased)
	items := d.takeAll(2)
	d.commit(fail(items[flox.RootToken], "boom"), flox.VerdictReleased)
	d.delete()
	d.wantEvents(events, flox.StatusRunning, flox.StatusFailed, flox.StatusFailed)
}

func deleteMany(d *driver) {
	const n = 300
	var l flox.Loaded
	d.unchanged("a run that was deleted with many tokens", func() {
		d.commit(fanJoin(d.begin(), n), flox.VerdictReleased)
		d.commit(release(d.take()), flox.VerdictReleased)
		l = d.take()
		d.commit(fail(d.take(), "boom"), flox.VerdictReleased)
		d.delete()
	})
	d.wantZombies([]flox.Loaded{l}, nil)
	d.idle(d.queue)
}

// deleteCancelled deletes a run before the tokens that its cancel left are gone.
func deleteCancelled(d *driver) {
	var leased flox.Loaded
	d.unchanged("a cancelled run that was deleted", func() {
		d.commit(fan(d.begin(), 120), flox.VerdictReleased)
		leased = d.take()
		d.control(flox.ControlCancel)
		d.delete()
	})
	d.wantZombies([]flox.Loaded{leased}, nil)
}

// deleteStartAgain gives the id of a deleted run to another one.
func deleteStartAgain(d *driver) {
	leased, claimed := d.scatter()
	d.delete()
	again := d.request()
	again.Nonce, again.Input = "another", []byte("fresh")
	d.must(d.s.Start(d.ctx, again))
	d.wantZombies(leased, claimed)
	l := d.take()
	if string(l.Item.Input.Payload) != "fresh" || l.Lease.Step != 0 {
		d.t.Errorf("took %s with %q, want the first item of the new run", l.Lease.Item(), l.Item.Input.Payload)
	}
	d.wantZombies(leased, claimed)
	d.commit(end(l, "out"), flox.VerdictReleased)
	d.wantCounts(flox.Counts{Created: 1, Committed: 1, Outputs: 1, Version: 1})
	d.wantZombies(leased, claimed)
}

// deleteOthers checks that a run of another id is none of Delete's business.
func deleteOthers(d *driver) {
	other := d.scene("run2")
	l := other.begin()
	d.commit(end(d.begin(), "out"), flox.VerdictReleased)
	d.delete()
	other.commit(end(l, "out"), flox.VerdictReleased)
	other.wantStatus(flox.StatusCompleted)
	other.wantOutputs("out")
}

func deleteStats(d *driver) {
	for i := range 3 {
		scene := d.scene(fmt.Sprintf("run%d", i))
		req := scene.request()
		req.Workflow = "tea"
		d.must(d.s.Start(d.ctx, req))
		if i > 0 {
			scene.commit(end(scene.take(), "out"), flox.VerdictReleased)
		}
	}
	for _, run := range []string{"run1", "run2"} {
		scene := *d
		scene.run = run
		scene.delete()
		scene.wantStats()
	}
	d.scene("run0").control(flox.ControlCancel)
	last := d.scene("run0")
	last.delete()
	all, err := d.s.Stats(d.ctx)
	if err != nil || len(all["tea"]) > 0 {
		d.t.Errorf("Stats = %v, %v, want none of tea", all, err)
	}
}

// deleteBroken deletes runs of which a key has a wrong type.
func deleteBroken(d *driver) {
	for _, kind := range []string{"state", "history", "errors"} {
		scene := d.scene(kind)
		scene.unchanged("a run with a broken "+kind+" key that was deleted", func() {
			scene.commit(fail(scene.begin(), "boom"), flox.VerdictReleased)
			if d.b.BreakKey != nil {
				d.b.BreakKey(d.t, scene.run, kind)
			}
			scene.delete()
		})
	}
	d.commit(fail(d.begin(), "boom"), flox.VerdictReleased)
	if d.b.BreakKey == nil || !d.b.BreakKey(d.t, d.run, "run") {
		return
	}
	d.unchanged("Delete of a broken run", func() {
		if n, err := d.s.Delete(d.ctx, d.run); n != 0 || !errors.Is(err, flox.ErrInvalid) {
			d.t.Errorf("Delete of a broken run = %d, %v, want flox.ErrInvalid", n, err)
		}
	})
}
