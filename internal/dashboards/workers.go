package dashboards

func workers() Dashboard {
	return Dashboard{
		UID: "flox-workers", File: "workers", Title: "flox / Workers",
		Description: "What the worker processes do, and what they need for it.",
		Variables:   []Variable{namespaceVar, queueVar},
		Rows: []Row{
			{"Fleet", fleet()},
			{"Claims and commits", claims()},
			{"Leases and errors", leases()},
			{"Processes", processes()},
		},
	}
}

func fleet() []Panel {
	count := func(title, state_, says string, steps []Step) Panel {
		return Panel{
			Kind: Stat, Title: title, Unit: "none", NoValue: "?", Steps: steps, Description: says,
			Queries: []Query{{Expr: state("", "flox_workers", "state", ns+`, state=~"`+state_+`"`), Legend: title}},
		}
	}
	return []Panel{
		count("Alive", "alive", "Workers whose last heartbeat is less than 15 s old.", onlyGood),
		count("Draining", "draining", "Workers that finish what they have and take no more.", plain),
		count("Stale or dead", "stale|dead", "Workers without a heartbeat for 15 s that did not say goodbye. Others take over what they had; dead ones are listed for a day.",
			[]Step{{0, "green"}, {1, "orange"}}),
		{
			Kind: Stat, Title: "Slots", Unit: "short", NoValue: "?", Steps: plain,
			Description: "Items that the workers that are alive do at the same time at most.",
			Queries:     []Query{{Expr: state("", "flox_workers_slots", "", ns), Legend: "slots"}},
		}, {
			Kind: Stat, Title: "Busy", Unit: "short", NoValue: "?", Steps: plain,
			Description: "Slots with an item, as of the workers' last heartbeats.",
			Queries:     []Query{{Expr: state("", "flox_workers_busy", "", ns), Legend: "busy"}},
		}, {
			Kind: Stat, Title: "Scraped", Unit: "none", NoValue: "0", Steps: onlyGood,
			Description: "Workers whose own metrics Prometheus has. It should be as many as are alive or draining.",
			Queries:     []Query{{Expr: "count(flox_worker_slots{" + ns + "})", Legend: "scraped"}},
		}, {
			Kind: Lines, Title: "In flight", Unit: "short", NoValue: noWorker, Width: 12,
			Description: "Items whose node is running, by worker.",
			Queries:     []Query{{Expr: "sum by (instance) (flox_items_in_flight{" + ns + "})", Legend: "{{instance}}"}},
		}, {
			Kind: Lines, Title: "Slots in use", Unit: "percentunit", NoValue: noWorker, Width: 12, Steps: fillSteps,
			Description: "Items in flight of a worker's slots. A worker at 100 % takes no more.",
			Queries: []Query{{
				Expr:   "sum by (instance) (flox_items_in_flight{" + ns + "}) / (sum by (instance) (flox_worker_slots{" + ns + "}) > 0)",
				Legend: "{{instance}}",
			}},
		},
	}
}

func claims() []Panel {
	return []Panel{{
		Kind: Lines, Title: "Entries claimed", Unit: "ops", NoValue: noWorker,
		Description: "Entries a second that workers took from the queues, by worker. A share that is far from the others': see its slots.",
		Queries:     []Query{{Expr: rate("instance", "flox_claim_entries_sum", ns), Legend: "{{instance}}"}},
	}, {
		Kind: Lines, Title: "Entries of a claim", Unit: "short", NoValue: noWorker,
		Description: "Mean of the entries that one claim brought. More mean fewer calls of Redis.",
		Queries: []Query{{
			Expr:   rate("instance", "flox_claim_entries_sum", ns) + " / (" + rate("instance", "flox_claim_entries_count", ns) + " > 0)",
			Legend: "{{instance}}",
		}},
	}, {
		Kind: Lines, Title: "Wait in the queue", Unit: "s", NoValue: noWorker,
		Description: "How long items of the chosen queues were ready before a worker took them.",
		Queries:     quantiles("flox_queue_wait_seconds", ns+`, queue=~"$queue"`, ""),
	}, {
		Kind: Lines, Title: "Commits", Unit: "ops", NoValue: noWorker, Stack: true,
		Description: "Commits a second by the store's answer. Others than applied are rare: a lease was lost, or a lost answer was asked for again.",
		Queries:     []Query{{Expr: rate("outcome", "flox_commit_duration_seconds_count", ns), Legend: "{{outcome}}"}},
	}, {
		Kind: Lines, Title: "Commit duration", Unit: "s", NoValue: noWorker,
		Description: "Time until the store answered a commit.",
		Queries:     quantiles("flox_commit_duration_seconds", ns, ""),
	}, {
		Kind: Lines, Title: "Items by worker", Unit: "ops", NoValue: noWorker, Stack: true,
		Description: "Attempts at items a second, by worker.",
		Queries:     []Query{{Expr: rate("instance", "flox_items_total", ns), Legend: "{{instance}}"}},
	}}
}

