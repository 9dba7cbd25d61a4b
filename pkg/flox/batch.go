package flox

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"
	"sync/atomic"
)

// Batch is a node that runs n for every element of a list, at most concurrency
// at a time, inside one item: for many short pieces of work that are not worth
// a token each. The outputs are in the order of the inputs. One failure fails
// the item: the contexts of the others are cancelled, what they merged is
// dropped, and the node's retry policy applies to the list as a whole. A panic
// of n is the item's. Build refuses a concurrency of less than 1.
//
// For each element n sees the item's state and its own deltas, which become the
// item's, in the order of the elements, when all are done. ItemID and
// IdempotencyKey are those of the item with the element's index added. n may
// return Next, or Abort, which aborts the item with what that element merged;
// any other transition fails the item for good.
func Batch[S, I, O any, N Node[S, I, O]](n N, concurrency int) Node[S, []I, []O] {
	return batch[S, I, O]{n, concurrency}
}

// Batched is what BatchSome yields: the outputs of the elements that succeeded
// and the failures of those that did not, each in the order of the inputs.
type Batched[I, O any] struct {
	Outputs  []O          `json:"outputs"`
	Failures []Failure[I] `json:"failures"`
}

// BatchSome is like Batch, but a failure is that of its element alone: it is
// handed on, and the others go on. What a failed element merged is dropped,
// unless it failed by Abort. A panic is a failure of class panic, whose stack is
// logged. Elements are not retried; wrap n with Retry for that. The item itself
// fails only if its context ends.
func BatchSome[S, I, O any, N Node[S, I, O]](n N, concurrency int) Node[S, []I, Batched[I, O]] {
	return batchSome[S, I, O]{batch[S, I, O]{n, concurrency}}
}

type batch[S, I, O any] struct {
	n           Node[S, I, O]
	concurrency int
}

func (b batch[S, I, O]) problem() string {
	switch {
	case b.concurrency < 1:
		return fmt.Sprintf("a batch of concurrency %d: want 1 or more", b.concurrency)
	case reflect.TypeFor[O]().Implements(manyType):
		return "a batch of a node that fans out; flatten what it yields in a node of its own"
	}
	return problemOf(b.n)
}

// Process runs the elements until one fails.
func (b batch[S, I, O]) Process(ctx *Context[S], in []I) (Transition[[]O], error) {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var first *element[S, O]
	elements := b.run(inner, ctx, in, func(e *element[S, O]) {
		if first == nil && e.failed() {
			first = e
			cancel(errElsewhere)
		}
	})
	if first != nil {
		return first.fail()
	}
	outs := make([]O, len(elements))
	for i, e := range elements {
		if e.ctx == nil { // the item's context ended before
			return nil, context.Cause(ctx)
		}
		outs[i] = e.out
	}
	for _, e := range elements {
		e.ctx.keep()
	}
	return Next(outs), nil
}

// errElsewhere is why the contexts of a batch's elements end when one failed.
var errElsewhere = errors.New("another element of the batch failed")

// element is one element of a batch and what it came to.
type element[S, O any] struct {
	index int
	ctx   *Context[S] // nil if it was not begun
	out   O
	err   error
	panic *caught
}

func (e *element[S, O]) failed() bool { return e.err != nil || e.panic != nil }

// fail is what the batch comes to that e failed.
func (e *element[S, O]) fail() (Transition[[]O], error) {
	if e.panic != nil {
		panic(e.panic)
	}
	if aborted, ok := errors.AsType[abortedError](e.err); ok {
		e.ctx.keep()
		return Abort[[]O](fmt.Errorf("element %d: %w", e.index, aborted.error)), nil
	}
	return nil, fmt.Errorf("element %d: %w", e.index, e.err)
}

// run runs the elements until inner ends, calls done after each, one at a time,
// and returns when all that were begun have returned.
func (b batch[S, I, O]) run(inner context.Context, ctx *Context[S], in []I, done func(*element[S, O])) []element[S, O] {
	elements := make([]element[S, O], len(in))
	var next atomic.Int64
	var workers sync.WaitGroup
	var mu sync.Mutex
	finished := 0
	finish := func(e *element[S, O]) {
		mu.Lock()
		defer mu.Unlock()
		done(e)
		finished++
		ctx.Progress(float64(finished)/float64(len(in)), "")
	}
	for range min(b.concurrency, len(in)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(in) && inner.Err() == nil; i = int(next.Add(1)) - 1 {
				e := &elements[i]
				e.index, e.ctx = i, ctx.part(inner, ctx.visit.info().part(strconv.Itoa(i)))
				catch(func() { e.out, e.err = output(b.n, e.ctx, in[i]) }, func(p *caught) {
					e.panic = p
					finish(e)
				})
			}
		})
	}
	workers.Wait()
	return elements
}
