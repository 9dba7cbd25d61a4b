package floxtest

import (
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/floxrun/flox/pkg/flox"
)

var compactChecks = []check{
	{"Part", compactPart},
	{"All", compactAll},
	{"Again", compactAgain},
	{"Refused", compactRefused},
	{"EmptySnapshot", compactEmptySnapshot},
	{"VersionGoesOn", compactVersionGoesOn},
	{"Together", compactTogether},
	{"Invalid", compactInvalid},
}

// beginDeltas brings the run to so many deltas, "delta of 0.0" and so on.
func (d *driver) beginDeltas(n int) flox.Loaded {
	d.t.Helper()
	l := d.begin()
	for range n {
		c := keep(l, "again")
		d.commit(c, flox.VerdictKept)
		l = kept(l, c)
	}
	return l
}

func (d *driver) compact(folded, deltas int64, snapshot string) bool {
	d.t.Helper()
	done, err := d.s.Compact(d.ctx, flox.CompactRequest{
		Run: d.run, Folded: folded, Deltas: deltas, Snapshot: []byte(snapshot),
	})
	d.must(err)
	return done
}

func (d *driver) wantCompacted(folded, deltas int64, snapshot string) {
	d.t.Helper()
	if !d.compact(folded, deltas, snapshot) {
		d.t.Fatalf("Compact(folded %d, deltas %d) = false, want true", folded, deltas)
	}
}

// wantLog checks the state log after a version. snapshot is "" for none.
func (d *driver) wantLog(since, folded, version int64, snapshot string, deltas ...string) {
	d.t.Helper()
	log, err := d.s.State(d.ctx, d.run, since)
	d.must(err)
	if got := fmt.Sprintf("%q", log.Deltas); got != fmt.Sprintf("%q", deltas) {
		d.t.Fatalf("State since %d has deltas %s, want %q", since, got, deltas)
	}
	if log.Folded != folded || log.Version != version || string(log.Snapshot) != snapshot ||
		(log.Snapshot == nil) != (snapshot == "") {
		d.t.Fatalf("State since %d = snapshot %q, folded %d, version %d, want %q, %d, %d",
			since, log.Snapshot, log.Folded, log.Version, snapshot, folded, version)
	}
}

func compactPart(d *driver) {
	d.beginDeltas(5)
	d.wantLog(0, 0, 5, "", "delta of 0.0", "delta of 0.1", "delta of 0.2", "delta of 0.3", "delta of 0.4")
	counts := d.info().Counts
	d.wantCompacted(0, 3, "first three")
	for since := range int64(3) {
		d.wantLog(since, 3, 5, "first three", "delta of 0.3", "delta of 0.4")
	}
	d.wantLog(3, 3, 5, "", "delta of 0.3", "delta of 0.4")
	d.wantLog(4, 3, 5, "", "delta of 0.4")
	d.wantLog(5, 3, 5, "")
	d.wantLog(9, 3, 5, "")
	d.wantCounts(counts)
}

func compactAll(d *driver) {
	l := d.beginDeltas(2)
	d.wantCompacted(0, 2, "both")
	d.wantLog(0, 2, 2, "both")
	d.wantLog(1, 2, 2, "both")
	d.wantLog(2, 2, 2, "")
	d.commit(keep(l, "again"), flox.VerdictKept)
	d.wantLog(0, 2, 3, "both", "delta of 0.2")
	d.wantLog(2, 2, 3, "", "delta of 0.2")
	d.wantLog(3, 2, 3, "")
}

func compactAgain(d *driver) {
	d.beginDeltas(6)
	d.wantCompacted(0, 1, "one")
	d.wantCompacted(1, 3, "four")
	d.wantLog(0, 4, 6, "four", "delta of 0.4", "delta of 0.5")
	d.wantLog(3, 4, 6, "four", "delta of 0.4", "delta of 0.5")
	d.wantLog(4, 4, 6, "", "delta of 0.4", "delta of 0.5")
	d.wantCompacted(4, 2, "six")
	d.wantLog(0, 6, 6, "six")
}

