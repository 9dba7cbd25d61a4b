package flox

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"time"
)

// maxStack is how many bytes of a panic's stack are kept.
const maxStack = 8 << 10

var errNothing = Permanent(errors.New("the node returned neither a transition nor an error; return flox.Next, NextAll or Abort"))

// runner executes the items of one node.
type runner struct {
	n       *node
	st      *stateType
	process func(v *visit, in any) (move, error)
	failed  func(in any, node string, attempt int, err NodeError) any

	in     *codec
	joined *joinCodecs // nil if no join leads here
	out    *codec      // of ends and deposits; nil for a quiet end
	to     *codec      // of edgeTo: what the targets take
	arms   []*codec    // of edgeRoute, as node.arms
	fail   *codec      // of what the fallback takes
}

// joinCodecs are of a join's input.
type joinCodecs struct{ element, carry *codec } // carry is nil if it takes a plain list

// payloadError is a failure to decode, encode or route.
type payloadError struct{ error }

func (r *runner) execute(ctx context.Context, x *execution) (out outcome) {
	start := time.Now()
	v := newVisit(x, r.n, r.st)
	defer func() {
		if p := recover(); p != nil {
			out = panicked(p)
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		if v.unread != nil { // also if the node caught the panic
			out = r.unread(v)
		}
		out.read, out.took = v.version, time.Since(start)
	}()
	in, err := r.decode(x.item.Input)
	if err != nil {
		return failure(&payloadError{fmt.Errorf("input: %w", err)}, ClassPayload)
	}
	m, err := r.call(ctx, v, in)
	if err != nil {
		return r.classify(err)
	}
	out = outcome{kind: m.kind}
	if m.kind == outcomeAbort {
		out.err, out.class = m.err, ClassAbort
	} else if err = r.route(&out, m, in, x); err != nil {
		return failure(err, ClassPayload)
	}
	if out.delta, err = r.delta(v, x.limit); err != nil {
		return failure(err, ClassPayload)
	}
	return out
}

// errTimeout is why the context of an attempt that ran too long has ended.
var errTimeout = errors.New("timed out")

// timeoutError is an error that came after the node's own timeout.
type timeoutError struct {
	after time.Duration
	error
}

func (e *timeoutError) Error() string { return fmt.Sprintf("timed out after %v: %v", e.after, e.error) }
func (e *timeoutError) Unwrap() error { return e.error }

// call runs the node's code.
func (r *runner) call(ctx context.Context, v *visit, in reflect.Value) (move, error) {
	if r.n.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.n.timeout, errTimeout)
		defer cancel()
	}
	v.ctx = context.WithValue(ctx, infoKey{}, v.info)
	m, err := r.process(v, in.Interface())
	if err != nil && errors.Is(context.Cause(ctx), errTimeout) {
		return m, &timeoutError{r.n.timeout, err}
	}
	return m, err
}

func failure(err error, class string) outcome {
	return outcome{kind: outcomeError, err: err, class: class, read: -1}
}

func (r *runner) classify(err error) outcome {
	if _, ok := errors.AsType[permanentError](err); ok {
		return failure(err, ClassPermanent)
	}
	if _, ok := errors.AsType[*timeoutError](err); ok {
		return failure(err, ClassTimeout)
	}
	return failure(err, ClassError)
}

func panicked(p any) outcome {
	out := failure(fmt.Errorf("panic: %v", p), ClassPanic)
	stack := debug.Stack()
	out.stack = string(stack[:min(len(stack), maxStack)])
	return out
}

// unread is the outcome of an item that could not read its state: of no class,
// unless what was read is broken, or the node asked when its time was up.
func (r *runner) unread(v *visit) outcome {
	if _, ok := errors.AsType[*stateError](v.unread); ok {
		return failure(v.unread, ClassPayload)
	}
	if errors.Is(context.Cause(v.ctx), errTimeout) {
		return failure(&timeoutError{r.n.timeout, v.unread}, ClassTimeout)
	}
	return failure(v.unread, "")
}

// decode returns a pointer to the node's input.
func (r *runner) decode(in Input) (reflect.Value, error) {
	if !in.Joined {
		return r.in.decodePointer(in.Payload)
	}
	if r.joined == nil {
		return reflect.Value{}, fmt.Errorf("is that of a join, which node %s is not in this version", r.n.name)
	}
	p := reflect.New(r.in.typ)
	list := p.Elem()
	if c := r.joined.carry; c != nil {
		if err := c.decodeInto(in.Payload, list.Field(0)); err != nil {
			return p, fmt.Errorf("what the fan-out was given: %w", err)
		}
		list = list.Field(1)
	}
	list.Set(reflect.MakeSlice(list.Type(), len(in.Deposits), len(in.Deposits)))
	for i, b := range in.Deposits {
		if err := r.joined.element.decodeInto(b, list.Index(i)); err != nil {
			return p, fmt.Errorf("output %d of the fan-out: %w", i, err)
		}
	}
	return p, nil
}

// route encodes the outputs, each as its targets take it.
func (r *runner) route(out *outcome, m move, in reflect.Value, x *execution) error {
	out.outs = make([]routed, 0, len(m.outs))
	for _, o := range m.outs {
		targets, c, err := r.choose(o)
		if err != nil {
			return err
		}
		payload, err := encodeWithin(c, o, x.limit, "output")
		if err != nil {
			return err
		}
		out.outs = append(out.outs, routed{targets, payload})
	}
	if r.n.frame == nil || !r.n.frame.carry {
		return nil
	}
	out.carry = x.item.Input.Payload
	if !x.item.Input.Joined {
		return nil
	}
	var err error
	out.carry, err = r.in.encode(in.Elem().Interface())
	return err
}

// choose says where an output goes and what encodes it.
func (r *runner) choose(out any) ([]*node, *codec, error) {
	switch r.n.kind {
	case edgeTo:
		return r.n.targets, r.to, nil
	case edgeRoute:
		for i, a := range r.n.arms {
			if a.fits(out) {
				return []*node{a.target}, r.arms[i], nil
			}
		}
		return nil, nil, &payloadError{fmt.Errorf("yielded %T, which no case takes", out)}
	}
	return nil, r.out, nil
}

func encodeWithin(c *codec, v any, limit int, what string) ([]byte, error) {
	if c == nil {
		return nil, nil
	}
	b, err := c.encode(v)
	if err != nil {
		return nil, &payloadError{fmt.Errorf("%s: %w", what, err)}
	}
	if limit > 0 && len(b) > limit {
		return nil, &payloadError{fmt.Errorf("%s of %d bytes exceeds the payload limit of %d", what, len(b), limit)}
	}
	return b, nil
}

// delta encodes what the node merged, nil if it did not.
func (r *runner) delta(v *visit, limit int) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.delta == nil {
		return nil, nil
	}
	return encodeWithin(r.st.codec, v.delta, limit, "state delta")
}

// failure encodes what the fallback takes.
func (r *runner) failure(x *execution, cause NodeError) ([]byte, error) {
	in, err := r.decode(x.item.Input)
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	f := r.failed(in.Interface(), r.n.name, x.lease.Attempt+1, cause)
	return encodeWithin(r.fail, f, x.limit, "failure")
}
