package metrics

import (
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// More names of labels.
const (
	labelState   = "state"
	labelServer  = "server"
	labelVersion = "version"
	labelMode    = "mode"
	labelOf      = "of"
	labelPart    = "part"
)

// series is one metric of the cluster.
type series struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
}

// clusterSeries are all of them.
var clusterSeries []series

func newSeries(kind prometheus.ValueType, name, help string, labels ...string) series {
	s := series{prometheus.NewDesc(name, help, labels, nil), kind}
	clusterSeries = append(clusterSeries, s)
	return s
}

// at is the metric with a value and, in their order, the values of its labels. What
// is no UTF-8 in them, as something else may have written it, is marked.
func (s series) at(value float64, labels ...string) prometheus.Metric {
	for i, label := range labels {
		labels[i] = strings.ToValidUTF8(label, "\uFFFD")
	}
	return prometheus.MustNewConstMetric(s.desc, s.kind, value, labels...)
}

const (
	gaugeSeries   = prometheus.GaugeValue
	counterSeries = prometheus.CounterValue
)

var (
	seriesRuns   = newSeries(gaugeSeries, "flox_runs", "Runs that are kept.", labelWorkflow, labelStatus)
	seriesFailed = newSeries(gaugeSeries, "flox_failed_runs",
		"Failed runs by the class of the error they failed of, none if it was no node that failed.", labelWorkflow, labelClass)
	seriesItems = newSeries(gaugeSeries, "flox_queue_items",
		"Tokens: ready, leased, delayed, or held because their run is paused or failed.", labelQueue, labelState)
	seriesOldest = newSeries(gaugeSeries, "flox_queue_oldest_ready_seconds",
		"Age of the oldest entry that no worker has taken, 0 if there is none.", labelQueue)
	seriesTaken   = newSeries(counterSeries, "flox_queue_taken_total", "Entries handed to workers.", labelQueue)
	seriesWorkers = newSeries(gaugeSeries, "flox_workers", "Workers: alive, draining, stale or dead.", labelState)
	seriesSlots   = newSeries(gaugeSeries, "flox_workers_slots", "Slots of the workers that are alive.")
	seriesBusy    = newSeries(gaugeSeries, "flox_workers_busy", "Slots of the workers that are alive with an item.")

	seriesUp   = newSeries(gaugeSeries, "flox_redis_up", "1 if the server answers.", labelServer)
	seriesInfo = newSeries(gaugeSeries, "flox_redis_info", "Always 1; its labels say what the server is.",
		labelServer, labelVersion, labelMode)
	seriesMemory    = newSeries(gaugeSeries, "flox_redis_memory_used_bytes", "Memory in use.", labelServer)
	seriesMemoryMax = newSeries(gaugeSeries, "flox_redis_memory_max_bytes", "The server's limit of memory, 0 for none.", labelServer)
	seriesKeyMemory = newSeries(gaugeSeries, "flox_redis_key_memory_bytes",
		"Memory of the namespace's keys by kind, from samples.", labelKind)
	seriesEvicted = newSeries(counterSeries, "flox_redis_evicted_keys_total",
		"Keys evicted: each may be a lost run.", labelServer)
	seriesPersists = newSeries(gaugeSeries, "flox_redis_persistence_ok", "1 if the last write was well.", labelServer, labelOf)
	seriesAOF      = newSeries(gaugeSeries, "flox_redis_aof_enabled", "1 if the append-only file is on.", labelServer)
	seriesSaved    = newSeries(gaugeSeries, "flox_redis_last_save_timestamp_seconds",
		"When the last snapshot was saved.", labelServer)
	seriesReplicas = newSeries(gaugeSeries, "flox_redis_replicas", "Replicas connected.", labelServer)
	seriesLag      = newSeries(gaugeSeries, "flox_redis_replication_lag_bytes",
		"How far the replica that is the furthest behind is behind.", labelServer)
	seriesClients  = newSeries(gaugeSeries, "flox_redis_clients", "Connections.", labelServer)
	seriesCommands = newSeries(counterSeries, "flox_redis_commands_total", "Commands processed.", labelServer)
	seriesOffset   = newSeries(gaugeSeries, "flox_redis_clock_offset_seconds",
		"The server's clock less the exporter's.", labelServer)
	seriesBackwards = newSeries(counterSeries, "flox_redis_clock_regressions_total",
		"Times the server's clock was seen to run backwards.", labelServer)

	seriesTook = newSeries(gaugeSeries, "flox_exporter_refresh_duration_seconds",
		"How long the last reading of a part took.", labelPart)
	seriesRead = newSeries(gaugeSeries, "flox_exporter_refresh_timestamp_seconds",
		"When a part was last read in full, until then when the process started.", labelPart)
	seriesErrors = newSeries(counterSeries, "flox_exporter_errors_total", "Readings that failed.", labelPart)
)
