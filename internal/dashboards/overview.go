package dashboards

func overview() Dashboard {
	return Dashboard{
		UID: "flox-overview", File: "overview", Title: "flox / Overview",
		Description: "Is the cluster healthy, and what does it do?",
		Variables:   []Variable{namespaceVar, queueVar},
		Rows: []Row{
			{"Are we healthy?", healthy()},
			{"Throughput", throughput()},
			{"Queues", depths()},
			{"Workers and Redis", capacity()},
		},
	}
}

func healthy() []Panel {
	return []Panel{{
		Kind: Stat, Title: "Redis", Unit: "none", NoValue: "?", Steps: onlyGood, Says: map[string]string{"0": "down", "1": "up"},
		Description: "Whether every Redis server answers orchestrator serve. Nothing moves while one is down; nothing is lost.",
		Queries:     []Query{{Expr: "min(max by (flox_namespace, server) (flox_redis_up{" + ns + "}))", Legend: "Redis"}},
	}, {
		Kind: Stat, Title: "Workers alive", Unit: "none", NoValue: "?", Steps: onlyGood,
		Description: "Worker processes whose last heartbeat is less than 15 s old.",
		Queries:     []Query{{Expr: state("", "flox_workers", "state", ns+`, state="alive"`), Legend: "alive"}},
	}, {
		Kind: Stat, Title: "Slots in use", Unit: "percentunit", NoValue: "?", Steps: plain,
		Description: "How much of what the workers can do at the same time they are doing. Near 100 % with a growing queue: add workers.",
		Queries: []Query{{
			Expr:   state("", "flox_workers_busy", "", ns) + " / (" + state("", "flox_workers_slots", "", ns) + " > 0)",
			Legend: "in use", MayBeEmpty: "no worker is alive, so there are no slots",
		}},
	}, {
		Kind: Stat, Title: "Oldest ready item", Unit: "s", NoValue: "?", Steps: waitSteps,
		Description: "How long the item has waited that has waited longest for a worker. It should stay at some seconds.",
		Queries:     []Query{{Expr: "max(flox_queue_oldest_ready_seconds{" + ns + `, queue=~"$queue"})`, Legend: "oldest"}},
	}, {
		Kind: Stat, Title: "Runs that failed", Unit: "percentunit", NoValue: "none ended", Steps: failedSteps,
		Description: "Of the runs that workers ended in the time range: the share that failed.",
		Queries: []Query{{
			Expr: `(sum(increase(flox_run_duration_seconds_count{` + ns + `, status="failed"}[$__range])) or vector(0)) / ` +
				`(sum(increase(flox_run_duration_seconds_count{` + ns + `}[$__range])) > 0)`,
			Legend: "failed", MayBeEmpty: "no run has ended",
		}},
	}, {
		Kind: Stat, Title: "Alerts firing", Unit: "none", NoValue: "?", Steps: noneIsGood,
		Description: "Alerts of flox that fire, whatever their namespace. The table below names them.",
		Queries:     []Query{{Expr: `count(ALERTS{alertname=~"Flox.+", alertstate="firing"}) or vector(0)`, Legend: "firing"}},
	}, {
		Kind: Table, Title: "Alerts", Unit: "none", NoValue: "No alert is pending or firing.", Width: 24, Height: 5,
		Description: "Alerts that fire, or will if things stay as they are. docs/runbook.md has a section for each.",
		Queries: []Query{{
			Expr:   `max by (alertname, alertstate, severity, flox_namespace, workflow, queue, server) (ALERTS{alertname=~"Flox.+"})`,
			Legend: "{{alertname}}", MayBeEmpty: "no alert is pending or firing",
		}},
	}}
}

