package flox

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
)

// Source starts a run for each of values, which are pairs of a run id and an
// input; an empty id stands for a fresh one. At most inFlight runs that have not
// ended are out at a time: while there are as many, the iterator is not asked for
// more. An id that is taken by a run of the same workflow starts nothing and
// counts as in flight until that run has ended; so a Source can be run again
// after a crash, or on several machines, with the same values. An id made by
// Every gets the workflow's name in front.
//
// Source returns nil when values have ended and all their runs, too; that runs
// fail or are cancelled does not stop it. It returns the cause of ctx when that
// ends, or else the first error of the store or of a start, such as an
// ErrRunExists for an id that another workflow's run has. The runs that are out
// then go on.
//
// The iterator runs on a goroutine of its own. If it is blocked when Source
// returns with an error, it stays so until it would have yielded again: make it
// end with ctx, as Every does, or close its channel.
func (o *Orchestrator[S, I, O]) Source(ctx context.Context, values iter.Seq2[string, I], inFlight int) error {
	if inFlight < 1 {
		return fmt.Errorf("source of workflow %s: %d runs in flight: want 1 or more", o.name, inFlight)
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	slots := make(chan struct{}, inFlight)
	p := pull(ctx, slots, values)
	var runs sync.WaitGroup
	for v, ok := p.next(ctx); ok; v, ok = p.next(ctx) {
		id, err := o.startValue(ctx, v)
		if err != nil {
			fail(fmt.Errorf("source of workflow %s: %w", o.name, err))
			break
		}
		runs.Go(func() {
			if _, err := o.control.Wait(ctx, id); err != nil && !errors.Is(err, ErrNotFound) { // not found: deleted
				fail(fmt.Errorf("source of workflow %s: %w", o.name, err))
			}
			<-slots
		})
	}
	runs.Wait()
	return context.Cause(ctx)
}

func (o *Orchestrator[S, I, O]) startValue(ctx context.Context, v sourced[I]) (string, error) {
	if v.id == "" {
		return o.Start(ctx, v.in)
	}
	if isTick(v.id) {
		v.id = o.name + "-" + v.id
	}
	return o.Start(ctx, v.in, WithID(v.id), IfExists())
}

// sourced is a value of a Source.
type sourced[I any] struct {
	id string
	in I
}

// puller asks an iterator for values while there are slots.
type puller[I any] struct {
	values chan sourced[I]
	done   chan *caught // gets nil, or the iterator's panic
}

// pull takes a slot before it asks for a value; whoever gets the value gives the
// slot back.
func pull[I any](ctx context.Context, slots chan<- struct{}, values iter.Seq2[string, I]) puller[I] {
	p := puller[I]{make(chan sourced[I]), make(chan *caught, 1)}
	room := func() bool {
		select {
		case slots <- struct{}{}:
			return ctx.Err() == nil // what ended with ctx gave its slot back, too
		case <-ctx.Done():
			return false
		}
	}
	go catch(func() {
		if !room() {
			return
		}
		for id, in := range values {
			select {
			case p.values <- sourced[I]{id, in}:
			case <-ctx.Done():
				return
			}
			if !room() {
				return
			}
		}
	}, func(c *caught) { p.done <- c })
	return p
}

// next returns the next value, and false when there is none or ctx has ended. A
// panic of the iterator is raised here.
func (p puller[I]) next(ctx context.Context) (v sourced[I], ok bool) {
	select {
	case v = <-p.values:
		return v, true
	case c := <-p.done:
		if c != nil {
			panic(fmt.Sprintf("%v\n\n%s", c.value, c.stack))
		}
	case <-ctx.Done():
	}
	return v, false
}
