package floxtest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

// What the driver checks, and what it does to a run as a whole.

// commit commits and checks the verdict, the run's ledger, and that the answer says
// that the run has ended if and only if it did so just now.
func (d *driver) commit(c flox.Commit, want flox.Verdict) flox.CommitResult {
	d.t.Helper()
	before := d.info()
	result, err := d.s.Commit(d.ctx, c)
	d.must(err)
	if result.Verdict != want {
		d.t.Fatalf("Commit(%s, op %d) = verdict %d, want %d", c.Item(), c.Op, result.Verdict, want)
	}
	d.wantEnded(before, d.ledger(), result)
	if c.Op == flox.OpDeposit && result.Verdict.Applied() {
		d.deposits.Store(string(c.Output), c.Item())
	}
	return result
}

// wantEnded checks what a commit's answer says about the run's end.
func (d *driver) wantEnded(before, after flox.RunInfo, got flox.CommitResult) {
	d.t.Helper()
	var status flox.Status
	var lasted time.Duration
	if after.Status.Terminal() && !before.Status.Terminal() {
		status, lasted = after.Status, after.Ended.Sub(after.Created)
	}
	if got.Ended != status || got.Lasted != lasted {
		d.t.Fatalf("commit in %s, which was %s and is %s, = ended %q after %v, want %q after %v",
			d.run, before.Status, after.Status, got.Ended, got.Lasted, status, lasted)
	}
}

// settleSome calls Settle, checks what it says of the run's end, and returns whether
// there is more to do.
func (d *driver) settleSome(run string) (more bool) {
	d.t.Helper()
	before, existed := d.stands()
	got, err := d.s.Settle(d.ctx, run)
	d.must(err)
	if after, exists := d.stands(); existed && exists {
		d.wantTold("Settle", before, after, got.Ended)
	}
	return got.More
}

// wantTold checks that a call tells that the run has ended if and only if it has.
func (d *driver) wantTold(call string, before, after flox.RunInfo, got []flox.EndedRun) {
	d.t.Helper()
	var told, want []flox.EndedRun
	for _, r := range got {
		if r.Run == d.run { // there may be other scenes
			told = append(told, r)
		}
	}
	if after.Status.Terminal() && !before.Status.Terminal() {
		want = []flox.EndedRun{{
			Namespace: d.s.Namespace(), Run: d.run, Workflow: after.Workflow, Trace: after.Trace,
			Status: after.Status, Lasted: after.Ended.Sub(after.Created), Cause: after.Cause,
		}}
	}
	if !slices.Equal(told, want) {
		d.t.Fatalf("%s with %s, which was %s and is %s, tells of %+v, want %+v", call, d.run, before.Status, after.Status, told, want)
	}
}

// stands is Info of a run that may not be there.
func (d *driver) stands() (info flox.RunInfo, ok bool) {
	d.t.Helper()
	info, err := d.s.Info(d.ctx, d.run)
	if !errors.Is(err, flox.ErrNotFound) {
		d.must(err)
	}
	return info, err == nil
}

func (d *driver) info() flox.RunInfo {
	d.t.Helper()
	info, err := d.s.Info(d.ctx, d.run)
	d.must(err)
	return info
}

// ledger checks that every item ever made is accounted for.
func (d *driver) ledger() flox.RunInfo {
	d.t.Helper()
	info := d.info()
	n := info.Counts
	if n.Created != n.Committed+n.Failed+n.Dropped+n.Live || n.Live < 0 || n.Parked < 0 || n.Parked > n.Live ||
		n.Held < 0 || n.Held > n.Committed {
		d.t.Fatalf("ledger of %s is wrong: %+v", d.run, n)
	}
	return info
}

func (d *driver) wantStatus(want flox.Status) flox.RunInfo {
	d.t.Helper()
	info := d.info()
	if info.Status != want {
		d.t.Fatalf("Info(%q).Status = %q (%q), want %q", d.run, info.Status, info.Cause, want)
	}
	return info
}

func (d *driver) wantCounts(want flox.Counts) {
	d.t.Helper()
	if got := d.info().Counts; got != want {
		d.t.Fatalf("Info(%q).Counts = %+v, want %+v", d.run, got, want)
	}
}

func (d *driver) control(op flox.ControlOp) flox.Status {
	d.t.Helper()
	status, err := d.s.Control(d.ctx, flox.ControlRequest{Run: d.run, Op: op, Nonce: newOwner()})
	d.must(err)
	return status
}

// settle does all the work that a control left.
func (d *driver) settle() {
	d.t.Helper()
	for range 100 {
		if !d.settleSome(d.run) {
			return
		}
	}
	d.t.Fatalf("Settle(%q) never comes to an end", d.run)
}

// reclaim takes over what has expired in the main queue.
func (d *driver) reclaim(consumer string) []flox.Entry {
	d.t.Helper()
	return d.reclaimAfter(lease, consumer)
}

// reclaimAfter takes over what nobody has renewed for so long.
func (d *driver) reclaimAfter(lease time.Duration, consumer string) []flox.Entry {
	d.t.Helper()
	entries, err := d.s.Reclaim(d.ctx, flox.ReclaimRequest{
		Consumer: consumer, Queues: []string{d.queue}, Lease: lease, Max: 100,
	})
	d.must(err)
	return entries
}

// expire lets all leases run out.
func (d *driver) expire() { d.b.Advance(lease + lease/4) }

// unchanged checks that f changes nothing in the store.
func (d *driver) unchanged(what string, f func()) {
	d.t.Helper()
	before := d.dump()
	f()
	after := d.dump()
	for _, key := range slices.Sorted(maps.Keys(after)) {
		if before[key] != after[key] {
			d.t.Fatalf("%s changed %s from\n%s\nto\n%s", what, key, before[key], after[key])
		}
	}
	for key := range before {
		if _, ok := after[key]; !ok {
			d.t.Fatalf("%s removed %s", what, key)
		}
	}
}

func (d *driver) dump() map[string]string {
	if d.b.Dump == nil {
		return nil
	}
	return d.b.Dump(d.t)
}

// tokens returns the run's live tokens by id.
func (d *driver) tokens() map[string]flox.TokenInfo {
	d.t.Helper()
	all := map[string]flox.TokenInfo{}
	for cursor := ""; ; {
		tokens, next, err := d.s.Checkpoint(d.ctx, d.run, cursor, 50)
		d.must(err)
		for _, token := range tokens {
			all[token.Token] = token
		}
		if next == "" {
			return all
		}
		cursor = next
	}
}

func (d *driver) wantDeltas(want ...string) {
	d.t.Helper()
	log, err := d.s.State(d.ctx, d.run, 0)
	d.must(err)
	if got := fmt.Sprintf("%q", log.Deltas); got != fmt.Sprintf("%q", want) || log.Version != int64(len(want)) {
		d.t.Fatalf("State = %s, version %d, want %q", got, log.Version, want)
	}
}

func (d *driver) wantOutputs(want ...string) {
	d.t.Helper()
	outputs, err := d.s.Outputs(d.ctx, d.run)
	d.must(err)
	if got := fmt.Sprintf("%q", outputs); got != fmt.Sprintf("%q", want) {
		d.t.Fatalf("Outputs = %s, want %q", got, want)
	}
}
