package metrics

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"

	"github.com/floxrun/flox/pkg/flox"
)

// all is one event of each kind, at least.
var all = []flox.Event{
	{Kind: flox.EventClaimed, Queue: "order", Count: 3},
	{Kind: flox.EventStarted, Workflow: "order", Node: "charge", Queue: "order", Queued: true, Waited: 20 * time.Millisecond},
	{Kind: flox.EventStarted, Workflow: "order", Node: "price", Queue: "order"},
	{Kind: flox.EventStarted, Workflow: "order", Node: "ship", Queue: "order"},
	{Kind: flox.EventFinished, Workflow: "order", Node: "charge", Outcome: "retry", Duration: time.Millisecond},
	{Kind: flox.EventFailed, Workflow: "order", Node: "charge", Outcome: "retry", Class: "timeout"},
	{Kind: flox.EventFailed, Workflow: "order", Node: "price", Outcome: "fail", Class: "limit"},
	{Kind: flox.EventFailed, Workflow: "order", Node: "price", Outcome: "fallback", Class: "error"},
	{Kind: flox.EventGivenUp, Workflow: "order", Node: "ship"},
	{Kind: flox.EventCommitted, Workflow: "order", Outcome: "applied", Duration: time.Millisecond},
	{Kind: flox.EventRenewed, Workflow: "order", Count: 1},
	{Kind: flox.EventLeaseLost, Workflow: "order", Node: "charge", Count: 1},
	{Kind: flox.EventReclaimed, Count: 2},
	{Kind: flox.EventPromoted, Count: 5},
	{Kind: flox.EventStoreError, Outcome: "commit", Count: 1},
	{Kind: flox.EventJoined, Workflow: "order", Node: "total", Queue: "order", Count: 7},
	{Kind: flox.EventState, Workflow: "order", Count: 1000},
	{Kind: flox.EventRunEnded, Workflow: "order", Outcome: "completed", Duration: 3 * time.Second},
}

// seen is a registry with the series of a worker that has seen everything.
func seen() *prometheus.Registry {
	reg := prometheus.NewPedanticRegistry()
	w := NewWorker(reg, "shop", 64)
	for _, e := range all {
		w.Observe(e)
	}
	w.Batch(12, time.Millisecond)
	w.Failed("timeout")
	w.Failed("timeout")
	return reg
}

func TestObserve(t *testing.T) {
	for kind := flox.EventClaimed; kind <= flox.EventGivenUp; kind++ {
		if !slices.ContainsFunc(all, func(e flox.Event) bool { return e.Kind == kind }) {
			t.Errorf("this test lacks an event of kind %d", kind)
		}
	}
	reg := seen()
	want := `
# HELP flox_attempt_failures_total Failed attempts by the class of the error; those that are not final are retried.
# TYPE flox_attempt_failures_total counter
flox_attempt_failures_total{class="error",final="true",flox_namespace="shop",node="price",workflow="order"} 1
flox_attempt_failures_total{class="limit",final="true",flox_namespace="shop",node="price",workflow="order"} 1
flox_attempt_failures_total{class="timeout",final="false",flox_namespace="shop",node="charge",workflow="order"} 1
# HELP flox_items_in_flight Items whose node is running.
# TYPE flox_items_in_flight gauge
flox_items_in_flight{flox_namespace="shop"} 1
# HELP flox_items_total Attempts at items by how their node ended.
# TYPE flox_items_total counter
flox_items_total{flox_namespace="shop",node="charge",outcome="retry",workflow="order"} 1
# HELP flox_joins_total Joins that began.
# TYPE flox_joins_total counter
flox_joins_total{flox_namespace="shop",node="total",workflow="order"} 1
# HELP flox_leases_extended_total Heartbeats that extended a lease.
# TYPE flox_leases_extended_total counter
flox_leases_extended_total{flox_namespace="shop"} 1
# HELP flox_leases_lost_total Leases that were lost before their item was committed.
# TYPE flox_leases_lost_total counter
flox_leases_lost_total{flox_namespace="shop",workflow="order"} 1
# HELP flox_leases_reclaimed_total Tokens taken over from workers that are gone.
# TYPE flox_leases_reclaimed_total counter
flox_leases_reclaimed_total{flox_namespace="shop"} 2
# HELP flox_promoted_total Delayed tokens moved to their queues, and deadlines that passed.
# TYPE flox_promoted_total counter
flox_promoted_total{flox_namespace="shop"} 5
# HELP flox_redis_errors_total Commands to Redis that failed.
# TYPE flox_redis_errors_total counter
flox_redis_errors_total{flox_namespace="shop",kind="timeout"} 2
# HELP flox_store_errors_total Calls of the engine to the store that failed.
# TYPE flox_store_errors_total counter
flox_store_errors_total{call="commit",flox_namespace="shop"} 1
# HELP flox_worker_slots Items the worker executes at the same time at most.
# TYPE flox_worker_slots gauge
flox_worker_slots{flox_namespace="shop"} 64
`
	err := testutil.GatherAndCompare(reg, strings.NewReader(want), "flox_attempt_failures_total",
		"flox_items_in_flight", "flox_items_total", "flox_joins_total", "flox_leases_extended_total",
		"flox_leases_lost_total", "flox_leases_reclaimed_total", "flox_promoted_total", "flox_redis_errors_total",
		"flox_store_errors_total", "flox_worker_slots")
	if err != nil {
		t.Error(err)
	}
	for name, sum := range map[string]float64{
		"flox_claim_entries": 3, "flox_queue_wait_seconds": .02, "flox_node_duration_seconds": .001,
		"flox_commit_duration_seconds": .001, "flox_run_duration_seconds": 3, "flox_join_branches": 7,
		"flox_state_bytes": 1000, "flox_redis_batch_commands": 12, "flox_redis_batch_duration_seconds": .001,
	} {
		h := family(t, reg, name).GetMetric()[0].GetHistogram()
		if h.GetSampleCount() != 1 || h.GetSampleSum() != sum {
			t.Errorf("%s has %d observations, sum %v, want one of %v", name, h.GetSampleCount(), h.GetSampleSum(), sum)
		}
		// A native histogram has a schema, and a span for the value.
		if len(h.GetBucket()) == 0 || h.GetSchema() < 1 || len(h.GetPositiveSpan()) == 0 {
			t.Errorf("%s has %d classic buckets, native schema %d, want both kinds", name, len(h.GetBucket()), h.GetSchema())
		}
	}
	for _, name := range []string{"go_goroutines", "process_open_fds"} {
		for _, l := range family(t, reg, name).GetMetric()[0].GetLabel() {
			t.Errorf("%s has label %s, want none", name, l.GetName())
		}
	}
}

