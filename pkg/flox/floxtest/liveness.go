package floxtest

import (
	"context"
	"reflect"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

var livenessChecks = []check{
	{"Namespace", namespace},
	{"Workers", workers},
	{"LeaveKeepsEntries", leaveKeepsEntries},
	{"LeaveGivesBack", leaveGivesBack},
	{"LeaveDuringClaim", leaveDuringClaim},
	{"Workflows", workflows},
}

func namespace(d *driver) {
	if err := flox.CheckName("namespace", d.s.Namespace()); err != nil {
		d.t.Error(err)
	}
}

func (d *driver) wantWorkers(want ...flox.WorkerInfo) {
	d.t.Helper()
	got, err := d.s.Workers(d.ctx)
	d.must(err)
	if len(got) != len(want) {
		d.t.Fatalf("Workers = %+v, want %d", got, len(want))
	}
	for i := range got {
		if got[i].Age < 0 || got[i].Age > time.Minute {
			d.t.Errorf("worker %s is %v old, want it fresh", got[i].ID, got[i].Age)
		}
		if !got[i].Started.Equal(want[i].Started) {
			d.t.Errorf("worker %s started %v, want %v", got[i].ID, got[i].Started, want[i].Started)
		}
		got[i].Age, got[i].Started = 0, want[i].Started
		if !reflect.DeepEqual(got[i], want[i]) {
			d.t.Errorf("worker %d = %+v, want %+v", i, got[i], want[i])
		}
	}
}

func workers(d *driver) {
	d.wantWorkers()
	a := flox.WorkerInfo{
		ID: "a-1", Name: "a", PID: 42, Started: time.Now().Truncate(time.Millisecond), Version: "v1",
		Workflows: []string{workflow}, Queues: []string{d.queue, d.other}, Slots: 8,
		Active: []flox.ActiveItem{{Run: "r", Item: "0.0", Node: "first", For: time.Second}},
	}
	b := a
	b.ID, b.Active = "b-1", []flox.ActiveItem{{Run: "r", Item: "0.1", Node: "second"}}
	d.must(d.s.Beat(d.ctx, b))
	d.must(d.s.Beat(d.ctx, a))
	d.wantWorkers(a, b)
	a.Draining = true
	d.must(d.s.Beat(d.ctx, a))
	d.wantWorkers(a, b)
	d.must(d.s.Leave(d.ctx, a))
	d.must(d.s.Leave(d.ctx, a))
	d.wantWorkers(b)
}

// leaveKeepsEntries lets a worker leave that has claimed an entry.
func leaveKeepsEntries(d *driver) {
	w := flox.WorkerInfo{ID: "w0", Name: "w0", Workflows: []string{workflow}, Queues: []string{d.queue, d.other}}
	d.must(d.s.Beat(d.ctx, w))
	d.begin()
	d.must(d.s.Leave(d.ctx, w))
	d.expire()
	entries := d.reclaim("w1")
	if len(entries) != 1 {
		d.t.Fatalf("Reclaim = %+v, want the entry of the worker that left", entries)
	}
	d.commit(end(d.wantGrant(entries[0], flox.GrantOK), "out"), flox.VerdictReleased)
}

// leaveGivesBack lets a worker leave that has claimed entries and loaded none:
// others can take them at once, and nothing is held against them.
func leaveGivesBack(d *driver) {
	w := flox.WorkerInfo{ID: "w0", Name: "w0", Workflows: []string{workflow}, Queues: []string{d.queue, d.other}}
	d.must(d.s.Beat(d.ctx, w))
	d.commit(fan(d.begin(), 3), flox.VerdictReleased)
	held := d.take()
	d.claim(d.queue)
	d.claim(d.queue)
	d.must(d.s.Leave(d.ctx, w))
	for range 2 {
		if l := d.takeAs("w1"); l.Item.Crashes != 0 || l.Lease.Attempt != 0 {
			d.t.Errorf("took it with %d crashes and %d attempts, want none", l.Item.Crashes, l.Lease.Attempt)
		}
	}
	d.commit(end(held, "out"), flox.VerdictReleased)
}

// leaveDuringClaim lets a worker leave whose last claim was given up: what comes
// to it afterwards is not lost on it.
func leaveDuringClaim(d *driver) {
	w := flox.WorkerInfo{ID: "w0", Name: "w0", Workflows: []string{workflow}, Queues: []string{d.queue}}
	ctx, cancel := context.WithCancel(d.ctx)
	claimed := make(chan error, 1)
	go func() {
		_, err := d.s.Claim(ctx, flox.ClaimRequest{Consumer: "w0", Queues: []string{d.queue}, Max: 8, Wait: patience})
		claimed <- err
	}()
	time.Sleep(50 * time.Millisecond)
	cancel()
	if err := <-claimed; err == nil {
		d.t.Error("Claim = nil after its context ended, want an error")
	}
	left := make(chan error, 1)
	go func() { left <- d.s.Leave(d.ctx, w) }()
	d.start()
	d.must(<-left)
	d.takeAs("w1")
}

// takeAs claims and loads one item of the main queue for a consumer.
func (d *driver) takeAs(consumer string) flox.Loaded {
	d.t.Helper()
	entries, err := d.s.Claim(d.ctx, flox.ClaimRequest{
		Consumer: consumer, Queues: []string{d.queue}, Max: 1, Wait: patience,
	})
	d.must(err)
	if len(entries) != 1 {
		d.t.Fatalf("Claim by %s = %d entries, want 1", consumer, len(entries))
	}
	return d.wantGrant(entries[0], flox.GrantOK)
}

func workflows(d *driver) {
	tea := flox.WorkflowInfo{
		Name: "tea", Fingerprint: "1", StartNode: "boil", StartQueue: "tea", NeedsOutput: true,
		Queues: []string{"tea"}, Graph: []byte(`{"nodes":[]}`), Schema: []byte(`{}`),
	}
	d.must(d.s.Register(d.ctx, tea))
	tea.Fingerprint = "2"
	d.must(d.s.Register(d.ctx, tea))
	got, err := d.s.Workflows(d.ctx)
	d.must(err)
	if len(got) != 2 || got[0].Name != "tea" || got[1].Name != workflow {
		d.t.Fatalf("Workflows = %+v, want tea and %s", got, workflow)
	}
	if got[0].Registered.IsZero() {
		d.t.Error("tea has no time of registration")
	}
	got[0].Registered = time.Time{}
	if !reflect.DeepEqual(got[0], tea) {
		d.t.Errorf("Workflows = %+v, want %+v", got[0], tea)
	}
}
