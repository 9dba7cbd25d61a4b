package flox

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// maxStack is how many bytes of a panic's stack are kept.
const maxStack = 8 << 10

var errNothing = Permanent(errors.New("the node returned neither a transition nor an error; return flox.Next or another transition"))

// runner executes the items of one node.
type runner struct {
	n       *node
	st      *stateType
	process func(v *visit, in any) (move, error)
	failed  func(in any, node string, attempt int, err NodeError) any
	done    func(in, out any) any

	in     *codec
	joined *joinCodecs   // nil if no join leads here
	answer *answerCodecs // nil if the node awaits no signal
	out    *codec        // of ends and deposits; nil for a quiet end
	wrap   func(out any) any
	to     *codec   // of edgeTo: what the targets take
	arms   []*codec // of edgeRoute, as node.arms
	fail   *codec   // of what the fallback takes
	undo   *codec   // of what the undo takes
}

// payloadError is a failure to decode, encode or route.
type payloadError struct{ error }

func (r *runner) execute(ctx context.Context, x *execution) (out outcome) {
	start := time.Now()
	v := r.newVisit(x)
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
	if err := r.short(x.item.Input); err != nil {
		return failure(err, ClassQuorum)
	}
	in, m, err := r.move(ctx, v, x)
	if err != nil {
		return r.classify(err)
	}
	out = outcome{kind: m.kind, delay: m.delay, wait: m.signal}
	if err = r.encode(&out, m, in, x); err == nil {
		out.delta, err = r.delta(v, x, m.kind)
	}
	if err != nil {
		return failure(err, ClassPayload)
	}
	return out
}

// move makes the node's decision: its code does, or, at the step after an Await,
// the answer is it. in is a pointer to the input.
func (r *runner) move(ctx context.Context, v *visit, x *execution) (in any, m move, err error) {
	if a := x.item.Input.Answer; a != nil {
		out, err := r.answered(x.item.Input.Payload, a)
		return nil, move{kind: outcomeNext, one: out}, err
	}
	if in, err = r.decode(x.item.Input); err != nil {
		return in, m, &payloadError{fmt.Errorf("input: %w", err)}
	}
	if m, err = r.call(ctx, v, in); err != nil {
		return in, m, err
	}
	if r.n.leaves != nil {
		err = r.lift(ctx, v, x)
	}
	return in, m, err
}

// encode encodes what the node decided, as those take it whom it leads to.
func (r *runner) encode(out *outcome, m move, in any, x *execution) (err error) {
	switch m.kind {
	case outcomeAbort:
		out.err, out.class = m.err, ClassAbort
	case outcomeAwait:
		if r.answer == nil || !slices.Contains(r.n.signals, m.signal) {
			return &payloadError{fmt.Errorf("awaits signal %q, which its Awaits does not name", m.signal)}
		}
		out.carry, err = encodeWithin(r.answer.carry, m.carry, x.limit, "what it carries")
	case outcomeNext, outcomeFan:
		if m.delay > 0 && len(r.n.targets) == 0 && len(r.n.arms) == 0 || m.delay > 0 && r.n.kind == edgeJoin {
			return &payloadError{errors.New("returned NextAfter, but nothing comes after it that could be delayed; return Next")}
		}
		if err = r.route(out, m, in, x); err == nil && r.undo != nil {
			out.undo, err = r.undoing(in, m.output(), x)
		}
	}
	return err
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
func (r *runner) call(ctx context.Context, v *visit, in any) (move, error) {
	if r.n.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.n.timeout, errTimeout)
		defer cancel()
	}
	v.Context = ctx
	m, err := r.process(v, in)
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
	if _, ok := errors.AsType[*payloadError](err); ok {
		return failure(err, ClassPayload)
	}
	if e, ok := errors.AsType[*nestError](err); ok {
		return failure(err, permanentClass(e.record.Class))
	}
	if _, ok := errors.AsType[*timeoutError](err); ok {
		return failure(err, ClassTimeout)
	}
	return failure(err, ClassError)
}

