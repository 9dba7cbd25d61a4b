// Package telemetry sends the spans of a process to where OpenTelemetry's
// environment variables say.
package telemetry

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/floxrun/flox/internal/flags"
	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/floxotel"
)

// Modes are the words of --tracing; the first is the default.
func Modes() *flags.Choice { return flags.NewChoice("off", "otlp") }

// Usage describes --tracing.
const Usage = "send spans by OTLP to where the OTEL_EXPORTER_OTLP_* variables say"

// flushWithin is how long Close waits for the spans that were not sent yet.
const flushWithin = 2 * time.Second

// Tracing is a process's spans. A nil Tracing makes none.
type Tracing struct {
	provider *sdktrace.TracerProvider
	exporter *exporter
	tracer   *floxotel.Tracer
	log      *slog.Logger
}

// Open begins to send spans if mode is otlp, unless OTEL_SDK_DISABLED or
// OTEL_TRACES_EXPORTER say otherwise: then it returns nil. service is the default of
// OTEL_SERVICE_NAME. Wrong variables are a flags.ErrUsage. It connects to nothing:
// that the collector cannot be reached is logged later, once.
func Open(ctx context.Context, mode *flags.Choice, service, version string, log *slog.Logger) (*Tracing, error) {
	if mode.Value != "otlp" {
		return nil, nil
	}
	on, err := enabled()
	if err != nil || !on {
		return nil, err
	}
	protocol, err := checkEnvironment()
	if err != nil {
		return nil, err
	}
	res, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", service), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, flags.Usagef("OTEL_RESOURCE_ATTRIBUTES: %s", oneLine(err))
	}
	client, err := newExporter(ctx, protocol)
	if err != nil {
		return nil, flags.Usagef("OTEL_EXPORTER_OTLP_*: %s", oneLine(err))
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Debug("tracing", "error", err) }))
	t := &Tracing{exporter: &exporter{SpanExporter: client, log: log}, log: log}
	t.provider = sdktrace.NewTracerProvider(sdktrace.WithBatcher(t.exporter), sdktrace.WithResource(res),
		sdktrace.WithIDGenerator(floxotel.IDGenerator{}))
	if t.tracer, err = floxotel.NewTracer(t.provider); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func newExporter(ctx context.Context, protocol string) (sdktrace.SpanExporter, error) {
	if protocol == "grpc" {
		return otlptracegrpc.New(ctx)
	}
	return otlptracehttp.New(ctx)
}

// enabled looks at the two variables that turn tracing off.
func enabled() (bool, error) {
	if strings.EqualFold(env("OTEL_SDK_DISABLED"), "true") {
		return false, nil
	}
	switch v := env("OTEL_TRACES_EXPORTER"); v {
	case "none":
		return false, nil
	case "", "otlp":
		return true, nil
	default:
		return false, wrong("OTEL_TRACES_EXPORTER", v, "otlp|none")
	}
}

func env(name string) string { return strings.TrimSpace(os.Getenv(name)) }

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// Tracer is that of the process's worker; nil if there is none.
func (t *Tracing) Tracer() flox.Tracer {
	if t == nil {
		return nil
	}
	return t.tracer
}

// Start makes the span in which a run is started. The option puts the run beneath
// it. done is called when the start was answered; the span of a start that started
// nothing new, and failed of nothing, is not sent.
func (t *Tracing) Start(ctx context.Context, namespace, workflow, run string) (flox.StartOption, func(created bool, err error)) {
	if t == nil {
		return flox.WithTrace(""), func(bool, error) {}
	}
	ctx, span := t.provider.Tracer("github.com/floxrun/flox").Start(ctx, "start "+workflow,
		trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(attribute.String("flox.namespace", namespace),
			attribute.String("flox.workflow", workflow), attribute.String("flox.run", run)))
	return floxotel.Trace(ctx), func(created bool, err error) {
		if err != nil {
			span.SetStatus(codes.Error, err.Error())
		}
		if created || err != nil {
			span.End()
		}
	}
}

// Close sends what was not sent yet, for at most two seconds, and ends.
func (t *Tracing) Close() {
	if t == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushWithin)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil {
		t.exporter.failed(fmt.Errorf("flush: %w", cmp.Or(ctx.Err(), err)))
	}
	if ctx.Err() != nil { // breaks off the request that is under way
		_ = t.exporter.SpanExporter.Shutdown(ctx)
	}
}