func throughput() []Panel {
	return []Panel{{
		Kind: Lines, Title: "Runs ended", Unit: "ops", NoValue: "No run has ended yet", Stack: true,
		Description: "Runs that ended a second, by how.",
		Queries:     []Query{{Expr: rate("status", "flox_run_duration_seconds_count", ns), Legend: "{{status}}"}},
	}, {
		Kind: Lines, Title: "Items done", Unit: "ops", NoValue: noWorker, Stack: true,
		Description: "Attempts at items a second, by workflow.",
		Queries:     []Query{{Expr: rate("workflow", "flox_items_total", ns), Legend: "{{workflow}}"}},
	}, {
		Kind: Lines, Title: "Attempts that failed", Unit: "ops", NoValue: "None failed", Stack: true,
		Description: "Failed attempts a second, by workflow, class, and whether it was the last one. Those that are not are tried again.",
		Queries: []Query{{
			Expr:   rate("workflow, class, final", "flox_attempt_failures_total", ns),
			Legend: "{{workflow}}: {{class}}, final {{final}}", MayBeEmpty: noneFailed,
		}},
	}, {
		Kind: Lines, Title: "Runs kept", Unit: "short", NoValue: noExporter,
		Description: "Runs in Redis by status. Ended ones go when their retention is over.",
		Queries:     []Query{{Expr: state("status", "flox_runs", "workflow, status", ns), Legend: "{{status}}"}},
	}, {
		Kind: Bars, Title: "Runs running", Unit: "short", NoValue: noExporter, Steps: plain,
		Description: "Runs that are running, by workflow. Click one to open its dashboard.",
		Link:        "/d/flox-workflow?var-workflow=${__field.labels.workflow}&${datasource:queryparam}&${namespace:queryparam}&${__url_time_range}",
		Queries: []Query{{
			Expr: "sort_desc(" + state("workflow", "flox_runs", "workflow, status", ns+`, status="running"`) + ")", Legend: "{{workflow}}",
			MayBeEmpty: "all runs have ended",
		}},
	}, {
		Kind: Bars, Title: "Failed runs kept", Unit: "short", NoValue: "No run has failed", Steps: []Step{{0, "green"}, {1, "orange"}},
		Description: "Failed runs in Redis by workflow and the class of the error. Class crash: an item killed its worker again and again.",
		Queries: []Query{{
			Expr:   "sort_desc(" + state("workflow, class", "flox_failed_runs", "workflow, class", ns) + " > 0)",
			Legend: "{{workflow}}: {{class}}", MayBeEmpty: noneFailed,
		}},
	}}
}

func depths() []Panel {
	inQueue := ns + `, queue=~"$queue"`
	return []Panel{{
		Kind: Lines, Title: "Queue depth", Unit: "short", NoValue: noExporter,
		Description: "Tokens by queue and state: ready for a worker, leased by one, delayed (timers and retries), held (their run is paused or failed).",
		Queries:     []Query{{Expr: state("queue, state", "flox_queue_items", "queue, state", inQueue), Legend: "{{queue}} {{state}}"}},
	}, {
		Kind: Lines, Title: "Oldest ready item", Unit: "s", NoValue: noExporter, Steps: waitSteps,
		Description: "Age of the oldest item that no worker has taken, by queue.",
		Queries: []Query{{
			Expr: "max by (queue) (flox_queue_oldest_ready_seconds{" + inQueue + "})", Legend: "{{queue}}",
		}},
	}, {
		Kind: Lines, Title: "Wait in the queue, p95", Unit: "s", NoValue: noWorker,
		Description: "95 of 100 items were ready for no longer than this before a worker took them.",
		Queries: []Query{{
			Expr: quantile("0.95", "queue", "flox_queue_wait_seconds", inQueue), Legend: "{{queue}}",
		}},
	}}
}

func capacity() []Panel {
	return []Panel{{
		Kind: Lines, Title: "Workers", Unit: "short", NoValue: noExporter, Stack: true,
		Description: "Worker processes by state. Stale ones have missed heartbeats, of dead ones the leases have run out.",
		Queries:     []Query{{Expr: state("state", "flox_workers", "state", ns), Legend: "{{state}}"}},
	}, {
		Kind: Lines, Title: "Slots", Unit: "short", NoValue: noExporter,
		Description: "Items that workers do at the same time, and how many they could.",
		Queries: []Query{
			{Expr: state("", "flox_workers_busy", "", ns), Legend: "busy"},
			{Expr: state("", "flox_workers_slots", "", ns), Legend: "slots"},
		},
	}, {
		Kind: Lines, Title: "Redis memory", Unit: "bytes", NoValue: noExporter,
		Description: "Memory in use by server, and its limit. At the limit no run can be started.",
		Queries: []Query{
			{Expr: "max by (server) (flox_redis_memory_used_bytes{" + ns + "})", Legend: "{{server}}"},
			{Expr: "max by (server) (flox_redis_memory_max_bytes{" + ns + "} > 0)", Legend: "limit of {{server}}", MayBeEmpty: "no maxmemory is set"},
		},
	}}
}
