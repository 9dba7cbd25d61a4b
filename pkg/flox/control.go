package flox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"
)

// Control starts, watches and steers runs of any workflow by name, without
// their types: what the CLI and administration tools use. It is safe for
// concurrent use.
type Control struct {
	st         Store
	watch      *watcher
	maxPayload int // of an input, in bytes
}

// NewControl returns a Control of the runs in st.
func NewControl(st Store) *Control {
	return &Control{st: st, watch: newWatcher(st), maxPayload: DefaultMaxPayload}
}

// startOptions is what the StartOptions of one start say.
type startOptions struct {
	id       string
	ifExists bool
	delay    time.Duration
	at       time.Time
	deadline time.Duration
	labels   map[string]string
}

// StartOption changes how a run is started.
type StartOption func(*startOptions)

// WithID gives the run an id of the caller's, so that starting it twice gives
// one run. The default is a fresh id, see NewRunID.
func WithID(id string) StartOption { return func(o *startOptions) { o.id = id } }

// IfExists makes a start with an id that is taken by a run of the same workflow
// return that run instead of an ErrRunExists.
func IfExists() StartOption { return func(o *startOptions) { o.ifExists = true } }

// After delays the run's first step by d.
func After(d time.Duration) StartOption { return func(o *startOptions) { o.delay = d } }

// At delays the run's first step until t, by the store's clock; it starts at once
// if that is past.
func At(t time.Time) StartOption { return func(o *startOptions) { o.at = t } }

// WithLabel gives the run a label to find it by, see RunFilter; a key given again
// has the last value. The key must satisfy CheckName, the value is text of up to
// 256 bytes without control characters. A run has at most 32 labels.
func WithLabel(key, value string) StartOption {
	return func(o *startOptions) {
		if o.labels == nil {
			o.labels = map[string]string{}
		}
		o.labels[key] = value
	}
}

// WithDeadline limits how long the run may take from when its first step may
// begin, instead of what its workflow says; a run that takes longer fails with
// ErrDeadline.
func WithDeadline(d time.Duration) StartOption { return func(o *startOptions) { o.deadline = d } }

// Start starts a run of a registered workflow with input as JSON, and returns
// its id. The caller has checked input against the workflow's schema; what the
// node cannot decode fails the run. An input of more than DefaultMaxPayload
// bytes is refused. ErrNotFound if no worker ever registered the workflow;
// ErrRunExists if the id given by WithID is taken and IfExists is not given.
func (c *Control) Start(ctx context.Context, workflow string, input []byte, opts ...StartOption) (string, error) {
	info, err := c.Workflow(ctx, workflow)
	if err != nil {
		return "", err
	}
	return c.start(ctx, info, jsonPayload(input), opts)
}

// start starts a run of the workflow that info describes.
func (c *Control) start(ctx context.Context, info WorkflowInfo, payload []byte, opts []StartOption) (string, error) {
	var o startOptions
	for _, set := range opts {
		set(&o)
	}
	if o.id == "" {
		o.id = NewRunID()
	}
	if err := o.check(); err != nil {
		return "", err
	}
	if len(payload) > c.maxPayload {
		return "", fmt.Errorf("start: input of %d bytes exceeds the payload limit of %d; store it elsewhere and pass a reference",
			len(payload), c.maxPayload)
	}
	err := c.st.Start(ctx, StartRequest{
		Run: o.id, Nonce: newNonce(), Workflow: info.Name, Fingerprint: info.Fingerprint,
		Node: info.StartNode, Queue: info.StartQueue, Input: payload,
		NeedsOutput: info.NeedsOutput, Undoes: info.Undoes, Delay: o.delay, At: o.at,
		Deadline: cmp.Or(o.deadline, info.Deadline), Labels: o.labels,
	})
	if o.ifExists && errors.Is(err, ErrRunExists) {
		err = c.sameWorkflow(ctx, o.id, info.Name, err)
	}
	if err != nil {
		return "", fmt.Errorf("start: %w", err)
	}
	return o.id, nil
}

// check reports the first option that cannot be.
func (o *startOptions) check() error {
	if err := CheckName("run id", o.id); err != nil {
		return err
	}
	if o.delay < 0 {
		return fmt.Errorf("start delay %v: want zero or more", o.delay)
	}
	if o.delay > 0 && !o.at.IsZero() {
		return errors.New("start: want a delay or a time, not both")
	}
	if o.deadline < 0 {
		return fmt.Errorf("deadline %v: want zero or more", o.deadline)
	}
	return CheckLabels(o.labels)
}

// sameWorkflow returns nil if the run that exists is of the workflow wanted.
func (c *Control) sameWorkflow(ctx context.Context, id, workflow string, exists error) error {
	run, err := c.st.Info(ctx, id)
	if err != nil {
		return err
	}
	if run.Workflow != workflow {
		return fmt.Errorf("%w: it is a run of workflow %s, not %s", exists, run.Workflow, workflow)
	}
	return nil
}

// Workflow returns a registered workflow. ErrNotFound if there is none of that name.
func (c *Control) Workflow(ctx context.Context, name string) (WorkflowInfo, error) {
	all, err := c.st.Workflows(ctx)
	if err != nil {
		return WorkflowInfo{}, fmt.Errorf("read workflows: %w", err)
	}
	for _, w := range all {
		if w.Name == name {
			return w, nil
		}
	}
	return WorkflowInfo{}, fmt.Errorf("workflow %q: %w", name, ErrNotFound)
}

// Pause lets no further step of the run start; steps in flight finish, commit
// and stop there. ErrNotFound, or a *RefusedError unless the run is running.
func (c *Control) Pause(ctx context.Context, id string) error { return c.do(ctx, id, ControlPause) }

