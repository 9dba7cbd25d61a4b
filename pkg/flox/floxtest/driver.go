package floxtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

const (
	workflow = "wf"
	// lease is short, because stores on real servers wait for it.
	lease = 200 * time.Millisecond
	// patience is how long a claim waits for what must come, on however slow a machine.
	patience = 30 * time.Second
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
	deposits          *sync.Map // of the run: what was left at joins, to the item that left it
	began             time.Time // by the clock here, before anything was done to the run
}

func newDriver(t *testing.T, b Backend) *driver {
	d := &driver{t: t, ctx: t.Context(), b: b, s: b.Store}
	return d.scene("run")
}

// scene is a driver of another run, with queues of its own, in the same namespace.
func (d *driver) scene(run string) *driver {
	d.t.Helper()
	scene := *d
	scene.deposits, scene.began = new(sync.Map), time.Now()
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

// takeItem takes what must come next in the main queue.
func (d *driver) takeItem(item, node string) flox.Loaded {
	d.t.Helper()
	l := d.take()
	if l.Lease.Item() != item || l.Item.Node != node {
		d.t.Fatalf("took %s at %q, want %s at %q", l.Lease.Item(), l.Item.Node, item, node)
	}
	return l
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

// together calls all at the same time and waits for them.
func together(calls ...func()) {
	var wg sync.WaitGroup
	for _, call := range calls {
		wg.Go(call)
	}
	wg.Wait()
}