func compactRefused(d *driver) {
	d.beginDeltas(4)
	d.wantCompacted(0, 2, "two")
	d.unchanged("a refused Compact", func() {
		for _, r := range [][2]int64{{0, 2}, {1, 1}, {3, 1}, {4, 1}, {2, 3}, {2, 0}, {2, -1}} {
			if d.compact(r[0], r[1], "wrong") {
				d.t.Errorf("Compact(folded %d, deltas %d) = true, want false", r[0], r[1])
			}
		}
		done, err := d.s.Compact(d.ctx, flox.CompactRequest{Run: "nobody", Deltas: 1, Snapshot: []byte("x")})
		if done || err != nil {
			d.t.Errorf("Compact of an unknown run = %t, %v, want false", done, err)
		}
	})
	if _, err := d.s.Info(d.ctx, "nobody"); err == nil {
		d.t.Error("Compact made a run")
	}
}

// compactEmptySnapshot tells an empty snapshot from none.
func compactEmptySnapshot(d *driver) {
	d.beginDeltas(1)
	d.wantCompacted(0, 1, "")
	log, err := d.s.State(d.ctx, d.run, 0)
	d.must(err)
	if log.Snapshot == nil || len(log.Snapshot) > 0 {
		d.t.Errorf("State = snapshot %v, want an empty one", log.Snapshot)
	}
}

// compactVersionGoesOn commits what depends on the version of a compacted state.
func compactVersionGoesOn(d *driver) {
	l := d.beginDeltas(3)
	d.wantCompacted(0, 3, "three")
	c := keep(l, "again")
	c.Read = 3
	if result := d.commit(c, flox.VerdictKept); result.Version != 4 {
		d.t.Errorf("Commit = version %d, want 4", result.Version)
	}
	l = kept(l, c)
	d.unchanged("a stale hold", func() { d.commit(hold(l, 1), flox.VerdictStale) })
	d.commit(hold(l, 4), flox.VerdictReleased)
	d.wantLog(0, 3, 5, "three", "delta of 0.3", "delta of 0.4")
}

// compactTogether compacts the same deltas from eight callers: one does it.
func compactTogether(d *driver) {
	d.beginDeltas(10)
	var done atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			ok, err := d.s.Compact(d.ctx, flox.CompactRequest{
				Run: d.run, Deltas: int64(i + 1), Snapshot: fmt.Appendf(nil, "first %d", i+1),
			})
			if err != nil {
				d.t.Errorf("Compact: %v", err)
			}
			if ok {
				done.Add(1)
			}
		})
	}
	wg.Wait()
	log, err := d.s.State(d.ctx, d.run, 0)
	d.must(err)
	if want := fmt.Sprintf("first %d", log.Folded); done.Load() != 1 || string(log.Snapshot) != want ||
		int64(len(log.Deltas)) != 10-log.Folded || log.Version != 10 {
		d.t.Errorf("%d compactions, State = %q + %d deltas, version %d, want one, %q + %d, 10",
			done.Load(), log.Snapshot, len(log.Deltas), log.Version, want, 10-log.Folded)
	}
}

// compactInvalid compacts runs of which a key has a wrong type.
func compactInvalid(d *driver) {
	for _, kind := range []string{"run", "state"} {
		d := d.scene(kind)
		d.beginDeltas(2)
		if d.b.BreakKey == nil || !d.b.BreakKey(d.t, d.run, kind) {
			return
		}
		d.unchanged("Compact with a broken "+kind+" key", func() {
			done, err := d.s.Compact(d.ctx, flox.CompactRequest{Run: d.run, Deltas: 1, Snapshot: []byte("x")})
			if done || err == nil {
				d.t.Errorf("Compact with a broken %s key = %t, %v, want an error", kind, done, err)
			}
		})
	}
}
