package floxtest

import (
	"fmt"

	"github.com/floxrun/flox/pkg/flox"
)

var invalidChecks = []check{
	{"Commit", invalidCommit},
	{"Load", invalidLoad},
	{"OthersGoOn", invalidOthers},
	{"OthersReclaimed", invalidReclaim},
}

// writes reports whether c writes the run's key of a kind.
func writes(c flox.Commit, kind string) bool {
	switch kind {
	case "state":
		return c.Delta != nil
	case "history":
		return c.Record != nil
	case "errors":
		return c.Err != nil
	}
	return true
}

// invalidCommit commits to runs of which one key has a wrong type: nothing at
// all may change.
func invalidCommit(d *driver) {
	if d.b.BreakKey == nil {
		return
	}
	for _, kind := range []string{"run", "state", "history", "errors"} {
		for _, op := range opCases {
			scene := d.scene(kind + "-" + op.name)
			c := op.prepare(scene)
			if !writes(c, kind) || !d.b.BreakKey(d.t, scene.run, kind) {
				continue
			}
			d.unchanged("a commit to a broken "+kind+" key", func() {
				result, err := d.s.Commit(d.ctx, c)
				d.must(err)
				if result.Verdict != flox.VerdictInvalid {
					d.t.Errorf("Commit(%s) with a broken %s key = verdict %d, want invalid", op.name, kind, result.Verdict)
				}
			})
		}
	}
}

func invalidLoad(d *driver) {
	d.start()
	e := d.claim(d.queue)
	if d.b.BreakKey == nil || !d.b.BreakKey(d.t, d.run, "run") {
		return
	}
	d.unchanged("a Load from a broken run key", func() { d.wantGrant(e, flox.GrantInvalid) })
}

// invalidOthers checks that a broken run does not keep others from going on.
func invalidOthers(d *driver) {
	broken := d.scene("broken")
	broken.begin()
	if d.b.BreakKey == nil || !d.b.BreakKey(d.t, broken.run, "run") {
		return
	}
	d.expire()
	_, err := d.s.Reclaim(d.ctx, flox.ReclaimRequest{Consumer: "w1", Queues: []string{broken.queue, d.queue}, Lease: lease, Max: 10})
	d.must(err)
	_, err = d.s.Promote(d.ctx, 10)
	d.must(err)
	_, err = d.s.Settle(d.ctx, "")
	d.must(err)
	_, err = d.s.Rebuild(d.ctx, "")
	d.must(err)
	d.commit(end(d.begin(), "out"), flox.VerdictReleased)
	d.wantStatus(flox.StatusCompleted)
}

// invalidReclaim has more entries of broken runs than a Reclaim takes: they do
// not stand in front of others for ever.
func invalidReclaim(d *driver) {
	const broken, most = 5, 2
	for i := range broken + 1 {
		req := d.request()
		req.Run, req.Nonce = fmt.Sprintf("run%d", i), fmt.Sprint(i)
		d.must(d.s.Start(d.ctx, req))
	}
	for range broken + 1 {
		d.take()
	}
	for i := range broken {
		if d.b.BreakKey == nil || !d.b.BreakKey(d.t, fmt.Sprintf("run%d", i), "run") {
			return
		}
	}
	d.expire()
	found := map[string]bool{} // on a slow machine it is found again
	for range broken + 1 {
		entries, err := d.s.Reclaim(d.ctx, flox.ReclaimRequest{Consumer: "w1", Queues: []string{d.queue}, Lease: lease, Max: most})
		d.must(err)
		for _, e := range entries {
			found[e.Run] = true
		}
	}
	if len(found) != 1 || !found[fmt.Sprintf("run%d", broken)] {
		d.t.Errorf("Reclaim = %v, want the one run that is not broken", found)
	}
}
