package flox

import (
	"context"
	"errors"
	"fmt"
)

type batchSome[S, I, O any] struct{ batch[S, I, O] }

// Process runs all elements.
func (b batchSome[S, I, O]) Process(ctx *Context[S], in []I) (Transition[Batched[I, O]], error) {
	elements := b.run(ctx, ctx, in, func(*element[S, O]) {})
	all := Batched[I, O]{Outputs: make([]O, 0, len(in))}
	for i := range elements {
		e := &elements[i]
		switch {
		case e.panic != nil && e.panic.fatal():
			panic(e.panic)
		case e.ctx == nil, e.failed() && ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case e.failed():
			all.Failures = append(all.Failures, Failure[I]{
				Input: in[i], Node: ctx.visit.info().Node, Attempt: ctx.Attempt(), Err: e.nodeError(),
			})
		default:
			all.Outputs = append(all.Outputs, e.out)
		}
	}
	for _, e := range elements {
		if _, aborted := errors.AsType[abortedError](e.err); aborted || !e.failed() {
			e.ctx.keep()
		}
		if e.panic != nil {
			e.ctx.Logger().Error("element of a batch panicked", logError, fmt.Sprint(e.panic.value), logStack, string(e.panic.stack))
		}
	}
	return Next(all), nil
}

// nodeError is why e failed.
func (e *element[S, O]) nodeError() NodeError {
	if e.panic != nil {
		return NodeError{Class: ClassPanic, Message: fmt.Sprintf("panic: %v", e.panic.value)}
	}
	class := ClassError
	if _, ok := errors.AsType[permanentError](e.err); ok {
		class = ClassPermanent
	} else if _, ok := errors.AsType[abortedError](e.err); ok {
		class = ClassAbort
	}
	return NodeError{Class: class, Message: e.err.Error()}
}
