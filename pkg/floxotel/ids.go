package floxotel

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"strconv"

	"go.opentelemetry.io/otel/trace"
)

// IDGenerator makes the ids of spans: those that a Tracer has derived, and ids of
// chance for all others. It is for sdktrace.WithIDGenerator, and safe for concurrent
// use.
type IDGenerator struct{}

// ids are what the next span is to have.
type ids struct {
	trace trace.TraceID
	span  trace.SpanID
}

type idsKey struct{}

// with returns a context in which the next span has these ids. It must not be
// handed on: all spans that are made in it would have them.
func (i ids) with(ctx context.Context) context.Context { return context.WithValue(ctx, idsKey{}, i) }

// NewIDs returns the ids of a root span.
func (IDGenerator) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if i, ok := ctx.Value(idsKey{}).(ids); ok {
		return i.trace, i.span
	}
	var t trace.TraceID
	rand.Read(t[:])
	return t, randomSpan()
}

// NewSpanID returns the id of a span that has a parent in the trace.
func (IDGenerator) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	if i, ok := ctx.Value(idsKey{}).(ids); ok {
		return i.span
	}
	return randomSpan()
}

// randomSpan is not zero, which is no id, but once in 2^64 times.
func randomSpan() (id trace.SpanID) {
	rand.Read(id[:])
	return id
}

// traceOf is the trace of a run that was started in no span.
func traceOf(namespace, run string) trace.TraceID {
	d := digest("trace", namespace, run)
	return trace.TraceID(d[:16])
}

// spanOf is the span of a thing of a run. A worker of another version must come to
// the same, so this never changes.
func spanOf(t trace.TraceID, parts ...string) trace.SpanID {
	d := digest(append([]string{string(t[:])}, parts...)...)
	return trace.SpanID(d[:8])
}

// digest hashes parts so that no two lists of them are alike.
func digest(parts ...string) [sha256.Size]byte {
	buf := make([]byte, 0, 256)
	for _, p := range parts {
		buf = strconv.AppendInt(buf, int64(len(p)), 10)
		buf = append(buf, ':')
		buf = append(buf, p...)
	}
	return sha256.Sum256(buf)
}

func runSpan(t trace.TraceID, run string) trace.SpanID { return spanOf(t, "run", run) }

// itemSpan is that of the first attempt at an item, which links lead to.
func itemSpan(t trace.TraceID, run, item string) trace.SpanID { return spanOf(t, "item", run, item) }

func attemptSpan(t trace.TraceID, run, item string, number, retried int) trace.SpanID {
	if number == 1 && retried == 0 {
		return itemSpan(t, run, item)
	}
	return spanOf(t, "attempt", run, item, strconv.Itoa(number), strconv.Itoa(retried))
}
