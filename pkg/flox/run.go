package flox

import (
	"context"
	"fmt"
	"log/slog"
)

// Run executes one run of wf to its end in this process, on a store in memory:
// for tests, scripts and a first look. Nothing survives the process. It blocks
// until the run has ended; if ctx ends first, its error is returned. A run that
// fails is a *RunError; the result then has the state so far.
func Run[S, I, O any](ctx context.Context, wf *Workflow[S, I, O], in I, opts ...StartOption) (Result[S, O], error) {
	st := NewMemory()
	worker, err := NewWorker(st, &WorkerConfig{Name: "run", Logger: slog.New(slog.DiscardHandler)}, wf)
	if err != nil {
		return Result[S, O]{}, err
	}
	orch, err := NewOrchestrator(st, wf, nil)
	if err != nil {
		return Result[S, O]{}, err
	}
	ctx, stop := context.WithCancel(ctx)
	stopped := make(chan error, 1)
	go func() { stopped <- worker.Run(ctx) }()
	defer func() { stop(); <-stopped }()
	id, err := orch.Start(ctx, in, opts...)
	if err != nil {
		return Result[S, O]{}, fmt.Errorf("run %s: %w", wf.Name(), err)
	}
	return orch.Wait(ctx, id)
}
