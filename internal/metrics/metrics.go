// Package metrics turns what workers do, and how a cluster stands, into Prometheus
// series. docs/metrics.md lists them.
package metrics

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/floxrun/flox/internal/buildinfo"
)

// labelNamespace is on every series of flox. Its name keeps clear of the namespace
// that Kubernetes adds to targets.
const labelNamespace = "flox_namespace"

// Names of labels. Their values come from registered graphs and fixed sets;
// ids of runs and items belong into logs.
const (
	labelWorkflow = "workflow"
	labelNode     = "node"
	labelQueue    = "queue"
	labelOutcome  = "outcome"
	labelStatus   = "status"
	labelClass    = "class"
	labelFinal    = "final"
	labelKind     = "kind"
	labelCall     = "call"
)

// ofProcess registers with reg the series of the process, the Go runtime and the
// build, and returns what the series of flox are to be registered with: they get
// the label of the namespace. It panics if reg has some of them already.
func ofProcess(reg prometheus.Registerer, namespace string) prometheus.Registerer {
	own := prometheus.WrapRegistererWith(prometheus.Labels{labelNamespace: namespace}, reg)
	own.MustRegister(buildGauge())
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return own
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

func histogram(name, help string, buckets []float64) prometheus.Histogram {
	return prometheus.NewHistogram(histogramOpts(name, help, buckets))
}

func histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(histogramOpts(name, help, buckets), labels)
}

// histogramOpts are those of a histogram with classic buckets, and native ones for
// who scrapes those: each 10 % wider than the one before it, and wider still if
// there would be more than 160.
func histogramOpts(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{
		Name: name, Help: help, Buckets: buckets,
		NativeHistogramBucketFactor:     1.1,
		NativeHistogramMaxBucketNumber:  160,
		NativeHistogramMinResetDuration: time.Hour,
	}
}
