// Command tracing shows a run as one trace, made by two workers: an offer whose
// lines are priced in parallel, one of them at the second attempt. The program keeps
// the spans in memory and draws them; a real one gives the provider an exporter,
// such as otlptracehttp.New, or has its workers made by pkg/worker, which takes
// --tracing=otlp.
//
//	go run ./examples/tracing
//
// prints
//
//	request
//	  run offer
//	    split 0.0
//	    price 0.0.1.0, after split 0.0
//	    total 0.0.j.0, after price 0.1 and price 0.0.1.0
//	    price 0.1, after split 0.0: busy
//	      price 0.1 again, after price 0.1
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/floxotel"
)

// price is busy at its first attempt at tea.
func price(ctx context.Context, line string) (int, error) {
	if info, _ := flox.InfoFrom(ctx); line == "tea" && info.Attempt == 1 {
		return 0, flox.RetryAfter(time.Millisecond, errors.New("busy"))
	}
	return 100 * len(line), nil
}

func offer() (*flox.Workflow[flox.NoState, []string, int], error) {
	b := flox.New[flox.NoState]("offer")
	split := flox.Split(b, "split", func(lines []string) []string { return lines })
	each := flox.Func(b, "price", price)
	total := flox.Func(b, "total", func(_ context.Context, prices []int) (sum int, err error) {
		for _, p := range prices {
			sum += p
		}
		return sum, nil
	})
	split.To(each)
	each.Join(total)
	return flox.Build(b, split, total)
}

// provide makes the spans of one process, which go to where all others' go.
func provide(spans sdktrace.SpanExporter) *sdktrace.TracerProvider {
	return sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans), sdktrace.WithIDGenerator(floxotel.IDGenerator{}))
}

func run(ctx context.Context, out io.Writer) error {
	wf, err := offer()
	if err != nil {
		return err
	}
	store, spans := flox.NewMemory(), tracetest.NewInMemoryExporter()
	ctx, stop := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait()
	defer stop()
	for range 2 {
		tracer, err := floxotel.NewTracer(provide(spans), floxotel.WithErrorTexts())
		if err != nil {
			return err
		}
		w, err := flox.NewWorker(store, &flox.WorkerConfig{
			Concurrency: 1, Tracer: tracer, Logger: slog.New(slog.DiscardHandler),
		}, wf)
		if err != nil {
			return err
		}
		workers.Go(func() {
			if err := w.Run(ctx); err != nil {
				log.Print(err)
			}
		})
	}

	orch, err := flox.NewOrchestrator(store, wf, nil)
	if err != nil {
		return err
	}
	request, span := provide(spans).Tracer("shop").Start(ctx, "request")
	id, err := orch.Start(request, []string{"tea", "cups"}, floxotel.Trace(request))
	if err != nil {
		return err
	}
	if _, err := orch.Wait(ctx, id); err != nil {
		return err
	}
	span.End()
	stop()
	workers.Wait()
	draw(out, spans.GetSpans(), trace.SpanID{}, "")
	return nil
}

// draw prints the spans beneath a parent, by the names of their items.
func draw(out io.Writer, all tracetest.SpanStubs, parent trace.SpanID, indent string) {
	var below tracetest.SpanStubs
	names := map[trace.SpanID]string{}
	for _, s := range all {
		names[s.SpanContext.SpanID()] = name(s)
		if s.Parent.SpanID() == parent {
			below = append(below, s)
		}
	}
	slices.SortFunc(below, func(x, y tracetest.SpanStub) int {
		return cmp.Compare(attribute(x, "flox.item"), attribute(y, "flox.item"))
	})
	for _, s := range below {
		line := name(s)
		if attribute(s, "flox.attempt") > "1" {
			line += " again"
		}
		for i, link := range s.Links {
			line += []string{", after ", " and "}[min(i, 1)] + names[link.SpanContext.SpanID()]
		}
		if s.Status.Description != "" {
			line += ": " + s.Status.Description
		}
		fmt.Fprintln(out, indent+line)
		draw(out, all, s.SpanContext.SpanID(), indent+"  ")
	}
}

func name(s tracetest.SpanStub) string {
	return strings.TrimSpace(s.Name + " " + attribute(s, "flox.item"))
}

func attribute(s tracetest.SpanStub, key string) string {
	for _, a := range s.Attributes {
		if string(a.Key) == key {
			return a.Value.String()
		}
	}
	return ""
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}
