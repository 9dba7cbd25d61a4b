package dashboards

// clockOffset is the title of the one panel with values below 0.
const clockOffset = "Clock offset"

func redis() Dashboard {
	return Dashboard{
		UID: "flox-redis", File: "redis", Title: "flox / Redis",
		Description: "What of Redis' health matters to flox.",
		Variables:   []Variable{namespaceVar},
		Rows: []Row{
			{"Servers", servers()},
			{"Memory", memory()},
			{"Load, as the server and as the workers see it", load()},
			{"Durability and clock", durability()},
			{"orchestrator serve", exporter()},
		},
	}
}

func perServer(name string) string { return "max by (server) (" + name + "{" + ns + "})" }

func servers() []Panel {
	return []Panel{{
		Kind: Stat, Title: "Up", Unit: "none", NoValue: "?", Steps: onlyGood, Says: map[string]string{"0": "down", "1": "up"},
		Description: "Whether a server answers orchestrator serve.",
		Queries:     []Query{{Expr: perServer("flox_redis_up"), Legend: "{{server}}"}},
	}, {
		Kind: Stat, Title: "Memory of its limit", Unit: "percentunit", NoValue: "no limit", Steps: fillSteps,
		Description: "Memory in use of maxmemory. At 100 % no run can be started; those that run go on.",
		Queries: []Query{{
			Expr:   perServer("flox_redis_memory_used_bytes") + " / (" + perServer("flox_redis_memory_max_bytes") + " > 0)",
			Legend: "{{server}}", MayBeEmpty: "no maxmemory is set",
		}},
	}, {
		Kind: Stat, Title: "Keys evicted", Unit: "short", NoValue: "?", Steps: noneIsGood,
		Description: "Keys that the server dropped for want of memory since it started. Each may be a lost run; maxmemory-policy must be noeviction.",
		Queries:     []Query{{Expr: perServer("flox_redis_evicted_keys_total"), Legend: "{{server}}"}},
	}, {
		Kind: Stat, Title: "Last snapshot", Unit: "s", NoValue: "?", Steps: plain,
		Description: "Age of the last snapshot (RDB). With an append-only file it matters for the time of a restart only.",
		Queries:     []Query{{Expr: "time() - " + perServer("flox_redis_last_save_timestamp_seconds"), Legend: "{{server}}"}},
	}, {
		Kind: Stat, Title: "Append-only file", Unit: "none", NoValue: "?", Steps: []Step{{0, "orange"}, {1, "green"}},
		Says:        map[string]string{"0": "off", "1": "on"},
		Description: "Off: what came after the last snapshot is lost when the server dies.",
		Queries:     []Query{{Expr: perServer("flox_redis_aof_enabled"), Legend: "{{server}}"}},
	}, {
		Kind: Table, Title: "Versions", Unit: "none", NoValue: "?", Width: 4, Height: 4,
		Description: "Version and mode of each server.",
		Queries:     []Query{{Expr: "max by (server, version, mode) (flox_redis_info{" + ns + "})", Legend: "{{server}} {{version}}"}},
	}}
}

func memory() []Panel {
	return []Panel{{
		Kind: Lines, Title: "Memory", Unit: "bytes", NoValue: noExporter,
		Description: "Memory in use, and its limit. `orchestrator du` says what of.",
		Queries: []Query{
			{Expr: perServer("flox_redis_memory_used_bytes"), Legend: "{{server}}"},
			{Expr: perServer("flox_redis_memory_max_bytes") + " > 0", Legend: "limit of {{server}}", MayBeEmpty: "no maxmemory is set"},
		},
	}, {
		Kind: Lines, Title: "Memory by kind of key", Unit: "bytes", NoValue: noExporter, Stack: true,
		Description: "Memory of flox's keys, from samples.",
		Queries:     []Query{{Expr: state("kind", "flox_redis_key_memory_bytes", "kind", ns), Legend: "{{kind}}"}},
	}, {
		Kind: Lines, Title: "Evictions", Unit: "ops", NoValue: noExporter, Steps: []Step{{0, "green"}, {0.001, "red"}},
		Description: "Keys evicted a second. Must be 0.",
		Queries:     []Query{{Expr: "max by (server) (rate(flox_redis_evicted_keys_total{" + ns + "}[$__rate_interval]))", Legend: "{{server}}"}},
	}}
}

