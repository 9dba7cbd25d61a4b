package flox

import "context"

// RunOn is Run on a store that a test can look into.
func RunOn[S, I, O any](ctx context.Context, st Store, wf *Workflow[S, I, O], in I) (Result[S, O], error) {
	return drive(ctx, st, nil, wf, func(ctx context.Context, o *Orchestrator[S, I, O]) (string, error) {
		return o.Start(ctx, in, WithID("r"))
	})
}
