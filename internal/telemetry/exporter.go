package telemetry

import (
	"context"
	"log/slog"
	"sync"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// exporter tells the log when spans begin to be lost, and when they are sent again.
type exporter struct {
	sdktrace.SpanExporter
	log *slog.Logger

	mu   sync.Mutex
	lost int // spans since the last that was sent
	down bool
}

// ExportSpans implements sdktrace.SpanExporter. Its error is told here, not to the
// SDK, which would tell each.
func (e *exporter) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := e.SpanExporter.ExportSpans(ctx, spans)
	if err != nil {
		e.mu.Lock()
		e.lost += len(spans)
		e.mu.Unlock()
		e.failed(err)
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down {
		e.log.Info("spans are sent again", "lost", e.lost)
	}
	e.down, e.lost = false, 0
	return nil
}

// failed warns, once until spans are sent again.
func (e *exporter) failed(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.down {
		e.log.Warn("spans cannot be sent and are dropped until they can", "error", err)
	}
	e.down = true
}
