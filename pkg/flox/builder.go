package flox

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"time"
)

// Builder collects the nodes and edges of one workflow; Build checks them. Its
// methods set what holds for the whole workflow, may be called at any time
// before Build, and return the Builder. It is not safe for concurrent use.
type Builder[S any] struct{ w *wiring }

// wiring is a Builder with its type erased.
type wiring struct {
	name     string
	pos      string
	state    reflect.Type
	maxSteps int
	deadline time.Duration
	retains  map[Status]time.Duration
	retry    RetryPolicy
	timeout  time.Duration
	queue    string
	nodes    []*nodeDef
	sums     []sumDef
	mistakes []mistake // of options, known when they are set
}

// New begins a workflow whose runs have a state of type S (NoState for none).
// The name is that of its default queue too.
func New[S any](name string) *Builder[S] {
	w := &wiring{name: name, pos: callSite(), state: reflect.TypeFor[S]()}
	if err := CheckName("workflow name", name); err != nil {
		w.mistake(w.pos, "%w", err)
	}
	return &Builder[S]{w}
}

// MaxSteps limits how many items a run may commit; the run fails with
// ErrStepLimit when it would exceed that. A workflow with a cycle needs it.
func (b *Builder[S]) MaxSteps(n int) *Builder[S] {
	if n <= 0 {
		b.w.mistake(callSite(), "workflow %s: MaxSteps(%d): want at least 1", b.w.name, n)
	}
	b.w.maxSteps = n
	return b
}

// Deadline limits how long a run may take from when its first step may begin;
// WithDeadline sets another for one run. A run that takes longer fails with
// ErrDeadline. What is in flight then may finish, but nothing further starts.
func (b *Builder[S]) Deadline(d time.Duration) *Builder[S] {
	if d <= 0 {
		b.w.mistake(callSite(), "workflow %s: Deadline(%v): want more than 0", b.w.name, d)
	}
	b.w.deadline = d
	return b
}

// Retry sets what nodes without a policy of their own use; its open fields are
// filled from DefaultRetry.
func (b *Builder[S]) Retry(p RetryPolicy) *Builder[S] {
	b.w.checkRetry(callSite(), "workflow "+b.w.name, p)
	b.w.retry = p
	return b
}

// Timeout limits one attempt of every node that has no timeout of its own.
func (b *Builder[S]) Timeout(d time.Duration) *Builder[S] {
	b.w.checkTimeout(callSite(), "workflow "+b.w.name, d)
	b.w.timeout = d
	return b
}

// Queue names the queue of every node that names none; the default is the
// workflow's name.
func (b *Builder[S]) Queue(name string) *Builder[S] {
	if err := CheckName("queue", name); err != nil {
		b.w.mistake(callSite(), "workflow %s: %w", b.w.name, err)
	}
	b.w.queue = name
	return b
}

// Add adds the node n. The name must satisfy CheckName and be the only one of its
// workflow; like all mistakes in wiring, a wrong one is reported by Build.
func Add[S, I, O any, N Node[S, I, O]](b *Builder[S], name string, n N) Ref[I, O] {
	return addTyped[S, I, O](b, callSite(), name, n)
}

// AddFanout adds a node that fans out: each element of its NextAll goes on as a
// token of its own.
func AddFanout[S, I, O any, N Node[S, I, Many[O]]](b *Builder[S], name string, n N) Ref[I, O] {
	return addFanoutTyped[S, I, O](b, callSite(), name, n)
}

// AddFunc adds a function of the shape of Process as a node.
func AddFunc[S, I, O any](b *Builder[S], name string, f func(*Context[S], I) (Transition[O], error)) Ref[I, O] {
	return addTyped[S, I, O](b, callSite(), name, NodeFunc[S, I, O](f))
}

// AddFanoutFunc adds a function as a node that fans out, for what Split cannot:
// one that needs the context or the state, or can fail.
func AddFanoutFunc[S, I, O any](b *Builder[S], name string, f func(*Context[S], I) (Fanout[O], error)) Ref[I, O] {
	return addFanoutTyped[S, I, O](b, callSite(), name, NodeFunc[S, I, Many[O]](f))
}

// Func adds a plain function as a node. Its context is the node's, see InfoFrom.
func Func[S, I, O any](b *Builder[S], name string, f func(context.Context, I) (O, error)) Ref[I, O] {
	r := addTyped[S, I, O](b, callSite(), name, NodeFunc[S, I, O](func(ctx *Context[S], in I) (Transition[O], error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		return Next(out), nil
	}))
	r.def.problem = problemOf(f)
	return r
}

// Split adds a plain function as a node that fans out into what f returns.
func Split[S, I, O any](b *Builder[S], name string, f func(I) []O) Ref[I, O] {
	r := addFanoutTyped[S, I, O](b, callSite(), name, NodeFunc[S, I, Many[O]](func(_ *Context[S], in I) (Fanout[O], error) {
		return NextAll(f(in)), nil
	}))
	r.def.problem = problemOf(f)
	return r
}

// End adds a node that hands on what it gets: an end for a node that goes on
// elsewhere as well.
func End[T, S any](b *Builder[S], name string) Ref[T, T] {
	r := addTyped[S, T, T](b, callSite(), name, NodeFunc[S, T, T](func(_ *Context[S], in T) (Transition[T], error) {
		return Next(in), nil
	}))
	r.def.passes = true
	return r
}

func (w *wiring) mistake(pos, format string, args ...any) {
	w.mistakes = append(w.mistakes, mistake{pos, fmt.Errorf(pos+": "+format, args...)})
}

func (w *wiring) checkTimeout(pos, who string, d time.Duration) {
	if d <= 0 {
		w.mistake(pos, "%s: Timeout(%v): want more than 0", who, d)
	}
}

func (w *wiring) checkRetry(pos, who string, p RetryPolicy) {
	if why := p.problem(); why != "" {
		w.mistake(pos, "%s: Retry: %s", who, why)
	}
}

// callSite is the file and line that called the exported function it is used in.
func callSite() string {
	_, file, line, ok := runtime.Caller(2)
	if !ok {
		return "unknown"
	}
	return fmt.Sprintf("%s:%d", filepath.Base(file), line)
}
