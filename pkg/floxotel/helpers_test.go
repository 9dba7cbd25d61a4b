package floxotel_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/floxotel"
)

// provider is one process's: its spans go to what all of a test share.
func provider(t *testing.T, spans *tracetest.InMemoryExporter, sampler sdktrace.Sampler) *sdktrace.TracerProvider {
	t.Helper()
	return sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans), sdktrace.WithSampler(sampler),
		sdktrace.WithIDGenerator(floxotel.IDGenerator{}))
}

func newTracer(t *testing.T, tp trace.TracerProvider) *floxotel.Tracer {
	t.Helper()
	tracer, err := floxotel.NewTracer(tp, floxotel.WithErrorTexts())
	if err != nil {
		t.Fatal(err)
	}
	return tracer
}

// work runs a worker until the test ends, or until stop is called, which returns
// when it has ended.
func work(t *testing.T, st flox.Store, cfg flox.WorkerConfig, defs ...flox.Definition) (stop func()) {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	w, err := flox.NewWorker(st, &cfg, defs...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := w.Run(ctx); err != nil {
			t.Errorf("worker: %v", err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	for !w.Ready() {
		time.Sleep(time.Millisecond)
	}
	return stop
}

// attribute is that of a span as text, "" if it has none.
func attribute(s tracetest.SpanStub, key string) string {
	for _, a := range s.Attributes {
		if string(a.Key) == key {
			return a.Value.String()
		}
	}
	return ""
}

// label names a span by what it is about, not by its ids.
func label(s tracetest.SpanStub) string {
	item := attribute(s, "flox.item")
	if item == "" {
		return s.Name
	}
	if n := attribute(s, "flox.attempt"); n != "1" {
		item += " attempt " + n
	}
	return s.Name + " " + item
}

// tree draws the spans of one trace, each beneath its parent, with what it links to.
// It fails if there is more than one trace, an id twice, or a parent that is not
// there; the parent of a root is drawn if it is remote.
func tree(t *testing.T, spans tracetest.SpanStubs) string {
	t.Helper()
	byID, below := map[trace.SpanID]tracetest.SpanStub{}, map[trace.SpanID]tracetest.SpanStubs{}
	for _, s := range spans {
		id := s.SpanContext.SpanID()
		if other, twice := byID[id]; twice {
			t.Errorf("%s and %s have the same id", label(other), label(s))
		}
		if s.SpanContext.TraceID() != spans[0].SpanContext.TraceID() {
			t.Errorf("%s is in trace %v, others are in %v", label(s), s.SpanContext.TraceID(), spans[0].SpanContext.TraceID())
		}
		byID[id] = s
		below[s.Parent.SpanID()] = append(below[s.Parent.SpanID()], s)
	}
	for id, children := range below {
		if _, known := byID[id]; id.IsValid() && !known {
			t.Errorf("the parent of %s was not sent", label(children[0]))
		}
	}
	var b strings.Builder
	var draw func(parent trace.SpanID, depth int)
	draw = func(parent trace.SpanID, depth int) {
		slices.SortFunc(below[parent], func(x, y tracetest.SpanStub) int {
			return cmp.Or(cmp.Compare(attribute(x, "flox.item"), attribute(y, "flox.item")), cmp.Compare(label(x), label(y)),
				x.StartTime.Compare(y.StartTime))
		})
		for _, s := range below[parent] {
			b.WriteString(strings.Repeat("  ", depth) + label(s))
			if outcome := attribute(s, "flox.outcome"); outcome != "" {
				b.WriteString(": " + outcome)
			}
			if verdict := attribute(s, "flox.verdict"); verdict != "applied" && verdict != "" {
				b.WriteString(" (" + verdict + ")")
			}
			if status := attribute(s, "flox.status"); status != "" {
				b.WriteString(": " + status)
			}
			if s.Status.Code == codes.Error {
				b.WriteString(strings.TrimSuffix(" error="+s.Status.Description, "="))
			}
			var after []string
			for _, l := range s.Links {
				name := "nothing that was sent"
				if to, ok := byID[l.SpanContext.SpanID()]; ok && l.SpanContext.TraceID() == to.SpanContext.TraceID() {
					name = label(to)
				}
				after = append(after, name)
			}
			if len(after) > 0 {
				fmt.Fprintf(&b, " <- %s", strings.Join(after, ", "))
			}
			b.WriteString("\n")
			draw(s.SpanContext.SpanID(), depth+1)
		}
	}
	draw(trace.SpanID{}, 0)
	return b.String()
}

// lines is a log that is read while it is written.
type lines struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSpace(l.buf.String()), "\n")
}

func jsonLog(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }

// eventually waits for what no event tells.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited a minute in vain until %s", what)
		}
	}
}
