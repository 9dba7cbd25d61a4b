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
	cfg := &WorkerConfig{Name: "run", Logger: slog.New(slog.DiscardHandler)}
	return drive(ctx, NewMemory(), cfg, wf, func(ctx context.Context, o *Orchestrator[S, I, O]) (string, error) {
		return o.Start(ctx, in, opts...)
	})
}

// RunCheckpointed is like Run on a store that outlives the process: whenever it
// is killed, Resume goes on with the run from its last committed steps. An
// ErrRunExists if the id is taken. It is a worker of wf for as long as the run
// lasts: on a store that others use it may execute steps of their runs of wf,
// and they steps of this one.
func RunCheckpointed[S, I, O any](ctx context.Context, st Store, id string, wf *Workflow[S, I, O], in I) (Result[S, O], error) {
	return drive(ctx, st, quietly(), wf, func(ctx context.Context, o *Orchestrator[S, I, O]) (string, error) {
		return o.Start(ctx, in, WithID(id))
	})
}

// quietly configures a worker that says only what is wrong.
func quietly() *WorkerConfig {
	return &WorkerConfig{Logger: slog.New(warnings{slog.Default().Handler()})}
}

// warnings lets pass what is a warning or worse.
type warnings struct{ slog.Handler }

// Enabled implements slog.Handler.
func (h warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

// WithAttrs implements slog.Handler.
func (h warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h warnings) WithGroup(name string) slog.Handler { return warnings{h.Handler.WithGroup(name)} }

// Resume goes on with a run that RunCheckpointed, or anybody else, began, and
// returns its result as Run does; also if it has ended already. Steps that were in flight
// when a process was killed are taken over when their leases have run out (10 s).
// ErrNotFound if there is no such run; an error if it is of another workflow or paused.
func Resume[S, I, O any](ctx context.Context, st Store, id string, wf *Workflow[S, I, O]) (Result[S, O], error) {
	return drive(ctx, st, quietly(), wf, func(ctx context.Context, o *Orchestrator[S, I, O]) (string, error) {
		info, err := o.control.Show(ctx, id)
		switch {
		case err != nil:
			return "", err
		case o.owns(info) != nil:
			return "", o.owns(info)
		case info.Status == StatusPaused:
			return "", fmt.Errorf("run %s is paused; resume it with Control.Resume first", id)
		}
		return id, nil
	})
}

// drive works on st until the run that begin names has ended.
func drive[S, I, O any](ctx context.Context, st Store, cfg *WorkerConfig, wf *Workflow[S, I, O],
	begin func(context.Context, *Orchestrator[S, I, O]) (string, error)) (Result[S, O], error) {
	var none Result[S, O]
	orch, err := NewOrchestrator(st, wf, nil)
	if err != nil {
		return none, err
	}
	worker, err := NewWorker(st, cfg, wf)
	if err != nil {
		return none, err
	}
	id, err := begin(ctx, orch)
	if err != nil {
		return none, fmt.Errorf("run %s: %w", wf.Name(), err)
	}
	ctx, stop := context.WithCancelCause(ctx)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if err := worker.Run(ctx); err != nil {
			stop(err) // it could not register; without it nobody would end the run
		}
	}()
	defer func() { stop(nil); <-stopped }()
	return orch.Wait(ctx, id)
}
