package flox

import (
	"context"
	"errors"
	"fmt"
)

// Flow is a workflow as far as starting and awaiting its runs needs it: a
// *Workflow, or the Named handle of one whose nodes are not linked in.
type Flow[S, I, O any] interface {
	Name() string
	flow(S, I, O) *flowInfo
}

// flowInfo is what an Orchestrator knows of its workflow.
type flowInfo struct {
	graph *graph // nil for Named
}

type named[S, I, O any] struct{ name string }

// Named is a typed handle for a workflow that runs elsewhere: its graph is read
// from the store, where its workers have registered it.
func Named[S, I, O any](name string) Flow[S, I, O] { return named[S, I, O]{name} }

func (n named[S, I, O]) Name() string           { return n.name }
func (n named[S, I, O]) flow(S, I, O) *flowInfo { return &flowInfo{} }

// Result is what a completed run came to.
type Result[S, O any] struct {
	ID     string
	Output O // the output (Build), or all of them in commit order (BuildAll)
	State  S
	Steps  int // items committed
}

// OrchestratorConfig sets up an Orchestrator. Its zero value works.
type OrchestratorConfig struct {
	// MaxPayload is the largest input in bytes; default 1 MiB, as the workers'.
	MaxPayload int
}

// Orchestrator starts runs of one workflow and waits for their results. It is
// safe for concurrent use and holds no run in memory.
type Orchestrator[S, I, O any] struct {
	st      Store
	name    string
	flow    *flowInfo
	control *Control
	codec   flowCodec[S, I, O]
}

// NewOrchestrator returns an Orchestrator of wf's runs in st; cfg may be nil.
func NewOrchestrator[S, I, O any](st Store, wf Flow[S, I, O], cfg *OrchestratorConfig) (*Orchestrator[S, I, O], error) {
	var (
		s S
		i I
		o O
	)
	if missing(wf) {
		return nil, errors.New("orchestrator: the workflow is nil; want one that Build returned")
	}
	if err := CheckName("workflow", wf.Name()); err != nil {
		return nil, err
	}
	info := wf.flow(s, i, o)
	codec, err := newFlowCodec[S, I, O](info.graph)
	if err != nil {
		return nil, fmt.Errorf("workflow %s: %w", wf.Name(), err)
	}
	control := NewControl(st)
	if cfg != nil && cfg.MaxPayload != 0 {
		if cfg.MaxPayload < 0 {
			return nil, fmt.Errorf("orchestrator: payload limit %d: want 1 or more bytes", cfg.MaxPayload)
		}
		control.maxPayload = cfg.MaxPayload
	}
	return &Orchestrator[S, I, O]{st: st, name: wf.Name(), flow: info, control: control, codec: codec}, nil
}

// Control returns the untyped controls of the same store.
func (o *Orchestrator[S, I, O]) Control() *Control { return o.control }

// Start starts a run and returns its id. Errors: ErrRunExists if the id given
// by WithID is taken and IfExists is not given; ErrNotFound if the workflow is
// a Named one that no worker has registered.
func (o *Orchestrator[S, I, O]) Start(ctx context.Context, in I, opts ...StartOption) (string, error) {
	payload, err := o.codec.encodeInput(in)
	if err != nil {
		return "", fmt.Errorf("start: input: %w", err)
	}
	var info WorkflowInfo
	if o.flow.graph != nil {
		info = o.flow.graph.info()
	} else if info, err = o.control.Workflow(ctx, o.name); err != nil {
		return "", err
	}
	id, _, err := o.control.start(ctx, info, payload, opts)
	return id, err
}

// Wait blocks until the run has ended or ctx is done. The error is a *RunError
// if the run failed or was cancelled; the result then has the state so far.
func (o *Orchestrator[S, I, O]) Wait(ctx context.Context, id string) (Result[S, O], error) {
	res := Result[S, O]{ID: id}
	var outs [][]byte // as they were when the run was seen to end, or before
	info, err := o.control.wait(ctx, id, func() { outs, _ = o.st.Outputs(ctx, id) })
	if err != nil {
		return res, err
	}
	if err := o.owns(info); err != nil {
		return res, err
	}
	res.Steps = int(info.Counts.Committed)
	res.State, err = o.readState(ctx, info)
	switch {
	case info.Status == StatusCompleted && err != nil:
		return res, err
	case info.Status != StatusCompleted && err != nil: // of which it may have failed
		return res, errors.Join(o.control.runError(ctx, info), err)
	case info.Status != StatusCompleted:
		return res, o.control.runError(ctx, info)
	}
	if outs == nil || int64(len(outs)) != info.Counts.Outputs {
		if outs, err = o.st.Outputs(ctx, id); err != nil {
			return res, fmt.Errorf("output of run %s: %w", id, err)
		}
	}
	codec := o.codec
	if o.flow.graph == nil {
		known, err := o.control.Workflow(ctx, o.name)
		if err != nil {
			return res, err
		}
		codec.list = known.ListOutput
	}
	if res.Output, err = codec.decodeOutput(outs); err != nil {
		return res, fmt.Errorf("output of run %s: %w", id, err)
	}
	return res, nil
}

// State returns the run's state as of now, at any time during the run.
// ErrNotFound if there is none of that id.
func (o *Orchestrator[S, I, O]) State(ctx context.Context, id string) (S, error) {
	info, err := o.control.Show(ctx, id)
	if err == nil {
		err = o.owns(info)
	}
	if err != nil {
		var zero S
		return zero, err
	}
	return o.readState(ctx, info)
}

// owns refuses a run of another workflow: its state would be read, and even
// folded, as what it is not.
func (o *Orchestrator[S, I, O]) owns(info RunInfo) error {
	if info.Workflow != o.name {
		return fmt.Errorf("run %s is of workflow %s, not %s", info.ID, info.Workflow, o.name)
	}
	return nil
}

// readState reads the run's state, if it was ever changed.
func (o *Orchestrator[S, I, O]) readState(ctx context.Context, info RunInfo) (S, error) {
	var (
		zero  S
		state any
		err   error
	)
	if info.Counts.Version == 0 {
		state, err = stateParts{}.fold("", o.codec.state)
	} else {
		state, _, err = newRunState(o.st, info.ID, o.flow.graph, nil).in("").readState(ctx, o.codec.state)
	}
	if err != nil {
		return zero, fmt.Errorf("state of run %s: %w", info.ID, err)
	}
	return state.(S), nil
}
