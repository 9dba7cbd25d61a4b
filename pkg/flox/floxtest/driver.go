package floxtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

const (
	workflow = "wf"
	// lease is short, because stores on real servers wait for it.
	lease = 200 * time.Millisecond
	// patience is how long a claim waits for what must come.
	patience = 5 * time.Second
	// crashes is the limit of crashes everywhere but where it matters.
	crashes = 3
)

// owners numbers the leases' owners, which must be unique for ever.
var owners atomic.Int64

// driver does to a store what workers and orchestrators do, in few words. It
// knows one run and two queues.
type driver struct {
	t                 *testing.T
	ctx               context.Context
	b                 Backend
	s                 flox.Store
	run, queue, other string
}

func newDriver(t *testing.T, b Backend) *driver {
	d := &driver{t: t, ctx: t.Context(), b: b, s: b.Store}
	return d.scene("run")
}

// scene is a driver of another run, with queues of its own, in the same namespace.
func (d *driver) scene(run string) *driver {
	d.t.Helper()
	scene := *d
	scene.run, scene.queue, scene.other = run, run+"-queue", run+"-other"
	err := d.s.Register(d.ctx, flox.WorkflowInfo{
		Name: workflow, StartNode: "first", StartQueue: scene.queue,
		Queues: []string{scene.queue, scene.other},
	})
	d.must(err)
	return &scene
}

func (d *driver) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *driver) request() flox.StartRequest {
	return flox.StartRequest{
		Run: d.run, Nonce: "start-" + d.run, Workflow: workflow, Fingerprint: "print",
		Node: "first", Queue: d.queue, Input: []byte("input"), NeedsOutput: true,
	}
}

func (d *driver) start() {
	d.t.Helper()
	d.must(d.s.Start(d.ctx, d.request()))
}

// begin starts the run and takes its first item.
func (d *driver) begin() flox.Loaded {
	d.t.Helper()
	d.start()
	return d.take()
}

// claim claims one entry, which must come.
func (d *driver) claim(queue string) flox.Entry {
	d.t.Helper()
	entries, err := d.s.Claim(d.ctx, flox.ClaimRequest{
		Consumer: "w0", Queues: []string{queue}, Max: 1, Wait: patience,
	})
	d.must(err)
	if len(entries) != 1 {
		d.t.Fatalf("Claim(%q) = %d entries, want 1", queue, len(entries))
	}
	return entries[0]
}

// idle checks that a queue has nothing to claim.
func (d *driver) idle(queue string) {
	d.t.Helper()
	entries, err := d.s.Claim(d.ctx, flox.ClaimRequest{Consumer: "w0", Queues: []string{queue}, Max: 10})
	d.must(err)
	if len(entries) > 0 {
		d.t.Fatalf("Claim(%q) = %+v, want nothing", queue, entries)
	}
}

// load loads an entry under a new owner.
func (d *driver) load(e flox.Entry) flox.Loaded {
	d.t.Helper()
	loaded, err := d.s.Load(d.ctx, e, newOwner(), crashes)
	d.must(err)
	return loaded
}

func newOwner() string { return fmt.Sprintf("owner-%d", owners.Add(1)) }

// wantGrant loads an entry and checks the grant.
func (d *driver) wantGrant(e flox.Entry, want flox.Grant) flox.Loaded {
	d.t.Helper()
	loaded := d.load(e)
	if loaded.Grant != want {
		d.t.Fatalf("Load(%s/%s) = grant %d, want %d", e.Run, e.Token, loaded.Grant, want)
	}
	return loaded
}

// take claims and loads one item of the main queue.
func (d *driver) take() flox.Loaded { d.t.Helper(); return d.takeFrom(d.queue) }

func (d *driver) takeFrom(queue string) flox.Loaded {
	d.t.Helper()
	return d.wantGrant(d.claim(queue), flox.GrantOK)
}

// takeAll claims and loads n items of the main queue, by token.
func (d *driver) takeAll(n int) map[string]flox.Loaded {
	d.t.Helper()
	items := map[string]flox.Loaded{}
	for range n {
		l := d.take()
		items[l.Lease.Token] = l
	}
	if len(items) != n {
		d.t.Fatalf("took tokens %v, want %d different ones", slices.Sorted(maps.Keys(items)), n)
	}
	return items
}

// commit commits and checks the verdict and the run's ledger.
func (d *driver) commit(c flox.Commit, want flox.Verdict) flox.CommitResult {
	d.t.Helper()
	result, err := d.s.Commit(d.ctx, c)
	d.must(err)
	if result.Verdict != want {
		d.t.Fatalf("Commit(%s, op %d) = verdict %d, want %d", c.Item(), c.Op, result.Verdict, want)
	}
	d.ledger()
	return result
}

func (d *driver) info() flox.RunInfo {
	d.t.Helper()
	info, err := d.s.Info(d.ctx, d.run)
	d.must(err)
	return info
}

// ledger checks that every item ever made is accounted for.
func (d *driver) ledger() {
	d.t.Helper()
	info, err := d.s.Info(d.ctx, d.run)
	d.must(err)
	n := info.Counts
	if n.Created != n.Committed+n.Failed+n.Dropped+n.Live || n.Live < 0 || n.Parked < 0 || n.Parked > n.Live {
		d.t.Fatalf("ledger of %s is wrong: %+v", d.run, n)
	}
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
		more, err := d.s.Settle(d.ctx, d.run)
		d.must(err)
		if !more {
			return
		}
	}
	d.t.Fatalf("Settle(%q) never comes to an end", d.run)
}

// reclaim takes over what has expired in the main queue.
func (d *driver) reclaim(consumer string) []flox.Entry {
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
