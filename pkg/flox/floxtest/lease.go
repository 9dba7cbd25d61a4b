package floxtest

import (
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

var leaseChecks = []check{
	{"RenewHealth", renewHealth},
	{"RenewKeeps", renewKeeps},
	{"LoadBegins", loadBegins},
	{"ReclaimExpired", reclaimExpired},
	{"ReclaimOwn", reclaimOwn},
	{"ReclaimUnloaded", reclaimUnloaded},
	{"ReclaimCancelled", reclaimCancelled},
	{"ReclaimPaused", reclaimPaused},
	{"ReclaimMax", reclaimMax},
	{"Poison", poison},
	{"CrashesReset", crashesReset},
}

func (d *driver) wantHealth(l flox.Loaded, want flox.Health) {
	d.t.Helper()
	health, err := d.s.Renew(d.ctx, l.Lease)
	d.must(err)
	if health != want {
		d.t.Fatalf("Renew = %d, want %d", health, want)
	}
}

func renewHealth(d *driver) {
	paused := d.scene("paused")
	l := paused.begin()
	d.wantHealth(l, flox.HealthOK)
	paused.control(flox.ControlPause)
	d.wantHealth(l, flox.HealthPaused)

	failed := d.scene("failed")
	l = failed.begin()
	failed.commit(fan(l, 2), flox.VerdictReleased)
	items := failed.takeAll(2)
	failed.commit(fail(items["0"], "boom"), flox.VerdictReleased)
	d.wantHealth(items["0.0.1"], flox.HealthFailed)
	d.wantHealth(items["0"], flox.HealthLost)

	cancelled := d.scene("cancelled")
	l = cancelled.begin()
	cancelled.control(flox.ControlCancel)
	d.wantHealth(l, flox.HealthCancelled)
	cancelled.settle()
	d.wantHealth(l, flox.HealthCancelled)

	lost := d.scene("lost")
	l = lost.begin()
	thief := l
	thief.Lease.Owner = "thief"
	d.wantHealth(thief, flox.HealthLost)
	lost.commit(end(l, "out"), flox.VerdictReleased)
	d.wantHealth(l, flox.HealthLost)
	unknown := l
	unknown.Lease.Run = "nobody"
	d.wantHealth(unknown, flox.HealthLost)
}

func renewKeeps(d *driver) { d.swiftly(lease*3/2+lease, renewedIsKept) }

func renewedIsKept(d *driver) string {
	l := d.begin()
	for range 3 {
		d.b.Advance(lease / 2)
		d.wantHealth(l, flox.HealthOK)
		if entries := d.reclaim("w1"); len(entries) > 0 {
			return fmt.Sprintf("Reclaim = %+v while the lease is renewed, want nothing", entries)
		}
	}
	d.commit(keep(l, "second"), flox.VerdictKept)
	d.wantHealth(l, flox.HealthOK)
	return ""
}

func loadBegins(d *driver) { d.swiftly(lease*3/4+lease, loadedIsBegun) }

// loadedIsBegun loads what was claimed long before: the lease is a whole one.
func loadedIsBegun(d *driver) string {
	d.start()
	e := d.claim(d.queue)
	d.b.Advance(lease * 3 / 4)
	l := d.wantGrant(e, flox.GrantOK)
	d.b.Advance(lease / 2)
	if entries := d.reclaim("w1"); len(entries) > 0 {
		return fmt.Sprintf("Reclaim = %+v, half a lease after it began, want nothing", entries)
	}
	d.commit(end(l, "out"), flox.VerdictReleased)
	return ""
}

func reclaimExpired(d *driver) { d.swiftly(lease+lease/4+lease, expiredIsTaken) }

func expiredIsTaken(d *driver) string {
	old := d.begin()
	if entries := d.reclaimAfter(never, "w1"); len(entries) > 0 {
		d.t.Fatalf("Reclaim = %+v before the lease ran out, want nothing", entries)
	}
	d.expire()
	entries := d.reclaim("w1")
	if len(entries) != 1 || entries[0].Consumer != "w1" || entries[0].Token != flox.RootToken {
		d.t.Fatalf("Reclaim = %+v, want token 0 for w1", entries)
	}
	if again := d.reclaim("w2"); len(again) > 0 {
		return fmt.Sprintf("Reclaim by another = %+v, want nothing", again)
	}
	d.wantHealth(old, flox.HealthLost)
	l := d.wantGrant(entries[0], flox.GrantOK)
	if l.Item.Crashes != 1 || l.Lease.Step != 0 {
		d.t.Errorf("Load = %d crashes at step %d, want 1 at 0", l.Item.Crashes, l.Lease.Step)
	}
	d.unchanged("a commit by the old holder", func() { d.commit(end(old, "old"), flox.VerdictLost) })
	d.commit(end(l, "new"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
	return ""
}

func reclaimOwn(d *driver) {
	d.start()
	e := d.claim(d.queue)
	d.expire()
	entries := d.reclaim(e.Consumer)
	if len(entries) != 1 {
		d.t.Fatalf("Reclaim of own entries = %+v, want 1", entries)
	}
	d.wantGrant(entries[0], flox.GrantOK)
}

func reclaimUnloaded(d *driver) {
	d.start()
	d.claim(d.queue)
	d.expire()
	entries := d.reclaim("w1")
	if len(entries) != 1 {
		d.t.Fatalf("Reclaim = %+v, want 1 entry", entries)
	}
	if l := d.wantGrant(entries[0], flox.GrantOK); l.Item.Crashes != 0 {
		d.t.Errorf("Load = %d crashes of what was never granted, want 0", l.Item.Crashes)
	}
}

func reclaimCancelled(d *driver) {
	d.begin()
	d.control(flox.ControlCancel)
	d.expire()
	if entries := d.reclaim("w1"); len(entries) > 0 {
		d.t.Fatalf("Reclaim = %+v of a cancelled run, want nothing", entries)
	}
	d.wantCounts(flox.Counts{Created: 1, Dropped: 1})
}

// reclaimPaused takes over what a dead worker held of a paused run: it parks.
func reclaimPaused(d *driver) {
	d.begin()
	d.control(flox.ControlPause)
	d.expire()
	for _, e := range d.reclaim("w1") {
		d.wantGrant(e, flox.GrantParked)
	}
	d.wantCounts(flox.Counts{Created: 1, Live: 1, Parked: 1})
	d.control(flox.ControlResume)
	d.settle()
	if l := d.take(); l.Item.Crashes != 1 {
		d.t.Errorf("took it with %d crashes, want 1", l.Item.Crashes)
	}
}

func reclaimMax(d *driver) { d.swiftly(lease+lease/4+lease, someAreTaken) }

// someAreTaken takes over five, at most two at a time.
func someAreTaken(d *driver) string {
	d.commit(fan(d.begin(), 5), flox.VerdictReleased)
	d.takeAll(5)
	d.expire()
	seen := map[string]bool{}
	for len(seen) < 5 {
		entries, err := d.s.Reclaim(d.ctx, flox.ReclaimRequest{
			Consumer: "w1", Queues: []string{d.other, d.queue}, Lease: lease, Max: 2,
		})
		d.must(err)
		if len(entries) == 0 || len(entries) > 2 {
			d.t.Fatalf("Reclaim = %d entries with %d to go, want 1 or 2", len(entries), 5-len(seen))
		}
		for _, e := range entries {
			if seen[e.Token] {
				return fmt.Sprintf("token %s was reclaimed twice", e.Token)
			}
			seen[e.Token] = true
		}
	}
	return ""
}

func poison(d *driver) {
	d.begin()
	for n := 1; n <= 2; n++ {
		d.expire()
		entries := d.reclaim("w1")
		if len(entries) != 1 || entries[0].Crashes != n {
			d.t.Fatalf("Reclaim = %+v, want 1 entry, with %d crashes", entries, n)
		}
		l, err := d.s.Load(d.ctx, entries[0], newOwner(), 2)
		d.must(err)
		want := flox.GrantOK
		if n == 2 {
			want = flox.GrantPoison
		}
		if l.Grant != want || l.Item.Crashes != n || l.Item.Node != "first" {
			d.t.Fatalf("Load = grant %d, %d crashes at %q, want %d, %d at first", l.Grant, l.Item.Crashes, l.Item.Node, want, n)
		}
		if want == flox.GrantPoison {
			d.commit(fail(l, "crashed"), flox.VerdictReleased)
		}
	}
	d.wantStatus(flox.StatusFailed)
}

func crashesReset(d *driver) {
	d.begin()
	d.expire()
	l := d.wantGrant(d.reclaim("w1")[0], flox.GrantOK)
	d.commit(retry(l), flox.VerdictReleased)
	d.promote(1)
	l = d.take()
	if l.Item.Crashes != 1 {
		d.t.Errorf("after a failed attempt: %d crashes, want 1", l.Item.Crashes)
	}
	d.commit(next(l, "second"), flox.VerdictReleased)
	if l = d.take(); l.Item.Crashes != 0 || l.Lease.Attempt != 0 {
		d.t.Errorf("after a step: %d crashes, %d attempts, want none", l.Item.Crashes, l.Lease.Attempt)
	}
}
