package dashboards

const wf = ns + `, workflow="$workflow"`

func workflow() Dashboard {
	return Dashboard{
		UID: "flox-workflow", File: "workflow", Title: "flox / Workflow",
		Description: "One workflow: its nodes, their durations and failures.",
		Variables: []Variable{namespaceVar, {
			Name: "workflow", Label: "Workflow", From: "workflow",
			Series: `{__name__=~"flox_runs|flox_items_total", ` + ns + `}`,
		}},
		Rows: []Row{
			{"$workflow", now()},
			{"Nodes", nodes()},
			{"Failures", failures()},
			{"Runs, joins and state", runs()},
		},
	}
}

func now() []Panel {
	ended := func(status string) string {
		return `sum(increase(flox_run_duration_seconds_count{` + wf + status + `}[$__range]))`
	}
	return []Panel{{
		Kind: Stat, Title: "Running", Unit: "short", NoValue: "?", Steps: plain,
		Description: "Runs that have not ended and are not paused.",
		Queries:     []Query{{Expr: state("", "flox_runs", "workflow, status", wf+`, status="running"`), Legend: "running"}},
	}, {
		Kind: Stat, Title: "Completed", Unit: "short", NoValue: "0", Steps: plain,
		Description: "Runs that completed in the time range.",
		Queries:     []Query{{Expr: ended(`, status="completed"`), Legend: "completed"}},
	}, {
		Kind: Stat, Title: "Failed", Unit: "percentunit", NoValue: "none ended", Steps: failedSteps,
		Description: "Of the runs that workers ended in the time range: the share that failed.",
		Queries: []Query{{
			Expr: "(" + ended(`, status="failed"`) + " or vector(0)) / (" + ended("") + " > 0)", Legend: "failed",
			MayBeEmpty: "no run has ended",
		}},
	}, {
		Kind: Stat, Title: "Run duration, p95", Unit: "s", NoValue: "none ended", Steps: plain,
		Description: "95 of 100 runs that ended in the time range took no longer than this.",
		Queries: []Query{{
			Expr:   "histogram_quantile(0.95, sum by (le) (increase(flox_run_duration_seconds_bucket{" + wf + "}[$__range])))",
			Legend: "p95",
		}},
	}, {
		Kind: Stat, Title: "Items", Unit: "ops", NoValue: noWorker, Steps: plain,
		Description: "Attempts at items a second.",
		Queries:     []Query{{Expr: "sum(rate(flox_items_total{" + wf + "}[$__rate_interval]))", Legend: "items"}},
	}, {
		Kind: Stat, Title: "Attempts retried", Unit: "percentunit", NoValue: "none done", Steps: []Step{{0, "green"}, {0.1, "yellow"}, {0.5, "red"}},
		Description: "Of the attempts in the time range: the share that will be made again.",
		Queries: []Query{{
			Expr: "(sum(increase(flox_items_total{" + wf + `, outcome="retry"}[$__range])) or vector(0)) / ` +
				"(sum(increase(flox_items_total{" + wf + "}[$__range])) > 0)",
			Legend: "retried", MayBeEmpty: "no item was done",
		}},
	}}
}

func nodes() []Panel {
	panels := []Panel{{
		Kind: Bars, Title: "Funnel", Unit: "short", NoValue: "No item was done", Steps: plain, Height: 10,
		Description: "Items that each node finished in the time range, retried attempts left out. A node that falls behind the one before it " +
			"loses items to failures, or has a queue before it.",
		Queries: []Query{{
			Expr:   "sort_desc(sum by (node) (increase(flox_items_total{" + wf + `, outcome!="retry"}[$__range])))`,
			Legend: "{{node}}",
		}},
	}, {
		Kind: Lines, Title: "Items by node", Unit: "ops", NoValue: noWorker, Height: 10,
		Description: "Attempts at items a second, by node.",
		Queries:     []Query{{Expr: rate("node", "flox_items_total", wf), Legend: "{{node}}"}},
	}, {
		Kind: Lines, Title: "Items by outcome", Unit: "ops", NoValue: noWorker, Stack: true, Height: 10,
		Description: "Attempts a second by how they ended: next, end, deposit (to a join), fan (out), hold, await (a signal), fallback, retry, fail.",
		Queries:     []Query{{Expr: rate("outcome", "flox_items_total", wf), Legend: "{{outcome}}"}},
	}}
	for _, q := range []struct{ name, q, says string }{
		{"p50", "0.5", "Half of the attempts took no longer than this, by node."},
		{"p95", "0.95", "95 of 100 attempts took no longer than this, by node."},
		{"p99", "0.99", "99 of 100 attempts took no longer than this, by node."},
	} {
		panels = append(panels, Panel{
			Kind: Lines, Title: "Node duration, " + q.name, Unit: "s", NoValue: noWorker, Description: q.says,
			Queries: []Query{{Expr: quantile(q.q, "node", "flox_node_duration_seconds", wf), Legend: "{{node}}"}},
		})
	}
	return panels
}