func load() []Panel {
	return []Panel{{
		Kind: Lines, Title: "Commands", Unit: "ops", NoValue: noExporter,
		Description: "Commands that a server processed a second, of all its clients.",
		Queries:     []Query{{Expr: "max by (server) (rate(flox_redis_commands_total{" + ns + "}[$__rate_interval]))", Legend: "{{server}}"}},
	}, {
		Kind: Lines, Title: "Clients", Unit: "short", NoValue: noExporter,
		Description: "Connections to a server.",
		Queries:     []Query{{Expr: perServer("flox_redis_clients"), Legend: "{{server}}"}},
	}, {
		Kind: Lines, Title: "Errors by kind", Unit: "ops", NoValue: "No command failed", Stack: true,
		Description: "Commands of the workers that failed, a second. Some while Redis restarts or fails over are expected.",
		Queries: []Query{{
			Expr: rate("kind", "flox_redis_errors_total", ns), Legend: "{{kind}}", MayBeEmpty: "no command failed",
		}},
	}, {
		Kind: Lines, Title: "Commands of a batch", Unit: "short", NoValue: noWorker,
		Description: "Commands that workers sent in one pipeline: the busier, the more.",
		Queries:     quantiles("flox_redis_batch_commands", ns, ""),
	}, {
		Kind: Lines, Title: "Batch duration", Unit: "s", NoValue: noWorker,
		Description: "Time until a pipeline was answered: what a worker waits for Redis and the network.",
		Queries:     quantiles("flox_redis_batch_duration_seconds", ns, ""),
	}, {
		Kind: Lines, Title: "Commit duration", Unit: "s", NoValue: noWorker,
		Description: "Time until the store answered a commit, retries of lost answers included.",
		Queries:     quantiles("flox_commit_duration_seconds", ns, ""),
	}}
}

func durability() []Panel {
	return []Panel{{
		Kind: Lines, Title: "Persistence", Unit: "none", NoValue: noExporter, Steps: onlyGood,
		Description: "1 if the last write of the snapshot (rdb) and of the append-only file (aof) was well. At 0 see the disk.",
		Queries: []Query{{
			Expr: "min by (server, of) (flox_redis_persistence_ok{" + ns + "})", Legend: "{{server}} {{of}}",
		}},
	}, {
		Kind: Lines, Title: "Replicas", Unit: "short", NoValue: noExporter,
		Description: "Replicas connected to a server.",
		Queries:     []Query{{Expr: perServer("flox_redis_replicas"), Legend: "{{server}}"}},
	}, {
		Kind: Lines, Title: "Replication lag", Unit: "bytes", NoValue: "No replica",
		Description: "How far the last of the replicas is behind: what a failover may lose.",
		Queries: []Query{{
			Expr: perServer("flox_redis_replication_lag_bytes"), Legend: "{{server}}", MayBeEmpty: "there is no replica",
		}},
	}, {
		Kind: Lines, Title: clockOffset, Unit: "s", NoValue: noExporter, Width: 12,
		Description: "The server's clock less that of orchestrator serve. Leases follow the server's clock alone; what matters is that it does not jump.",
		Queries:     []Query{{Expr: "avg by (server) (flox_redis_clock_offset_seconds{" + ns + "})", Legend: "{{server}}"}},
	}, {
		Kind: Lines, Title: "Clock ran backwards", Unit: "short", NoValue: noExporter, Width: 12, Steps: noneIsGood,
		Description: "How often the server's clock was seen to run backwards. Leases and timers last longer by as much.",
		Queries:     []Query{{Expr: perServer("flox_redis_clock_regressions_total"), Legend: "{{server}}"}},
	}}
}

func exporter() []Panel {
	return []Panel{{
		Kind: Lines, Title: "Age of the readings", Unit: "s", NoValue: noExporter,
		Description: "How long ago each part was read in full. The dear ones are swept in slices and are older.",
		Queries: []Query{{
			Expr: "time() - max by (part) (flox_exporter_refresh_timestamp_seconds{" + ns + "})", Legend: "{{part}}",
		}},
	}, {
		Kind: Lines, Title: "Duration of a reading", Unit: "s", NoValue: noExporter,
		Description: "How long the last reading of each part took.",
		Queries: []Query{{
			Expr: "max by (part) (flox_exporter_refresh_duration_seconds{" + ns + "})", Legend: "{{part}}",
		}},
	}, {
		Kind: Lines, Title: "Readings that failed", Unit: "ops", NoValue: "None failed",
		Description: "Readings a second that failed, by part.",
		Queries: []Query{{
			Expr: "max by (part) (rate(flox_exporter_errors_total{" + ns + "}[$__rate_interval]))", Legend: "{{part}}",
			MayBeEmpty: "no reading failed",
		}},
	}}
}
