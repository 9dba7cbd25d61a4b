// Package flox runs typed, directed graphs of Go functions durably.
//
// A [Node] is one step: a Go value whose Process takes an input and returns a
// [Transition], which says how the run goes on. A [Builder] wires nodes into a
// [Workflow]; the compiler checks that each edge carries the type its target
// takes, and [Build] checks the rest of the graph.
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
// [Func] makes a node of a plain function, [Add] of a struct with dependencies
// and a method Process, [AddFunc] of a function of the shape of Process.
//
// # Deciding
//
// What a node returns decides what becomes of its token:
//
//   - [Next] goes on with one output, [NextAfter] does so later;
//   - [NextAll] goes on with many, in parallel: such a node is added with
//     [AddFanout], or is a plain function given to [Split];
//   - [Await] waits for a [Signal] from outside, for seconds or for weeks, or for
//     its timeout; the next node gets an [Answer];
//   - [Hold] ends the token without an output, leaving it to a later one that
//     will find all there is in the run's state;
//   - [Abort] fails on purpose; an error fails the attempt.
//
// # Wiring
//
// [Ref.To] leads to one node, or to several in parallel. [Ref.Route] chooses:
// by the variant of a sum type ([Case], declared with [Variants]), by a predicate
// ([When], [CaseArm.If]), or what is left ([Otherwise]). [Ref.Join] closes the
// innermost fan-out with all outputs in input order; [JoinWith] hands on what was
// split, too; [Join2] joins two types; [Ref.Quorum] fires early. An edge may lead
// back: a cycle needs [Builder.MaxSteps], and a fan-out inside must be joined
// inside. A run of a workflow made by [Build] has one output, that of the end it
// comes to; [BuildAll] allows any number. A node that yields [None] ends quietly.
//
// A workflow can be a node of another. [Nest] makes its nodes steps of the outer
// run, named "ship/pack"; [NestWith] gives it a state of its own; [Composite] runs
// it whole within one item. [Batch] and [BatchSome] run a node over a slice within
// one item.
//
// # What is stored
//
// Inputs, outputs, deltas, what an Await carries and signals are stored, as
// msgpack: numbers, strings, slices, maps, times, structs of these by the json
// names of their exported fields, types with methods of their own for JSON, text
// or binary, and sum types that are declared. Build refuses what cannot be stored,
// such as channels and functions. A payload has at most 1 MiB unless configured:
// keep large things elsewhere and pass references.
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
// # State
//
// A run has a state: any struct whose fields merge ([Sum], [Max], [Min], [Last],
// [Fixed], [List], [Set], [MapOf], [EventLog], structs of these, or a type with
// its own method Merge). Nodes do not write it, they add deltas with
// [Context.Merge]; a delta takes effect with its item's commit, in commit order.
// Parallel items never lock or overwrite each other. [Context.State] reads it; a
// long log of deltas is folded into a snapshot by whoever reads it.
//
// # Failing
//
// An error that Process returns is retried by the node's [RetryPolicy], with
// waits that no worker sits through; a [Permanent] one is not; [RetryAfter] sets
// the wait. A panic is an error with its stack in the run's errors. When no
// attempt is left, the item goes to the node's fallback ([Ref.OnFailure]) as a
// [Failure], else to that of the nested workflow it is in. If there is none, the
// run fails. Items that can be undone ([Ref.UndoWith]) are then undone, the last
// first; without such items, the run can go on from where it failed
// ([Control.Retry]). An item whose workers die under it is started three times,
// then fails.
//
// [Ref.Timeout] bounds an attempt, RetryPolicy.Budget all attempts at an item,
// [Builder.Deadline] and [WithDeadline] a run.
//
// # Driving
//
// [Run] executes a run in this process and memory. [RunCheckpointed] does so on a
// store that outlives the process, and [Resume] goes on after a crash. For more,
// start workers: a [Worker] executes items; any number of them, on any machines,
// share one store and may be killed at any moment. An [Orchestrator] starts runs
// of one workflow and waits for typed results, or starts one for each value of a
// channel, an iterator or a clock ([Orchestrator.Source], [Chan], [Seq],
// [Every]). All of these are one engine: a workflow behaves the same under each.
//
// Package redisstore is the store on Redis, [NewMemory] the one in memory;
// package worker makes a whole worker process of a set of workflows; package
// floxtest tests workflows in virtual time, with fakes for their nodes; package
// floxotel makes each run a trace of OpenTelemetry.
//
// # Controlling
//
// A [Control] steers runs of any workflow: it pauses, resumes, cancels, retries and
// deletes them, one by one or with [Control.Bulk] all that a [RunFilter] selects,
// such as those with a label ([WithLabel]); [Control.StartMany] starts thousands.
// Each control of a run is one script: it happens whole or not at all, and is
// refused, with an [ErrRefused] that says why, if the run's status does not allow
// it. A failed run goes on from its failed steps ([Control.Retry]), or is done
// again from a node ([Control.RetryFrom]). Completed and cancelled runs never
// change any more.
//
// A run that has ended is kept for a week, or as long as [Builder.Retention] says;
// [Control.Delete] removes it at once.
//
// # Changing a workflow
//
// A worker takes what it has a node for, by name or by [Ref.Alias], of whatever
// version of the workflow a run was started with; what it does not know it leaves
// to others. So rename a node with an alias, let the nodes of an old version go
// only when no run stands at them, and add fields to types rather than change
// them.
//
// The graph is data: [Workflow.DOT], [Workflow.Mermaid] and [Workflow.JSON] draw
// it, and [Control.Progress] says how a run stands on it.
//
// This package imports the standard library and msgpack alone and knows nothing
// of Redis, HTTP or the command line.
package flox
