package flox

import (
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
)

// What Batch, BatchSome, Retry and Composite have in common: they run nodes
// inside one item.

// problemOf says what is wrong with a node that is nil or has something to say
// of itself, "" for nothing. Build reports it.
func problemOf(n any) string {
	if v := reflect.ValueOf(n); !v.IsValid() || v.Kind() == reflect.Func && v.IsNil() {
		return "it has no code: it is nil"
	}
	if c, ok := n.(interface{ problem() string }); ok {
		return c.problem()
	}
	return ""
}

// abortedError is the error of a part that aborted.
type abortedError struct{ error }

func (e abortedError) Unwrap() error { return e.error }

// output runs n and returns what it goes on with. A node inside another has no
// token of its own, so all it may do is to go on with Next, or to fail.
func output[S, I, O any](n Node[S, I, O], ctx *Context[S], in I) (out O, err error) {
	t, err := n.Process(ctx, in)
	if err != nil {
		return out, err
	}
	switch t := t.(type) {
	case nil:
		return out, errNothing
	case next[O]:
		return t.out, nil
	case abort[O]:
		return out, abortedError{t.move().err}
	}
	return out, Permanent(fmt.Errorf("returned %s inside another node; only Next and Abort can be returned there", transitionName(t)))
}

// transitionName is what the user called to make t.
func transitionName(t interface{ move() move }) string {
	switch m := t.move(); m.kind {
	case outcomeHold:
		return "Hold"
	case outcomeAwait:
		return "Await"
	case outcomeFan:
		return "NextAll"
	}
	return "NextAfter"
}

// caught is a panic that was caught on another goroutine than that of Process,
// on which it is raised again.
type caught struct {
	value any
	stack []byte
}

var errExited = errors.New("the node ended its goroutine")

// catch calls f, and then with its panic, or with nil if it returned.
func catch(f func(), then func(*caught)) {
	returned := false
	defer func() {
		switch v := recover().(type) {
		case nil:
			if returned {
				then(nil)
				return
			}
			then(&caught{errExited, debug.Stack()})
		case *caught:
			then(v)
		default:
			then(&caught{v, debug.Stack()})
		}
	}()
	f()
	returned = true
}

// fatal says that p is no panic of a node: the state could not be read, or the
// goroutine is gone.
func (p *caught) fatal() bool {
	_, unread := p.value.(unwind)
	return unread || p.value == errExited
}
