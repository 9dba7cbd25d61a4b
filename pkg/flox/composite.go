package flox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"
)

// Composite is a whole workflow as one node: its run happens inside one item, on
// a store in memory that nobody else sees, and is committed with the item or not
// at all. Compared with Nest it saves the commits and gives up durability: if
// the item is tried again, the inner run begins anew.
//
// The inner nodes see the run's state as it was, and what they have merged
// themselves; what they merged becomes the item's when the inner run completes.
// RunID is that of the run, ItemID that of the item with the inner one's added,
// and IdempotencyKey follows the latter: it is the same for all attempts. The
// inner policies, timers, joins and undos work as ever, but all waiting is done
// by the item, whose own timeout and context end the inner run.
//
// If the inner run fails, so does the item, with an error that names the inner
// node; it is tried again by the policy of the node itself, unless the inner
// failure was one that no retry can mend. Build refuses a workflow that awaits
// signals: none can reach it.
func Composite[S, I, O any](wf *Workflow[S, I, O]) Node[S, I, O] {
	return composite[S, I, O]{wf}
}

type composite[S, I, O any] struct{ wf *Workflow[S, I, O] }

func (c composite[S, I, O]) problem() string {
	if missing(c.wf) {
		return "a Composite of no workflow"
	}
	for _, n := range c.wf.g.nodes {
		if len(n.signals) > 0 {
			return fmt.Sprintf("a Composite of workflow %s, which awaits a signal at node %s; none can reach it: use flox.Nest",
				c.wf.Name(), n.name)
		}
	}
	return ""
}

// Process runs the workflow.
func (c composite[S, I, O]) Process(ctx *Context[S], in I) (Transition[O], error) {
	run, end := context.WithCancelCause(ctx)
	res, err := runInside(run, end, c.wf, ctx.visit, in)
	if unread, ok := errors.AsType[*unreadError](context.Cause(run)); ok {
		panic(unwind{unread.error})
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return nil, fmt.Errorf("workflow %s: %w", c.wf.Name(), cause)
	}
	if failed, ok := errors.AsType[*RunError](err); ok {
		return nil, innerFailure(c.wf.Name(), failed)
	}
	if err != nil {
		return nil, fmt.Errorf("workflow %s: %w", c.wf.Name(), err)
	}
	if !reflect.ValueOf(&res.State).Elem().IsZero() {
		ctx.Merge(res.State)
	}
	return Next(res.Output), nil
}

// innerError is the failure of an inner run.
type innerError struct {
	workflow string
	run      *RunError
}

func (e *innerError) Error() string { return fmt.Sprintf("workflow %s: %s", e.workflow, e.run.Cause) }
func (e *innerError) Unwrap() error { return e.run }

func innerFailure(workflow string, run *RunError) error {
	err := &innerError{workflow, run}
	if why, ok := errors.AsType[*NodeError](run.Err); ok {
		switch why.Class {
		case ClassError, ClassPanic, ClassTimeout:
			return err
		}
	}
	return Permanent(err)
}

// runInside runs wf as part of the item that v is at. It ends run when it
// returns, and has then stopped all that it started.
func runInside[S, I, O any](run context.Context, end context.CancelCauseFunc, wf *Workflow[S, I, O], v *visit, in I) (Result[S, O], error) {
	st := NewMemory()
	cfg := &WorkerConfig{Name: "composite", Lease: time.Hour, MaxPayload: v.limit, Logger: slog.New(slog.DiscardHandler)}
	worker, err := NewWorker(st, cfg, newInside(run, end, wf, v))
	if err != nil {
		return Result[S, O]{}, err
	}
	orch, err := NewOrchestrator(st, wf, &OrchestratorConfig{MaxPayload: v.limit})
	if err != nil {
		return Result[S, O]{}, err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- worker.Run(run) }()
	defer func() { end(nil); <-stopped }()
	id, err := orch.Start(run, in, WithID(v.info().RunID))
	if err != nil {
		return Result[S, O]{}, err
	}
	return orch.Wait(run, id)
}
