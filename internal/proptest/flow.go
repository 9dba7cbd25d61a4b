package proptest

import (
	"context"
	"errors"

	"github.com/floxrun/flox/pkg/flox"
)

// flow is a built workflow, whatever the type of its output.
type flow struct {
	def     flox.Definition
	drawing func() string
	start   func(ctx context.Context, st flox.Store, c *Case) error
	signal  func(ctx context.Context, st flox.Store, c *Case) error
	wait    func(ctx context.Context, st flox.Store, id string) (ended, error)
}

// ended is what the run came to.
type ended struct {
	outs  []V
	state State
	err   *flox.RunError
}

func flowOf[O any](wf *flox.Workflow[State, V, O], outs func(O) []V) flow {
	send := func(ctx context.Context, st flox.Store, c *Case) error {
		orch, err := flox.NewOrchestrator(st, wf, nil)
		if err != nil {
			return err
		}
		for node, payload := range c.signals {
			if err := signal(node).Send(ctx, orch, c.Name(), payload); err != nil && !errors.Is(err, flox.ErrRefused) {
				return err
			}
		}
		return nil
	}
	return flow{
		def: wf, drawing: wf.Mermaid,
		start: func(ctx context.Context, st flox.Store, c *Case) error {
			orch, err := flox.NewOrchestrator(st, wf, nil)
			if err != nil {
				return err
			}
			// Signals are to be there before anybody awaits them.
			if _, err = orch.Start(ctx, c.input, flox.WithID(c.Name()), flox.After(c.unit)); err != nil {
				return err
			}
			return send(ctx, st, c)
		},
		signal: send,
		wait: func(ctx context.Context, st flox.Store, id string) (ended, error) {
			orch, err := flox.NewOrchestrator(st, wf, nil)
			if err != nil {
				return ended{}, err
			}
			res, err := orch.Wait(ctx, id)
			e := ended{state: res.State}
			if err == nil {
				e.outs = outs(res.Output)
				return e, nil
			}
			var failed bool
			if e.err, failed = errors.AsType[*flox.RunError](err); failed {
				return e, nil
			}
			return e, err
		},
	}
}
