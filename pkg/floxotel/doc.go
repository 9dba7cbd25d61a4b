// Package floxotel traces flox's runs with OpenTelemetry. A run is one trace,
// whichever workers its items are executed on:
//
//	tp := sdktrace.NewTracerProvider(
//		sdktrace.WithBatcher(exporter),
//		sdktrace.WithIDGenerator(floxotel.IDGenerator{}))
//	tracer, err := floxotel.NewTracer(tp)
//	...
//	w, err := flox.NewWorker(store, &flox.WorkerConfig{Tracer: tracer}, workflow)
//	...
//	id, err := orch.Start(ctx, input, floxotel.Trace(ctx)) // beneath the span in ctx
//
// Workers made with pkg/worker have it built in: --tracing=otlp.
//
// A run has a span, named "run" and the workflow, which is sent when it ends. Beneath
// it are the first attempts at its items, named after their nodes, and beneath these
// the further attempts. A span that a node makes of its own, with its Context, is
// beneath that of its attempt. Links lead from an item to those it follows: the one
// before it, the one that fanned out, all whose branches a join brings together, or,
// for one that undoes, what it undoes.
//
// # Ids
//
// Nothing is stored for it but the span that a run was started in. All else follows
// from the names of things, so that any worker can refer to what any other does:
//
//	trace    that of flox.WithTrace, or a hash of namespace and run
//	run      hash(trace, run)
//	item     hash(trace, run, item), of the first attempt
//	attempt  hash(trace, run, item, number), of the others
//
// An attempt that is not the one that counts, because its worker was shut down or
// had lost its lease, or the state had moved, is sent beside it with an id of
// chance, with the attribute flox.verdict saying why.
//
// # Sampling
//
// A run that was started in a span is sampled if that span was. For others the
// provider's sampler is asked as for the root of the trace, by each worker for itself:
// they agree with a sampler that goes by the trace's id, such as
// sdktrace.TraceIDRatioBased. All workers should have the same one.
package floxotel
