package flox

// Keys of log attributes.
const (
	logWorker   = "worker"
	logWorkflow = "workflow"
	logRun      = "run"
	logItem     = "item"
	logPart     = "part"
	logInner    = "innerNode"
	logNode     = "node"
	logAttempt  = "attempt"
	logError    = "error"
	logClass    = "class"
	logStack    = "stack"
	logVerdict  = "verdict"
	logQueues   = "queues"
	logSlots    = "slots"
	logActive   = "active"
	logCount    = "count"
	logCall     = "call"
	logGraph    = "fingerprint"
	logAlike    = "alike"

	// As OpenTelemetry names them in logs that are not its own:
	// https://opentelemetry.io/docs/specs/otel/compatibility/logging_trace_context/
	logTrace = "trace_id"
	logSpan  = "span_id"
)