func leases() []Panel {
	return []Panel{{
		Kind: Lines, Title: "Leases", Unit: "ops", NoValue: noWorker,
		Description: "Leases a second: extended (long items), lost (their item was not committed), reclaimed from workers that are gone. " +
			"Lost ones mean that a worker was stopped, cut off, or starved of CPU.",
		Queries: []Query{
			{Expr: "sum(rate(flox_leases_extended_total{" + ns + "}[$__rate_interval]))", Legend: "extended"},
			{Expr: "sum(rate(flox_leases_lost_total{" + ns + "}[$__rate_interval]))", Legend: "lost", MayBeEmpty: "no lease was lost"},
			{Expr: "sum(rate(flox_leases_reclaimed_total{" + ns + "}[$__rate_interval]))", Legend: "reclaimed"},
		},
	}, {
		Kind: Lines, Title: "Delayed tokens moved", Unit: "ops", NoValue: noWorker,
		Description: "Tokens a second whose time had come (timers, retries) and that were moved to their queues.",
		Queries:     []Query{{Expr: "sum(rate(flox_promoted_total{" + ns + "}[$__rate_interval]))", Legend: "moved"}},
	}, {
		Kind: Lines, Title: "Errors of the store", Unit: "ops", NoValue: "No call failed",
		Description: "Calls of the engine to the store that failed, by call. They are made again.",
		Queries: []Query{{
			Expr: rate("call", "flox_store_errors_total", ns), Legend: "{{call}}", MayBeEmpty: "no call failed",
		}},
	}}
}

func processes() []Panel {
	return []Panel{{
		Kind: Lines, Title: "CPU", Unit: "none", NoValue: noWorker,
		Description: "Cores in use, by worker.",
		Queries:     []Query{{Expr: ofWorkers("rate(process_cpu_seconds_total[$__rate_interval])"), Legend: "{{instance}}"}},
	}, {
		Kind: Lines, Title: "Memory", Unit: "bytes", NoValue: noWorker,
		Description: "Resident memory, by worker.",
		Queries:     []Query{{Expr: ofWorkers("process_resident_memory_bytes"), Legend: "{{instance}}"}},
	}, {
		Kind: Lines, Title: "Goroutines", Unit: "short", NoValue: noWorker,
		Description: "By worker. A number that only grows: nodes leave goroutines behind.",
		Queries:     []Query{{Expr: ofWorkers("go_goroutines"), Legend: "{{instance}}"}},
	}, {
		Kind: Lines, Title: "Heap", Unit: "bytes", NoValue: noWorker,
		Description: "Live and dead objects on the heap, by worker.",
		Queries:     []Query{{Expr: ofWorkers("go_memstats_heap_alloc_bytes"), Legend: "{{instance}}"}},
	}, {
		Kind: Lines, Title: "Open files", Unit: "short", NoValue: noWorker,
		Description: "File descriptors, connections among them, by worker.",
		Queries:     []Query{{Expr: ofWorkers("process_open_fds"), Legend: "{{instance}}"}},
	}, {
		Kind: Table, Title: "Builds", Unit: "none", NoValue: noWorker,
		Description: "What is deployed: more than one version while a deployment goes on, and after one that was left half done.",
		Queries: []Query{{
			Expr: "max by (instance, version, revision, go) (flox_build_info{" + ns + "})", Legend: "{{instance}} {{version}}",
		}},
	}}
}
