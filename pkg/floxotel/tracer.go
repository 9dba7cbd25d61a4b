package floxotel

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/floxrun/flox/pkg/flox"
)

// scope names the instrumentation.
const scope = "github.com/floxrun/flox/pkg/floxotel"

// Tracer is a flox.Tracer that makes OpenTelemetry's spans. It is safe for
// concurrent use.
type Tracer struct {
	spans trace.Tracer
	texts bool // of errors are sent
}

// Option changes what NewTracer returns.
type Option func(*Tracer)

// WithErrorTexts sends the texts of errors as the descriptions of failed spans. They
// are the nodes' own and may hold what is nobody else's business; without this option
// a description is the error's class, and the texts are in Redis alone.
func WithErrorTexts() Option { return func(t *Tracer) { t.texts = true } }

var _ flox.Tracer = (*Tracer)(nil)

// NewTracer returns a Tracer whose spans are tp's. It refuses a provider that does
// not have the IDGenerator of this package: its spans would not be one trace.
func NewTracer(tp trace.TracerProvider, opts ...Option) (*Tracer, error) {
	if tp == nil {
		return nil, errors.New("floxotel: the tracer provider is nil; want one of sdktrace.NewTracerProvider")
	}
	t := &Tracer{spans: tp.Tracer(scope)}
	for _, o := range opts {
		o(t)
	}
	want := ids{traceOf("", ""), randomSpan()}
	if got := t.probe(context.Background(), "probe", want).SpanContext(); got.SpanID() != want.span {
		return nil, errors.New("floxotel: the tracer provider has other ids; want sdktrace.WithIDGenerator(floxotel.IDGenerator{})")
	}
	return t, nil
}

// Trace says that a run is started in the span of ctx: its spans are beneath it.
// It does nothing if there is none.
func Trace(ctx context.Context) flox.StartOption {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return flox.WithTrace(carrier.Get("traceparent"))
}

// probe begins the root of a trace, which is never ended, to ask the sampler.
func (t *Tracer) probe(ctx context.Context, name string, i ids) trace.Span {
	_, span := t.spans.Start(i.with(ctx), name, trace.WithNewRoot())
	return span
}

// started is the span that a run was started in, not valid if there was none.
func started(traceparent string) trace.SpanContext {
	if traceparent == "" {
		return trace.SpanContext{}
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{"traceparent": traceparent})
	return trace.SpanContextFromContext(ctx)
}

// runContext is the context of a run's own span, to be the parent of others.
func (t *Tracer) runContext(ctx context.Context, a flox.Attempt) trace.SpanContext {
	if in := started(a.Trace); in.IsValid() {
		return in.WithSpanID(runSpan(in.TraceID(), a.Run))
	}
	id := traceOf(a.Namespace, a.Run)
	return t.probe(ctx, runName(a.Workflow), ids{id, runSpan(id, a.Run)}).SpanContext().WithRemote(true)
}

func runName(workflow string) string { return "run " + workflow }

// Begin starts the span of an attempt.
func (t *Tracer) Begin(ctx context.Context, a flox.Attempt) (context.Context, flox.Span) {
	run := t.runContext(ctx, a)
	id := run.TraceID()
	s := &span{
		t: t, name: a.Node, parent: run,
		ids: ids{id, attemptSpan(id, a.Run, a.Item, a.Number, a.Retried)},
	}
	if a.Release {
		s.name = "release"
	}
	if !run.IsSampled() {
		ctx = trace.ContextWithSpanContext(ctx, run.WithSpanID(s.ids.span).WithRemote(false))
		s.span = trace.SpanFromContext(ctx)
		return ctx, s
	}
	s.relate(a, run)
	s.options = []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithTimestamp(time.Now()),
		trace.WithLinks(s.links...), trace.WithAttributes(attributes(a)...),
	}
	return s.start(ctx)
}

// relate finds what the span is beneath and what it follows.
func (s *span) relate(a flox.Attempt, run trace.SpanContext) {
	first := run.WithSpanID(itemSpan(run.TraceID(), a.Run, a.Item))
	if s.ids.span != first.SpanID() {
		s.parent = first
	}
	if a.Number > 1 {
		s.link(run.WithSpanID(attemptSpan(run.TraceID(), a.Run, a.Item, a.Number-1, a.Retried)))
		return
	}
	for _, item := range a.After {
		s.link(run.WithSpanID(itemSpan(run.TraceID(), a.Run, item)))
	}
}

func (s *span) link(to trace.SpanContext) { s.links = append(s.links, trace.Link{SpanContext: to}) }