// Resume lets a paused run go on. ErrNotFound, or a *RefusedError unless it is paused.
func (c *Control) Resume(ctx context.Context, id string) error { return c.do(ctx, id, ControlResume) }

// Cancel ends a run for good, also one that is paused or undoes: from then on
// nothing of it starts and no commit of it is accepted. It undoes nothing.
// ErrNotFound, or a *RefusedError if the run has ended.
func (c *Control) Cancel(ctx context.Context, id string) error { return c.do(ctx, id, ControlCancel) }

// Retry lets a failed run go on from its failed steps, with fresh attempts and no
// deadline; one whose undo failed goes on undoing. ErrNotFound, or a
// *RefusedError unless it has failed and has something to go on from.
func (c *Control) Retry(ctx context.Context, id string) error { return c.do(ctx, id, ControlRetry) }

// RetryFrom lets a failed run be done again from a node, with the input and the
// state it had when it last came there alone, that is while no other token of the
// run was anywhere. What was done since is forgotten, but in the history and the
// errors; every token of the run is dropped, and what is done again has new item
// ids, and so new idempotency keys. ErrNotFound, or a *RefusedError unless the run
// has failed; also with a Reason, if the run never came to the node, or only in
// branches of a fan-out or as their join, if steps were undone, or if the state
// was folded since.
func (c *Control) RetryFrom(ctx context.Context, id, node string) error {
	if node == "" {
		return errors.New("retry from: want the name of a node")
	}
	return c.control(ctx, ControlRequest{Run: id, Op: ControlRetry, From: node})
}

// Delete removes a run that has ended and everything that is kept of it.
// ErrNotFound, or a *RefusedError if it has not ended.
func (c *Control) Delete(ctx context.Context, id string) error {
	if _, err := c.Show(ctx, id); err != nil {
		return err
	}
	// A run that is gone by now was deleted, be it by a lost answer's call.
	if _, err := c.st.Delete(ctx, id); err != nil && !errors.Is(err, ErrNotFound) {
		if errors.Is(err, ErrRefused) {
			return err
		}
		return fmt.Errorf("delete run %s: %w", id, err)
	}
	return nil
}

func (c *Control) do(ctx context.Context, id string, op ControlOp) error {
	return c.control(ctx, ControlRequest{Run: id, Op: op})
}

func (c *Control) control(ctx context.Context, req ControlRequest) error {
	id, op := req.Run, req.Op
	if err := CheckName("run id", id); err != nil {
		return err
	}
	req.Nonce = newNonce()
	if _, err := c.st.Control(ctx, req); err != nil {
		if errors.Is(err, ErrRefused) {
			return err
		}
		return fmt.Errorf("%s run %s: %w", op, id, err)
	}
	for more := op != ControlPause; more; {
		var err error
		if more, err = c.st.Settle(ctx, id); err != nil {
			// The status has changed; any worker's janitor settles the rest.
			return fmt.Errorf("%s run %s: done, but not settled yet: %w", op, id, err)
		}
	}
	return nil
}

// Show returns how a run stands. ErrNotFound if there is none of that id.
func (c *Control) Show(ctx context.Context, id string) (RunInfo, error) {
	if err := CheckName("run id", id); err != nil {
		return RunInfo{}, err
	}
	info, err := c.st.Info(ctx, id)
	if err != nil {
		return RunInfo{}, fmt.Errorf("run %s: %w", id, err)
	}
	return info, nil
}

// Errors returns the newest errors of a run, oldest first. ErrNotFound if there
// is none of that id.
func (c *Control) Errors(ctx context.Context, id string) ([]ErrorRecord, error) {
	if err := CheckName("run id", id); err != nil {
		return nil, err
	}
	errs, err := c.st.Errors(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("errors of run %s: %w", id, err)
	}
	return errs, nil
}

// History returns up to limit finished steps of a run in commit order, skipping
// the first from. ErrNotFound if there is none of that id.
func (c *Control) History(ctx context.Context, id string, from, limit int) ([]StepRecord, error) {
	if err := CheckName("run id", id); err != nil {
		return nil, err
	}
	steps, err := c.st.History(ctx, id, from, limit)
	if err != nil {
		return nil, fmt.Errorf("history of run %s: %w", id, err)
	}
	return steps, nil
}

// List returns a page of runs.
func (c *Control) List(ctx context.Context, req ListRequest) (RunPage, error) {
	if req.Limit < 1 {
		return RunPage{}, fmt.Errorf("list: limit %d: want 1 or more", req.Limit)
	}
	return c.st.List(ctx, req)
}

// Wait blocks until the run has ended or ctx is done, and returns how it
// stands then. ErrNotFound if there is none of that id.
func (c *Control) Wait(ctx context.Context, id string) (RunInfo, error) {
	if err := CheckName("run id", id); err != nil {
		return RunInfo{}, err
	}
	changed, stop := c.watch.run(id)
	defer stop()
	for {
		info, err := c.st.Info(ctx, id)
		if err != nil {
			return info, fmt.Errorf("run %s: %w", id, err)
		}
		if info.Status.Terminal() {
			return info, nil
		}
		if err := sleepOr(ctx, pollEvery, changed); err != nil {
			return info, fmt.Errorf("wait for run %s: %w", id, err)
		}
	}
}

// pollEvery is how often a waiter asks in case an event was lost.
const pollEvery = time.Second

// sleepOr waits for d, changed or the end of ctx, whose error it returns.
func sleepOr(ctx context.Context, d time.Duration, changed <-chan struct{}) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
	case <-changed:
	}
	return nil
}

// jsonPayload is the payload of a value that came as JSON: it is stored as it
// was, and decoded by the typed worker.
func jsonPayload(value []byte) []byte { return append([]byte{codecJSON}, value...) }
