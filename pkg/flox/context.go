package flox

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
)

// Context is what a node gets besides its input: the item's context, which ends
// when the item must stop (timeout, lost lease, cancelled run), the run's state,
// and facts about the item. It is safe for concurrent use and must not be used
// after Process has returned.
type Context[S any] struct {
	context.Context
	visit *visit
}

// State returns the run's state as of the item's first call, with the item's
// own deltas merged in. Do not modify what it refers to. If the state cannot be
// read because the worker lost its store or its lease, State does not return:
// it unwinds Process, nothing is committed, and the item runs again elsewhere.
// Call it on the goroutine that Process was called on.
func (c *Context[S]) State() S {
	return c.visit.view().(S)
}

// Merge adds delta to the run's state. It takes effect if and when this item
// commits, exactly once.
func (c *Context[S]) Merge(delta S) { c.visit.merge(delta) }

// RunID returns the id of the run.
func (c *Context[S]) RunID() string { return c.visit.info().RunID }

// ItemID returns the id of the item within its run.
func (c *Context[S]) ItemID() string { return c.visit.info().ItemID }

// Attempt returns which attempt at the item this is, counted from 1.
func (c *Context[S]) Attempt() int { return c.visit.info().Attempt }

// IdempotencyKey returns a key that is the same for all attempts at this item
// and differs from that of any other item of any run: hand it to services that
// must not do a thing twice.
func (c *Context[S]) IdempotencyKey() string { return c.visit.info().IdempotencyKey }

// Logger returns a logger whose lines name the run, the node and the item.
func (c *Context[S]) Logger() *slog.Logger { return c.visit.info().Logger }

// Progress tells how far the item is, for people who watch: share from 0 to 1,
// and a note, which may be empty. The worker passes on what was told last, at
// its next heartbeat; nothing of it is kept. Inside Batch, BatchSome and
// Composite it is ignored; Batch and BatchSome tell the share of their elements.
func (c *Context[S]) Progress(share float64, note string) {
	if c.visit.report == nil {
		return
	}
	if !(share >= 0) { // also NaN
		share = 0
	}
	c.visit.report.report(min(share, 1), note)
}

// Info is what Context tells about an item, for functions that take a
// context.Context.
type Info struct {
	RunID, Workflow, Node, ItemID string

	Attempt        int // counted from 1
	IdempotencyKey string
	Logger         *slog.Logger
}

type infoKey struct{}

// InfoFrom returns the facts about the item that ctx belongs to, and false if
// ctx does not come from a node.
func InfoFrom(ctx context.Context) (Info, bool) {
	v, ok := ctx.Value(infoKey{}).(*visit)
	if !ok {
		return Info{}, false
	}
	return *v.info(), true
}

// stateReader reads a run's state. The folded value is shared: it must not be
// modified.
type stateReader interface {
	readState(ctx context.Context, st *stateType) (folded any, version int64, err error)
}

// visit is one item at its node: what is behind a Context of any type. It is
// also the context that the node gets.
type visit struct {
	context.Context
	st     *stateType
	state  stateLog // nil for a part
	scope  string   // of state, that the node sees
	whole  *visit   // that this one is a part of, nil for an item
	limit  int      // most bytes of a payload
	report reporter // may be nil

	item about
	made atomic.Pointer[Info] // see info

	mu      sync.Mutex
	folded  any   // what was read, nil before
	version int64 // of folded, -1 before
	delta   any   // own deltas merged, nil for none
	unread  error // why the state could not be read
}

// reporter takes what a node says of its progress.
type reporter interface {
	report(share float64, note string)
}

// about is what an Info is made of. Most nodes do not ask for theirs.
type about struct {
	ns, run, workflow string
	noted
	logger *slog.Logger // of the worker, nil for none
}

func newVisit(x *execution, n *node, st *stateType) *visit {
	v := &visit{st: st, state: x.state, version: -1, limit: x.limit, report: x.report}
	v.item = about{ns: x.ns, run: x.lease.Run, workflow: x.item.Workflow, noted: x.noted, logger: x.logger}
	v.item.item, v.item.node, v.item.attempt = x.id(), n.name, x.lease.Attempt+1
	if x.within != nil {
		info := x.within.part(v.item.item)
		info.Workflow, info.Node, info.Attempt = v.item.workflow, n.name, v.item.attempt
		info.Logger = info.Logger.With(logInner, n.name)
		v.made.Store(&info)
	}
	return v
}

// info makes the Info when it is first asked for.
func (v *visit) info() *Info {
	if info := v.made.Load(); info != nil {
		return info
	}
	a := &v.item
	info := &Info{
		RunID: a.run, Workflow: a.workflow, Node: a.node, ItemID: a.item, Attempt: a.attempt,
		IdempotencyKey: a.ns + "/" + a.run + "/" + a.item,
	}
	if a.logger != nil {
		info.Logger = a.line(a.logger, a.run)
	} else {
		info.Logger = slog.New(slog.DiscardHandler)
	}
	if !v.made.CompareAndSwap(nil, info) {
		return v.made.Load()
	}
	return info
}

// Value implements context.Context; see InfoFrom.
func (v *visit) Value(key any) any {
	if _, ok := key.(infoKey); ok {
		return v
	}
	return v.Context.Value(key)
}

// part is the Info of a part of the item.
func (i Info) part(name string) Info {
	i.ItemID += "/" + name
	i.IdempotencyKey += "/" + name
	i.Logger = i.Logger.With(logPart, name)
	return i
}

// part makes a Context for a part of c's item. It sees the item's state, and its
// own deltas on top; these become the item's with keep, and are else dropped.
func (c *Context[S]) part(ctx context.Context, info Info) *Context[S] {
	v := &visit{Context: ctx, st: c.visit.st, whole: c.visit, version: -1, limit: c.visit.limit}
	v.made.Store(&info)
	return &Context[S]{Context: v, visit: v}
}

// keep makes the deltas of a part those of the whole.
func (c *Context[S]) keep() {
	v := c.visit
	v.mu.Lock()
	delta := v.delta
	v.delta = nil
	v.mu.Unlock()
	if delta != nil {
		v.whole.merge(delta)
	}
}

// unwind is what view panics with when the state cannot be read.
type unwind struct{ err error }

// view is the state as the node sees it.
func (v *visit) view() any {
	state, err := v.read()
	if err != nil {
		panic(unwind{err})
	}
	return state
}

// read is view that returns its error; either way the item cannot be committed.
func (v *visit) read() (any, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.folded == nil || v.whole != nil { // the whole may have got deltas meanwhile
		folded, version, err := v.load()
		if err != nil {
			v.unread = err
			return nil, err
		}
		v.folded, v.version = folded, version
	}
	if v.delta == nil {
		return v.folded, nil
	}
	return v.st.merge(v.folded, v.delta), nil
}

func (v *visit) load() (folded any, version int64, err error) {
	if v.whole != nil {
		folded, err = v.whole.read()
		return folded, -1, err
	}
	return v.state.in(v.scope).readState(v, v.st)
}

func (v *visit) merge(delta any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.delta == nil {
		v.delta = delta
		return
	}
	v.delta = v.st.merge(v.delta, delta)
}
