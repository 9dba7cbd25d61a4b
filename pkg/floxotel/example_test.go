package floxotel_test

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"sync"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/floxotel"
)

// A program of its own traces its worker's items, and starts a run within a span.
// The spans are kept in memory here; a real program gives the provider an exporter
// of OTLP.
func Example() {
	b := flox.New[flox.NoState]("greet")
	tidy := flox.Func(b, "tidy", func(_ context.Context, name string) (string, error) { return name, nil })
	greet := flox.Func(b, "greet", func(_ context.Context, name string) (string, error) { return "Hello, " + name, nil })
	tidy.To(greet)
	wf, err := flox.Build(b, tidy, greet)
	if err != nil {
		log.Fatal(err)
	}

	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans), sdktrace.WithIDGenerator(floxotel.IDGenerator{}))
	tracer, err := floxotel.NewTracer(provider)
	if err != nil {
		log.Fatal(err)
	}
	store := flox.NewMemory()
	worker, err := flox.NewWorker(store, &flox.WorkerConfig{Tracer: tracer, Logger: slog.New(slog.DiscardHandler)}, wf)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := worker.Run(ctx); err != nil {
			log.Print(err)
		}
	})

	orch, err := flox.NewOrchestrator(store, wf, nil)
	if err != nil {
		log.Fatal(err)
	}
	request, span := provider.Tracer("shop").Start(ctx, "request")
	id, err := orch.Start(request, "Ada", floxotel.Trace(request))
	if err != nil {
		log.Fatal(err)
	}
	span.End()
	if _, err := orch.Wait(ctx, id); err != nil {
		log.Fatal(err)
	}
	stop()
	running.Wait()

	one := true
	for _, s := range spans.GetSpans() {
		fmt.Println(s.Name)
		one = one && s.SpanContext.TraceID() == span.SpanContext().TraceID()
	}
	fmt.Println("one trace:", one)
	// Unordered output:
	// request
	// tidy
	// greet
	// run greet
	// one trace: true
}
