package flox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// startOptions is what the StartOptions of one start say.
type startOptions struct {
	id       string
	ifExists bool
	delay    time.Duration
	at       time.Time
	deadline time.Duration
	labels   map[string]string
	trace    string
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
// node cannot decode fails the run. Text that is no JSON is refused, as is an input of more than DefaultMaxPayload
// bytes. ErrNotFound if no worker ever registered the workflow;
// ErrRunExists if the id given by WithID is taken and IfExists is not given.
func (c *Control) Start(ctx context.Context, workflow string, input []byte, opts ...StartOption) (string, error) {
	info, err := c.Workflow(ctx, workflow)
	if err != nil {
		return "", err
	}
	if err := checkJSON(input); err != nil {
		return "", err
	}
	id, _, err := c.start(ctx, info, jsonPayload(input), opts)
	return id, err
}

func checkJSON(input []byte) error {
	if !json.Valid(input) {
		return fmt.Errorf("start: input %.100q is not valid JSON", input)
	}
	return nil
}

// start starts a run of the workflow that info describes; created is false if
// there is one already and IfExists allows that.
func (c *Control) start(ctx context.Context, info WorkflowInfo, payload []byte, opts []StartOption) (id string, created bool, err error) {
	var o startOptions
	for _, set := range opts {
		set(&o)
	}
	if o.id == "" {
		o.id = NewRunID()
	}
	if err := o.check(); err != nil {
		return "", false, err
	}
	if len(payload) > c.maxPayload {
		return "", false, fmt.Errorf("start: input of %d bytes exceeds the payload limit of %d; store it elsewhere and pass a reference",
			len(payload), c.maxPayload)
	}
	err = c.st.Start(ctx, StartRequest{
		Run: o.id, Nonce: newNonce(), Workflow: info.Name, Fingerprint: info.Fingerprint,
		Node: info.StartNode, Queue: info.StartQueue, Input: payload,
		NeedsOutput: info.NeedsOutput, Undoes: info.Undoes, Delay: o.delay, At: o.at,
		Deadline: cmp.Or(o.deadline, info.Deadline), Labels: o.labels, Trace: o.trace,
	})
	created = err == nil
	if o.ifExists && errors.Is(err, ErrRunExists) {
		err = c.sameWorkflow(ctx, o.id, info.Name, err)
	}
	if err != nil {
		return "", false, fmt.Errorf("start: %w", err)
	}
	return o.id, created, nil
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
	if err := checkTraceparent(o.trace); err != nil {
		return err
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

// jsonPayload is the payload of a value that came as JSON: it is stored as it
// was, and decoded by the typed worker.
func jsonPayload(value []byte) []byte { return append([]byte{codecJSON}, value...) }