// RunEnded sends the span of a run.
func (t *Tracer) RunEnded(r flox.EndedRun) {
	ctx := context.Background()
	end := time.Now()
	options := []trace.SpanStartOption{
		trace.WithTimestamp(end.Add(-r.Lasted)), trace.WithSpanKind(trace.SpanKindInternal),
		trace.WithAttributes(
			namespaceKey.String(r.Namespace), runKey.String(r.Run), workflowKey.String(r.Workflow), statusKey.String(string(r.Status))),
	}
	i := ids{trace: traceOf(r.Namespace, r.Run)}
	if in := started(r.Trace); in.IsValid() {
		ctx = trace.ContextWithRemoteSpanContext(ctx, in)
		i.trace = in.TraceID()
	}
	i.span = runSpan(i.trace, r.Run)
	_, span := t.spans.Start(i.with(ctx), runName(r.Workflow), options...)
	if r.Status == flox.StatusFailed {
		span.SetStatus(codes.Error, t.says(r.Cause, string(r.Status)))
	}
	span.End(trace.WithTimestamp(end))
}

// span is an attempt that was begun.
type span struct {
	t       *Tracer
	name    string
	ids     ids
	parent  trace.SpanContext
	links   []trace.Link
	options []trace.SpanStartOption
	span    trace.Span
}

// start begins the span with its own ids. The context that it returns has the span,
// but not these ids.
func (s *span) start(ctx context.Context) (context.Context, flox.Span) {
	in := trace.ContextWithRemoteSpanContext(ctx, s.parent)
	_, s.span = s.t.spans.Start(s.ids.with(in), s.name, s.options...)
	return trace.ContextWithSpan(ctx, s.span), s
}

// IDs returns those of the trace and the span, "" if the span is not sent.
func (s *span) IDs() (string, string) {
	c := s.span.SpanContext()
	if !c.IsSampled() {
		return "", ""
	}
	return c.TraceID().String(), c.SpanID().String()
}

// Finish ends the span. One that does not count is sent with an id of chance in its
// place, for the one that counts has the same.
func (s *span) Finish(end flox.AttemptEnd) {
	if !s.span.IsRecording() {
		return
	}
	out := s.span
	if !end.Counts() {
		ctx := trace.ContextWithRemoteSpanContext(context.Background(), s.parent)
		_, out = s.t.spans.Start(ctx, s.name, s.options...)
	}
	out.SetAttributes(verdictKey.String(verdict(end)))
	if end.Outcome != "" {
		out.SetAttributes(outcomeKey.String(end.Outcome))
	}
	if end.Err != nil {
		out.SetAttributes(errorKey.String(end.Class))
		out.SetStatus(codes.Error, s.t.says(end.Err.Error(), end.Class))
	}
	out.End()
}

// givenUp is the verdict of attempts whose item was handed back.
const givenUp = "given up"

func verdict(end flox.AttemptEnd) string {
	if end.Verdict == "" {
		return givenUp
	}
	return end.Verdict
}

// Keys of the attributes.
const (
	namespaceKey = attribute.Key("flox.namespace")
	runKey       = attribute.Key("flox.run")
	workflowKey  = attribute.Key("flox.workflow")
	statusKey    = attribute.Key("flox.status") // of a run
	nodeKey      = attribute.Key("flox.node")
	itemKey      = attribute.Key("flox.item")
	attemptKey   = attribute.Key("flox.attempt")
	queueKey     = attribute.Key("flox.queue")
	waitedKey    = attribute.Key("flox.waited") // seconds in the queue
	workerKey    = attribute.Key("flox.worker")
	outcomeKey   = attribute.Key("flox.outcome")
	verdictKey   = attribute.Key("flox.verdict")
	errorKey     = attribute.Key("error.type") // of OpenTelemetry's conventions
)

func attributes(a flox.Attempt) []attribute.KeyValue {
	return []attribute.KeyValue{
		namespaceKey.String(a.Namespace), runKey.String(a.Run), workflowKey.String(a.Workflow), nodeKey.String(a.Node),
		itemKey.String(a.Item), attemptKey.Int(a.Number), queueKey.String(a.Queue), waitedKey.Float64(a.Waited.Seconds()),
		workerKey.String(a.Worker),
	}
}

// says is the description of a failure: its text, if it is to be sent, else the word.
func (t *Tracer) says(text, word string) string {
	if t.texts {
		return short(text)
	}
	return word
}

// maxMessage is how many bytes of an error's text are sent.
const maxMessage = 1024

func short(text string) string {
	if len(text) <= maxMessage {
		return strings.ToValidUTF8(text, "\uFFFD")
	}
	cut := maxMessage
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strings.ToValidUTF8(text[:cut], "\uFFFD") + "..."
}
