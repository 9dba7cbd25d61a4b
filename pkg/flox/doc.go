// Package flox runs typed, directed graphs of Go functions durably.
//
// A [Node] is one step: a Go value whose Process takes an input and returns a
// [Transition], which says how the run goes on: [Next] with one output,
// [NextAll] with many in parallel, [Abort] to fail on purpose. A [Builder]
// wires nodes into a [Workflow]; the compiler checks that each edge carries the
// type its target takes, and [Build] checks the rest of the graph.
//
//	b := flox.New[flox.NoState]("greet")
//	hello := flox.Func(b, "hello", func(_ context.Context, name string) (string, error) {
//		return "hello " + name, nil
//	})
//	shout := flox.Func(b, "shout", func(_ context.Context, s string) (string, error) {
//		return strings.ToUpper(s), nil
//	})
//	hello.To(shout)
//	wf, err := flox.Build(b, hello, shout)
//	…
//	res, err := flox.Run(ctx, wf, "world") // res.Output is "HELLO WORLD"
//
// # Runs, tokens, items
//
// A run is one execution of a workflow. It begins with one token, a thread of
// control that stands at one node with one input. A token at one step is an
// item, named "<token>.<step>". A fan-out makes more tokens, a join makes one of
// many, and the run ends when no token is left.
//
// When an item's Process has returned, everything that follows from it (its
// delta to the run's state, its successors, the counters, the release of its
// lease) is one [Commit], which the [Store] applies whole or not at all, and
// only if the worker still holds the item. User code may therefore run more
// than once, when a worker dies between the end of Process and the commit, but
// its effect on the run is applied exactly once. For effects outside the run,
// hand [Context.IdempotencyKey] to the service concerned: it is the same for
// all attempts at one item.
//
// # Failures
//
// An error that Process returns is retried by the node's [RetryPolicy]; a
// [Permanent] one is not; [RetryAfter] sets the wait. A panic is an error with
// its stack in the run's errors. When no attempt is left, the item goes to the
// node's fallback ([Ref.OnFailure]), or, if there is none, the run fails and can
// be retried from there ([Control.Retry]). An item whose workers die under it is
// started three times, then fails.
//
// # State
//
// A run has a state: any struct whose fields merge ([Sum], [Set], [List],
// [EventLog], or a type with its own method Merge). Nodes do not write it, they
// add deltas with [Context.Merge]; a delta takes effect with its item's commit,
// in commit order. Parallel items never lock or overwrite each other.
//
// # Processes
//
// A [Worker] executes items; any number of them, on any machines, share one
// store and may be killed at any moment. An [Orchestrator] starts runs of one
// workflow and waits for typed results; a [Control] steers runs of any. Package
// redisstore is the store on Redis, [NewMemory] the one for tests; package
// worker makes a whole worker process of a set of workflows.
//
// This package imports the standard library and msgpack alone and knows nothing
// of Redis, HTTP or the command line.
package flox