func failures() []Panel {
	return []Panel{{
		Kind: Lines, Title: "Retries by class", Unit: "ops", NoValue: "No attempt was retried", Stack: true,
		Description: "Failed attempts a second that will be made again, by node and class of the error.",
		Queries: []Query{{
			Expr:   rate("node, class", "flox_attempt_failures_total", wf+`, final="false"`),
			Legend: "{{node}}: {{class}}", MayBeEmpty: noneFailed,
		}},
	}, {
		Kind: Lines, Title: "Failures by class", Unit: "ops", NoValue: "No item failed", Stack: true,
		Description: "Items a second that failed for good, by node and class of the error.",
		Queries: []Query{{
			Expr:   rate("node, class", "flox_attempt_failures_total", wf+`, final="true"`),
			Legend: "{{node}}: {{class}}", MayBeEmpty: noneFailed,
		}},
	}, {
		Kind: Bars, Title: "Failed runs kept", Unit: "short", NoValue: "No run has failed", Steps: []Step{{0, "green"}, {1, "orange"}},
		Description: "Failed runs in Redis by the class of the error they failed of.",
		Queries: []Query{{
			Expr:   "sort_desc(" + state("class", "flox_failed_runs", "workflow, class", wf) + " > 0)",
			Legend: "{{class}}", MayBeEmpty: noneFailed,
		}},
	}}
}

func runs() []Panel {
	return []Panel{{
		Kind: Lines, Title: "Run duration", Unit: "s", NoValue: "No run has ended yet",
		Description: "From a run's start to its end, waits and retries included.",
		Queries:     quantiles("flox_run_duration_seconds", wf, ""),
	}, {
		Kind: Lines, Title: "Runs ended", Unit: "ops", NoValue: "No run has ended yet", Stack: true,
		Description: "Runs that ended a second, by how.",
		Queries:     []Query{{Expr: rate("status", "flox_run_duration_seconds_count", wf), Legend: "{{status}}"}},
	}, {
		Kind: Lines, Title: "Runs kept", Unit: "short", NoValue: noExporter,
		Description: "Runs in Redis by status.",
		Queries:     []Query{{Expr: state("status", "flox_runs", "workflow, status", wf), Legend: "{{status}}"}},
	}, {
		Kind: Lines, Title: "Joins", Unit: "ops", NoValue: "No join has begun",
		Description: "Joins that began a second, by their node.",
		Queries: []Query{{
			Expr: rate("node", "flox_joins_total", wf), Legend: "{{node}}", MayBeEmpty: "the workflow has no join",
		}},
	}, {
		Kind: Lines, Title: "Branches of a join", Unit: "short", NoValue: "No join has begun",
		Description: "Mean of the branches that a join brought together.",
		Queries: []Query{{
			Expr: "sum(rate(flox_join_branches_sum{" + wf + "}[$__rate_interval])) / (sum(rate(flox_join_branches_count{" + wf +
				"}[$__rate_interval])) > 0)",
			Legend: "branches", MayBeEmpty: "the workflow has no join",
		}},
	}, {
		Kind: Lines, Title: "Size of the state", Unit: "bytes", NoValue: "No state was read",
		Description: "Stored size of a run's state when a node read it. Above some 10 kB, keep large things elsewhere and their names here.",
		Queries:     quantiles("flox_state_bytes", wf, "the workflow keeps no state"),
	}}
}
