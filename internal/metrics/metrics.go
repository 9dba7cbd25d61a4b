// Package metrics turns what a worker does into Prometheus series.
package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/floxrun/flox/internal/buildinfo"
	"github.com/floxrun/flox/pkg/flox"
)

// Names of labels. Their values come from registered graphs and fixed sets;
// ids of runs and items belong into logs.
const (
	labelWorkflow = "workflow"
	labelNode     = "node"
	labelQueue    = "queue"
	labelOutcome  = "outcome"
	labelCall     = "call"
)

// Worker is a flox.Observer that counts into Prometheus series.
type Worker struct {
	items       *prometheus.CounterVec
	node        *prometheus.HistogramVec
	wait        *prometheus.HistogramVec
	commit      *prometheus.HistogramVec
	inFlight    prometheus.Gauge
	leasesLost  prometheus.Counter
	reclaimed   prometheus.Counter
	promoted    prometheus.Counter
	storeErrors *prometheus.CounterVec
}

var _ flox.Observer = (*Worker)(nil)

// buckets reach from a step that does nothing to one that calls a slow service.
var buckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300}

// NewWorker returns the series of a worker with that many slots, registered
// with reg together with those of the process and the Go runtime. It panics if
// reg has some of them already.
func NewWorker(reg prometheus.Registerer, slots int) *Worker {
	w := &Worker{
		items: counters("flox_items_total",
			"Executed items by how their node ended.", labelWorkflow, labelNode, labelOutcome),
		node: histograms("flox_node_duration_seconds",
			"Time that a node took to process an item.", labelWorkflow, labelNode),
		wait: histograms("flox_queue_wait_seconds",
			"Time that a token was ready before a worker took it.", labelQueue),
		commit: histograms("flox_commit_duration_seconds",
			"Time until the store answered a commit, by its answer.", labelOutcome),
		inFlight:    gauge("flox_items_in_flight", "Items whose node is running."),
		leasesLost:  counter("flox_leases_lost_total", "Leases that were lost before their item was committed."),
		reclaimed:   counter("flox_reclaimed_total", "Tokens taken over from workers that are gone."),
		promoted:    counter("flox_promoted_total", "Delayed tokens moved to their queues."),
		storeErrors: counters("flox_store_errors_total", "Calls to the store that failed.", labelCall),
	}
	size := gauge("flox_worker_slots", "Items the worker executes at the same time at most.")
	size.Set(float64(slots))
	reg.MustRegister(w.items, w.node, w.wait, w.commit, w.inFlight, w.leasesLost, w.reclaimed,
		w.promoted, w.storeErrors, size, buildGauge(),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return w
}

// Observe counts one event.
func (w *Worker) Observe(e flox.Event) {
	switch e.Kind {
	case flox.EventStarted:
		w.inFlight.Inc()
		if e.Waited > 0 {
			w.wait.WithLabelValues(e.Queue).Observe(e.Waited.Seconds())
		}
	case flox.EventFinished:
		w.inFlight.Dec()
		w.items.WithLabelValues(e.Workflow, e.Node, e.Outcome).Inc()
		w.node.WithLabelValues(e.Workflow, e.Node).Observe(e.Duration.Seconds())
	case flox.EventCommitted:
		w.commit.WithLabelValues(e.Outcome).Observe(e.Duration.Seconds())
	case flox.EventLeaseLost:
		w.leasesLost.Inc()
	case flox.EventReclaimed:
		w.reclaimed.Add(float64(e.Count))
	case flox.EventPromoted:
		w.promoted.Add(float64(e.Count))
	case flox.EventStoreError:
		w.storeErrors.WithLabelValues(e.Outcome).Inc()
	}
}

func buildGauge() prometheus.Gauge {
	b := buildinfo.Read()
	g := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "flox_build_info",
		Help: "Always 1; its labels say which build is running.",
		ConstLabels: prometheus.Labels{
			"version": b.Version, "revision": b.Revision, "modified": strconv.FormatBool(b.Modified), "go": b.Go,
		},
	})
	g.Set(1)
	return g
}

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

func histograms(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}
