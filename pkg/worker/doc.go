// Package worker is a whole worker process as a function. A program that runs
// its own workflows is a main of a few lines:
//
//	func main() {
//		workflow, err := build()
//		if err != nil {
//			log.Fatal(err)
//		}
//		worker.Main(workflow)
//	}
//
// Main reads flags and the environment, connects to Redis, registers the
// workflows together with the JSON Schemas of their inputs, executes items, and
// serves /healthz, /readyz and /metrics. SIGTERM or SIGINT drains: nothing more
// is taken, items in hand may finish for the grace period, the others are
// handed back; a second signal exits at once. A worker keeps nothing of its
// own, so killing it loses nothing either.
//
// # Flags
//
// Each flag may be given as an environment variable instead: FLOX_ and its name
// in capitals, dashes as underscores (--drain-grace is FLOX_DRAIN_GRACE). The
// command line wins.
//
// --tracing=otlp sends a span for each attempt at an item, see docs/tracing.md;
// OpenTelemetry's variables (OTEL_EXPORTER_OTLP_ENDPOINT, ...) say where.
//
// # Memory
//
// Main lets the heap grow to five times what lives in it before it collects
// garbage, as GOGC=400 does, unless GOGC is set in the environment; GOMEMLIMIT
// counts all the same. Run leaves that to the program.
//
// # Exit codes
//
// 0 after a drain, 1 if it could not start (Redis unreachable, a wrong
// password, an eviction policy that loses data), 2 for a wrong flag or
// variable.
package worker
