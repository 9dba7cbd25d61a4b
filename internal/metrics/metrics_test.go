package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/floxrun/flox/pkg/flox"
)

// all is one event of each kind.
var all = []flox.Event{
	{Kind: flox.EventClaimed, Queue: "order", Count: 3},
	{Kind: flox.EventStarted, Workflow: "order", Node: "charge", Queue: "order", Waited: 20 * time.Millisecond},
	{Kind: flox.EventStarted, Workflow: "order", Node: "price", Queue: "order"},
	{Kind: flox.EventFinished, Workflow: "order", Node: "charge", Outcome: "next", Duration: time.Millisecond},
	{Kind: flox.EventCommitted, Workflow: "order", Node: "charge", Outcome: "applied", Duration: time.Millisecond},
	{Kind: flox.EventLeaseLost, Workflow: "order", Node: "charge"},
	{Kind: flox.EventReclaimed, Count: 2},
	{Kind: flox.EventPromoted, Count: 5},
	{Kind: flox.EventStoreError, Outcome: "Commit"},
}

func TestObserve(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	w := NewWorker(reg, 64)
	for _, e := range all {
		w.Observe(e)
	}
	want := `
# HELP flox_items_in_flight Items whose node is running.
# TYPE flox_items_in_flight gauge
flox_items_in_flight 1
# HELP flox_items_total Executed items by how their node ended.
# TYPE flox_items_total counter
flox_items_total{node="charge",outcome="next",workflow="order"} 1
# HELP flox_leases_lost_total Leases that were lost before their item was committed.
# TYPE flox_leases_lost_total counter
flox_leases_lost_total 1
# HELP flox_promoted_total Delayed tokens moved to their queues.
# TYPE flox_promoted_total counter
flox_promoted_total 5
# HELP flox_reclaimed_total Tokens taken over from workers that are gone.
# TYPE flox_reclaimed_total counter
flox_reclaimed_total 2
# HELP flox_store_errors_total Calls to the store that failed.
# TYPE flox_store_errors_total counter
flox_store_errors_total{call="Commit"} 1
# HELP flox_worker_slots Items the worker executes at the same time at most.
# TYPE flox_worker_slots gauge
flox_worker_slots 64
`
	err := testutil.GatherAndCompare(reg, strings.NewReader(want), "flox_items_in_flight", "flox_items_total",
		"flox_leases_lost_total", "flox_promoted_total", "flox_reclaimed_total", "flox_store_errors_total",
		"flox_worker_slots")
	if err != nil {
		t.Error(err)
	}
	for _, name := range []string{"flox_node_duration_seconds", "flox_queue_wait_seconds",
		"flox_commit_duration_seconds", "flox_build_info", "go_goroutines", "process_open_fds"} {
		if n, err := testutil.GatherAndCount(reg, name); n != 1 || err != nil {
			t.Errorf("GatherAndCount(%s) = %d, %v, want 1 series", name, n, err)
		}
	}
}

func TestLint(t *testing.T) {
	reg := prometheus.NewRegistry()
	w := NewWorker(reg, 64)
	for _, e := range all {
		w.Observe(e)
	}
	problems, err := testutil.GatherAndLint(reg)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