func family(t *testing.T, reg prometheus.Gatherer, name string) *dto.MetricFamily {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f
		}
	}
	t.Fatalf("there is no %s", name)
	return nil
}

func TestLint(t *testing.T) {
	problems, err := testutil.GatherAndLint(seen())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// documented reads a table of docs/metrics.md: names, with their types and labels.
func documented(t *testing.T, section string) map[string]string {
	t.Helper()
	doc, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(doc), "\n## "+section+"\n")
	if !ok {
		t.Fatalf("docs/metrics.md has no section %q", section)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	table := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(.*?)` \\| (\\w+) \\| (.*?) ?\\|").FindAllStringSubmatch(rest, -1) {
		var labels []string
		if row[3] != "" {
			labels = strings.Split(row[3], ", ")
		}
		slices.Sort(labels)
		table[row[1]] = fmt.Sprint(row[2], labels)
	}
	return table
}

// exported lists the series of flox that a registry has, as documented does. Each
// must have the label of the namespace.
func exported(t *testing.T, reg prometheus.Gatherer) map[string]string {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	table := map[string]string{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "flox_") {
			continue
		}
		labels := map[string]bool{}
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = true
			}
		}
		if !labels[labelNamespace] {
			t.Errorf("%s lacks the label %s", f.GetName(), labelNamespace)
		}
		delete(labels, labelNamespace)
		table[f.GetName()] = fmt.Sprint(strings.ToLower(f.GetType().String()), slices.Sorted(maps.Keys(labels)))
	}
	return table
}

// TestWorkerIsDocumented compares what a worker exports with docs/metrics.md.
func TestWorkerIsDocumented(t *testing.T) {
	compareTables(t, exported(t, seen()), documented(t, "Of a worker"))
}

func compareTables(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, is := range got {
		if want[name] != is {
			t.Errorf("%s is exported as %s, docs/metrics.md has %q", name, is, want[name])
		}
	}
	for name := range want {
		if got[name] == "" {
			t.Errorf("%s is in docs/metrics.md, but not exported", name)
		}
	}
}

// The first failure of a workflow, and its first lost lease, must be a rise.
func TestExpect(t *testing.T) {
	reg := prometheus.NewPedanticRegistry()
	NewWorker(reg, "shop", 64).Expect("order")
	got, err := testutil.GatherAndCount(reg, "flox_leases_lost_total", "flox_run_duration_seconds")
	if err != nil || got != 3 {
		t.Errorf("series of a worker that has done nothing = %d, %v, want lost leases, completed and failed runs", got, err)
	}
}
