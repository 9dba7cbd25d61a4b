package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/floxrun/flox/pkg/flox"
)

// Classic buckets, in seconds, entries, branches, commands and bytes.
var (
	// From a step that does nothing to one that calls a slow service.
	nodeBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}
	// From an idle worker to a queue that nobody takes from.
	waitBuckets = []float64{.001, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200}
	// From a chain of quick steps to a run that waits for people.
	runBuckets = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200, 86400, 604800}
	// From a round trip to the store to as long as a lease.
	storeBuckets  = []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}
	entryBuckets  = []float64{1, 2, 4, 8, 16, 32, 64, 128, 256}
	branchBuckets = []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 20000}
	batchBuckets  = []float64{1, 2, 4, 8, 16, 32, 64, 128}
	byteBuckets   = prometheus.ExponentialBuckets(64, 4, 10) // to 16 MiB
)

// Worker turns the events of a worker and of its store into series. It is a
// flox.Observer and a redisstore.Observer, and safe for concurrent use.
type Worker struct {
	items, failures               *prometheus.CounterVec
	node, wait, run, commit       *prometheus.HistogramVec
	claimed                       prometheus.Histogram
	extended, reclaimed, promoted prometheus.Counter
	lost, joins                   *prometheus.CounterVec
	branches, state               *prometheus.HistogramVec
	inFlight                      prometheus.Gauge
	storeErrors, redisErrors      *prometheus.CounterVec
	batchCommands, batchDuration  prometheus.Histogram
}

var _ flox.Observer = (*Worker)(nil)

// NewWorker returns the series of a worker of that namespace with that many slots,
// registered with reg together with those of the process and the Go runtime. It
// panics if reg has some of them already.
func NewWorker(reg prometheus.Registerer, namespace string, slots int) *Worker {
	w := &Worker{
		items: counters("flox_items_total",
			"Attempts at items by how their node ended.", labelWorkflow, labelNode, labelOutcome),
		failures: counters("flox_attempt_failures_total",
			"Failed attempts by the class of the error; those that are not final are retried.",
			labelWorkflow, labelNode, labelClass, labelFinal),
		node: histograms("flox_node_duration_seconds",
			"Time that a node took to process an item.", nodeBuckets, labelWorkflow, labelNode),
		wait: histograms("flox_queue_wait_seconds",
			"Time that a token was ready before a worker took it.", waitBuckets, labelQueue),
		run: histograms("flox_run_duration_seconds",
			"Time from a run's start to its end, of those that this worker has seen completed or failed.",
			runBuckets, labelWorkflow, labelStatus),
		commit: histograms("flox_commit_duration_seconds",
			"Time until the store answered a commit, by its answer.", storeBuckets, labelOutcome),
		claimed:   histogram("flox_claim_entries", "Entries that one claim brought.", entryBuckets),
		extended:  counter("flox_leases_extended_total", "Heartbeats that extended a lease."),
		lost:      counters("flox_leases_lost_total", "Leases that were lost before their item was committed.", labelWorkflow),
		reclaimed: counter("flox_leases_reclaimed_total", "Tokens taken over from workers that are gone."),
		promoted:  counter("flox_promoted_total", "Delayed tokens moved to their queues, and deadlines that passed."),
		joins:     counters("flox_joins_total", "Joins that began.", labelWorkflow, labelNode),
		branches: histograms("flox_join_branches",
			"Branches that a join brought together.", branchBuckets, labelWorkflow),
		state: histograms("flox_state_bytes",
			"Stored size of a run's state when it was read.", byteBuckets, labelWorkflow),
		inFlight:      gauge("flox_items_in_flight", "Items whose node is running."),
		storeErrors:   counters("flox_store_errors_total", "Calls of the engine to the store that failed.", labelCall),
		redisErrors:   counters("flox_redis_errors_total", "Commands to Redis that failed.", labelKind),
		batchCommands: histogram("flox_redis_batch_commands", "Commands in one pipeline to Redis.", batchBuckets),
		batchDuration: histogram("flox_redis_batch_duration_seconds", "Time until Redis had answered a pipeline.", storeBuckets),
	}
	size := gauge("flox_worker_slots", "Items the worker executes at the same time at most.")
	size.Set(float64(slots))
	ofProcess(reg, namespace).MustRegister(w.items, w.failures, w.node, w.wait, w.run, w.commit, w.claimed,
		w.extended, w.lost, w.reclaimed, w.promoted, w.joins, w.branches, w.state, w.inFlight, size,
		w.storeErrors, w.redisErrors, w.batchCommands, w.batchDuration)
	return w
}

// Expect makes what alerts ask of the workflows be there from the start, at zero: a
// rate does not see what came before the first sample of a series.
func (w *Worker) Expect(workflows ...string) {
	for _, name := range workflows {
		w.lost.WithLabelValues(name)
		for _, status := range []flox.Status{flox.StatusCompleted, flox.StatusFailed} {
			w.run.WithLabelValues(name, string(status))
		}
	}
}

// Observe counts one event.
func (w *Worker) Observe(e flox.Event) {
	switch e.Kind {
	case flox.EventStarted:
		w.inFlight.Inc()
		if e.Queued {
			w.wait.WithLabelValues(e.Queue).Observe(e.Waited.Seconds())
		}
	case flox.EventFinished:
		w.inFlight.Dec()
		w.items.WithLabelValues(e.Workflow, e.Node, e.Outcome).Inc()
		w.node.WithLabelValues(e.Workflow, e.Node).Observe(e.Duration.Seconds())
	case flox.EventGivenUp:
		w.inFlight.Dec()
	case flox.EventFailed:
		final := strconv.FormatBool(e.Outcome != "retry")
		w.failures.WithLabelValues(e.Workflow, e.Node, e.Class, final).Inc()
	case flox.EventJoined:
		w.joins.WithLabelValues(e.Workflow, e.Node).Inc()
		w.branches.WithLabelValues(e.Workflow).Observe(float64(e.Count))
	case flox.EventState:
		w.state.WithLabelValues(e.Workflow).Observe(float64(e.Count))
	case flox.EventRunEnded:
		w.run.WithLabelValues(e.Workflow, e.Outcome).Observe(e.Duration.Seconds())
	default:
		w.observeStore(e)
	}
}

// observeStore counts what passes between the worker and the store.
func (w *Worker) observeStore(e flox.Event) {
	switch e.Kind {
	case flox.EventClaimed:
		w.claimed.Observe(float64(e.Count))
	case flox.EventCommitted:
		w.commit.WithLabelValues(e.Outcome).Observe(e.Duration.Seconds())
	case flox.EventRenewed:
		w.extended.Inc()
	case flox.EventLeaseLost:
		w.lost.WithLabelValues(e.Workflow).Inc()
	case flox.EventReclaimed:
		w.reclaimed.Add(float64(e.Count))
	case flox.EventPromoted:
		w.promoted.Add(float64(e.Count))
	case flox.EventStoreError:
		w.storeErrors.WithLabelValues(e.Outcome).Inc()
	}
}

// Batch counts a pipeline that Redis has answered.
func (w *Worker) Batch(commands int, took time.Duration) {
	w.batchCommands.Observe(float64(commands))
	w.batchDuration.Observe(took.Seconds())
}

// Failed counts a command that failed.
func (w *Worker) Failed(kind string) { w.redisErrors.WithLabelValues(kind).Inc() }