// permanentClass is the class of the failure of a nested workflow: never one
// that is retried.
func permanentClass(inner string) string {
	switch inner {
	case ClassError, ClassPanic, ClassTimeout:
		return ClassPermanent
	}
	return inner
}

func panicked(p any) outcome {
	stack := debug.Stack()
	if c, ok := p.(*caught); ok { // on another goroutine
		p, stack = c.value, c.stack
	}
	out := failure(fmt.Errorf("panic: %v", p), ClassPanic)
	out.stack = string(stack[:min(len(stack), maxStack)])
	return out
}

// unread is the outcome of an item that could not read its state: of no class,
// unless what was read is broken, or the node asked when its time was up.
func (r *runner) unread(v *visit) outcome {
	if _, ok := errors.AsType[*stateError](v.unread); ok {
		return failure(v.unread, ClassPayload)
	}
	if errors.Is(context.Cause(v), errTimeout) {
		return failure(&timeoutError{r.n.timeout, v.unread}, ClassTimeout)
	}
	return failure(v.unread, "")
}

// route encodes the outputs, each as its targets take it.
func (r *runner) route(out *outcome, m move, in any, x *execution) error {
	out.outs = slices.Grow(x.single[:0], len(m.outs))
	if m.one != nil {
		targets, payload, err := r.routeOne(m, x)
		if err != nil {
			return err
		}
		out.outs = append(out.outs, routed{targets, payload})
	}
	for _, o := range m.outs {
		targets, payload, err := r.routed(o, x)
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
	if a, ok := in.(*arrival); ok {
		in = a.input
	}
	var err error
	out.carry, err = encodeWithin(r.in, reflect.ValueOf(in).Elem().Interface(), x.limit, "input, which the fan-out's join takes")
	return err
}

// routeOne encodes the only output. That of most nodes is taken as it is, and need
// not be copied.
func (r *runner) routeOne(m move, x *execution) ([]*node, []byte, error) {
	if r.wrap != nil || r.n.kind == edgeRoute {
		return r.routed(m.output(), x)
	}
	targets, c, err := r.choose(nil)
	if err != nil || c == nil {
		return targets, nil, err
	}
	payload, err := c.encodeAt(reflect.ValueOf(m.one).Elem())
	payload, err = within(payload, err, x.limit, "output")
	return targets, payload, err
}

func (r *runner) routed(o any, x *execution) ([]*node, []byte, error) {
	targets, c, err := r.choose(o)
	if err != nil {
		return nil, nil, err
	}
	if r.wrap != nil {
		o = r.wrap(o)
	}
	payload, err := encodeWithin(c, o, x.limit, "output")
	return targets, payload, err
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
	return within(b, err, limit, what)
}

// within refuses what was not encoded, or is too large.
func within(b []byte, err error, limit int, what string) ([]byte, error) {
	if err != nil {
		return nil, &payloadError{fmt.Errorf("%s: %w", what, err)}
	}
	if limit > 0 && len(b) > limit {
		return nil, &payloadError{fmt.Errorf("%s of %d bytes exceeds the payload limit of %d", what, len(b), limit)}
	}
	return b, nil
}

// failure encodes what the fallback takes.
func (r *runner) failure(x *execution, cause NodeError) (b []byte, err error) {
	defer func() {
		if p := recover(); p != nil { // of a type that stores itself
			err = panicked(p).err
		}
	}()
	if x.item.Input.Answer != nil {
		return nil, errors.New("what the node was given is gone: its Await carried something else")
	}
	in, err := r.decode(x.item.Input)
	if err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	f := r.failed(in, strings.TrimSuffix(r.n.name, closerName), x.lease.Attempt+1, cause)
	return encodeWithin(r.fail, f, x.limit, "failure")
}
