package dashboards

// Every series of flox is chosen by its namespace. What orchestrator serve
// exports is the cluster's state, the same from each of several: state takes it
// once.
const ns = `flox_namespace=~"$namespace"`

// rate is the summed rate of a counter of the workers.
func rate(by, name, where string) string {
	return "sum by (" + by + ") (rate(" + name + "{" + where + "}[$__rate_interval]))"
}

// quantile is one of a classic histogram.
func quantile(q, by, name, where string) string {
	le := "le"
	if by != "" {
		le += ", " + by
	}
	return "histogram_quantile(" + q + ", " + rate(le, name+"_bucket", where) + ")"
}

// quantiles are p50, p95 and p99, each as a query with its name for a legend.
func quantiles(name, where, empty string) []Query {
	return []Query{
		{Expr: quantile("0.5", "", name, where), Legend: "p50", MayBeEmpty: empty},
		{Expr: quantile("0.95", "", name, where), Legend: "p95", MayBeEmpty: empty},
		{Expr: quantile("0.99", "", name, where), Legend: "p99", MayBeEmpty: empty},
	}
}

// state is a gauge of orchestrator serve, summed over what is not in by. Labels
// are all that the series has besides its namespace.
func state(by, name, labels, where string) string {
	if labels != "" {
		labels = ", " + labels
	}
	sum := "sum"
	if by != "" {
		sum += " by (" + by + ")"
	}
	return sum + " (max by (flox_namespace" + labels + ") (" + name + "{" + where + "}))"
}

// ofWorkers narrows a series of the process to those of workers of the
// namespace: process_* and go_* do not have its label.
func ofWorkers(series string) string {
	return series + " and on (job, instance) flox_worker_slots{" + ns + "}"
}

var namespaceVar = Variable{Name: "namespace", Label: "Namespace", Series: "flox_build_info", From: "flox_namespace", Multi: true}

var queueVar = Variable{
	Name: "queue", Label: "Queue", Multi: true, From: "queue",
	Series: `{__name__=~"flox_queue_items|flox_queue_wait_seconds_count", ` + ns + `}`,
}

const (
	noneFailed = "nothing has failed"
	noExporter = "No data: does orchestrator serve run, and is it scraped?"
	noWorker   = "No data: does a worker run, and is it scraped?"
)
