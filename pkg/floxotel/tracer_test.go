package floxotel_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/floxotel"
)

// tour is a workflow with a retry, a fan-out and its join, a nested workflow, and
// something to undo. Its branches need two workers that have room for one item each.
func tour(t *testing.T) *flox.Workflow[flox.NoState, []string, int] {
	t.Helper()
	var both sync.WaitGroup
	both.Add(2)
	pass := func(_ context.Context, n int) (int, error) { return n + 1, nil }

	in := flox.New[flox.NoState]("inner")
	one, two := flox.Func(in, "one", pass), flox.Func(in, "two", pass)
	one.To(two)
	inner, err := flox.Build(in, one, two)
	if err != nil {
		t.Fatal(err)
	}

	b := flox.New[flox.NoState]("tour")
	split := flox.Split(b, "split", func(stops []string) []string { return stops })
	visit := flox.Func(b, "visit", func(ctx context.Context, stop string) (int, error) {
		info, _ := flox.InfoFrom(ctx)
		info.Logger.Info("visiting")
		if info.Attempt == 1 {
			both.Done()
			both.Wait()
		}
		if stop == "far" && info.Attempt < 3 {
			return 0, flox.RetryAfter(time.Millisecond, errors.New("closed"))
		}
		return len(stop), nil
	})
	sum := flox.Func(b, "sum", func(_ context.Context, all []int) (int, error) { return len(all), nil })
	nest := flox.Nest(b, "nest", inner)
	book := flox.Func(b, "book", pass)
	cancel := flox.Func(b, "cancel", func(context.Context, flox.Done[int, int]) (flox.None, error) { return flox.None{}, nil })
	pay := flox.Func(b, "pay", func(context.Context, int) (int, error) { return 0, flox.Permanent(errors.New("no money")) })
	split.To(visit)
	visit.Join(sum)
	sum.To(nest)
	nest.To(book)
	book.UndoWith(cancel)
	book.To(pay)
	wf, err := flox.Build(b, split, pay)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}

// theTour is what its trace looks like.
const theTour = `start tour
  run tour: failed error
    split 0.0: fan
    visit 0.0.1.0: deposit <- split 0.0
    sum 0.0.j.0: next <- visit 0.1, visit 0.0.1.0
    nest/one 0.0.j.1: next <- sum 0.0.j.0
    nest/two 0.0.j.2: next <- nest/one 0.0.j.1
    book 0.0.j.3: next <- nest/two 0.0.j.2
    pay 0.0.j.4: fail error=no money <- book 0.0.j.3
    visit 0.1: retry error=closed <- split 0.0
      visit 0.1 attempt 2: retry error=closed <- visit 0.1
      visit 0.1 attempt 3: deposit <- visit 0.1 attempt 2
    cancel u1.0: end <- book 0.0.j.3
`

// TestOneRunIsOneTrace runs a tour on two workers, twice.
func TestOneRunIsOneTrace(t *testing.T) {
	ids := map[string]trace.SpanID{}
	for round := range 2 {
		var spans tracetest.InMemoryExporter
		var log lines
		wf, st := tour(t), flox.NewMemory()
		for n := range 2 {
			tp := provider(t, &spans, sdktrace.ParentBased(sdktrace.AlwaysSample()))
			work(t, st, flox.WorkerConfig{
				Name: fmt.Sprintf("w%d", n), Concurrency: 1, Tracer: newTracer(t, tp), Logger: jsonLog(&log),
			}, wf)
		}
		orch, err := flox.NewOrchestrator(st, wf, nil)
		if err != nil {
			t.Fatal(err)
		}
		parent := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
		ctx := trace.ContextWithSpanContext(t.Context(), parent)
		id, err := orch.Start(ctx, []string{"far", "near"}, floxotel.Trace(ctx), flox.WithID("tour-1"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := orch.Wait(t.Context(), id); err == nil {
			t.Fatal("the tour was paid")
		}
		sent := func() tracetest.SpanStubs { return spans.GetSpans() }
		eventually(t, "the run's span was sent", func() bool {
			return len(sent()) == strings.Count(theTour, "\n")-1
		})
		all := append(sent(), tracetest.SpanStub{Name: "start tour", SpanContext: parent})
		if got := tree(t, all); got != theTour {
			t.Errorf("the trace is\n%swant\n%s", got, theTour)
		}
		workers := map[string]bool{}
		for _, s := range sent() {
			if w := attribute(s, "flox.worker"); w != "" {
				workers[w] = true
			}
			if round == 1 && ids[label(s)] != s.SpanContext.SpanID() {
				t.Errorf("%s has id %v, and %v on another system", label(s), s.SpanContext.SpanID(), ids[label(s)])
			}
			ids[label(s)] = s.SpanContext.SpanID()
		}
		if len(workers) != 2 {
			t.Errorf("spans are of the workers %v, want two", workers)
		}
		checkLog(t, log.all(), all)
	}
}

// checkLog wants each line about an item to name it and its span.
func checkLog(t *testing.T, log []string, spans tracetest.SpanStubs) {
	t.Helper()
	count := 0
	for _, line := range log {
		var l struct {
			Msg, Run, Item, Node string
			Attempt              int
			Trace                string `json:"trace_id"`
			Span                 string `json:"span_id"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if l.Msg != "visiting" && l.Msg != "item failed" {
			continue
		}
		count++
		found := slices.ContainsFunc(spans, func(s tracetest.SpanStub) bool {
			return attribute(s, "flox.run") == l.Run && attribute(s, "flox.item") == l.Item && attribute(s, "flox.node") == l.Node &&
				attribute(s, "flox.attempt") == fmt.Sprint(l.Attempt) &&
				s.SpanContext.SpanID().String() == l.Span && s.SpanContext.TraceID().String() == l.Trace
		})
		if !found {
			t.Errorf("no span is that of the line %s", line)
		}
	}
	if count != 4+3 { // visits, and failures
		t.Errorf("%d lines about items, want 7:\n%s", count, strings.Join(log, "\n"))
	}
}

// chain is a workflow of two nodes; the second does as it is told, with what the
// number of its executions is.
func chain(t *testing.T, second func(ctx context.Context, execution int) error) *flox.Workflow[flox.NoState, int, int] {
	t.Helper()
	var mu sync.Mutex
	executions := 0
	b := flox.New[flox.NoState]("chain")
	a := flox.Func(b, "a", func(_ context.Context, n int) (int, error) { return n, nil })
	z := flox.Func(b, "z", func(ctx context.Context, _ int) (int, error) {
		mu.Lock()
		executions++
		n := executions
		mu.Unlock()
		return n, second(ctx, n)
	})
	z.Retry(flox.RetryPolicy{MaxAttempts: 1})
	a.To(z)
	wf, err := flox.Build(b, a, z)
	if err != nil {
		t.Fatal(err)
	}
	return wf
}

func startChain(t *testing.T, st flox.Store, wf *flox.Workflow[flox.NoState, int, int], opts ...flox.StartOption) (*flox.Orchestrator[flox.NoState, int, int], string) {
	t.Helper()
	orch, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		t.Fatal(err)
	}
	id, err := orch.Start(t.Context(), 1, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return orch, id
}

// TestTraceOfItsOwn starts a run in no span.
func TestTraceOfItsOwn(t *testing.T) {
	var spans tracetest.InMemoryExporter
	wf, st := chain(t, func(context.Context, int) error { return nil }), flox.NewMemory()
	stop := work(t, st, flox.WorkerConfig{Tracer: newTracer(t, provider(t, &spans, sdktrace.ParentBased(sdktrace.AlwaysSample())))}, wf)
	orch, id := startChain(t, st, wf, floxotel.Trace(t.Context()))
	if _, err := orch.Wait(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	stop()
	want := "run chain: completed\n  a 0.0: next\n  z 0.1: end <- a 0.0\n"
	if got := tree(t, spans.GetSpans()); got != want {
		t.Errorf("the trace is\n%swant\n%s", got, want)
	}
	for _, s := range spans.GetSpans() {
		if s.Name == "run chain" && (s.EndTime.Before(s.StartTime) || s.EndTime.Sub(s.StartTime) > 10*time.Second) {
			t.Errorf("the run's span lasts from %v to %v", s.StartTime, s.EndTime)
		}
	}
}

// TestLateRun has a run fail of its deadline, which no commit does.
func TestLateRun(t *testing.T) {
	var spans tracetest.InMemoryExporter
	wf, st := chain(t, func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }), flox.NewMemory()
	work(t, st, flox.WorkerConfig{
		Tracer: newTracer(t, provider(t, &spans, sdktrace.AlwaysSample())), DrainGrace: 20 * time.Millisecond,
	}, wf)
	startChain(t, st, wf, flox.WithDeadline(50*time.Millisecond))
	eventually(t, "the run's span was sent", func() bool {
		for _, s := range spans.GetSpans() {
			if s.Name == "run chain" {
				return s.Status.Description == flox.ErrDeadline.Error() && attribute(s, "flox.status") == "failed" &&
					s.EndTime.Sub(s.StartTime) >= 50*time.Millisecond
			}
		}
		return false
	})
}

// TestHandedBack shuts a worker down in the middle of an item, which another one
// then executes.
func TestHandedBack(t *testing.T) {
	var spans tracetest.InMemoryExporter
	entered := make(chan struct{})
	tp := provider(t, &spans, sdktrace.AlwaysSample())
	wf := chain(t, func(ctx context.Context, n int) error {
		_, own := tp.Tracer("test").Start(ctx, fmt.Sprintf("query %d", n))
		defer own.End()
		if n == 1 {
			close(entered)
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	st := flox.NewMemory()
	tracer := newTracer(t, tp)
	stop := work(t, st, flox.WorkerConfig{Tracer: tracer, DrainGrace: 20 * time.Millisecond}, wf)
	orch, id := startChain(t, st, wf)
	<-entered
	stop()
	stop = work(t, st, flox.WorkerConfig{Tracer: tracer}, wf)
	if _, err := orch.Wait(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	stop()
	want := `run chain: completed
  a 0.0: next
  z 0.1 (given up) <- a 0.0
  z 0.1: end <- a 0.0
    query 1
    query 2
`
	if got := tree(t, spans.GetSpans()); got != want {
		t.Errorf("the trace is\n%swant\n%s", got, want)
	}
}

// TestRetriedRun fails a run twice and retries it. Each end of a run is told.
func TestRetriedRun(t *testing.T) {
	var spans tracetest.InMemoryExporter
	wf := chain(t, func(_ context.Context, n int) error {
		if n < 5 {
			return fmt.Errorf("boom %d", n)
		}
		return nil
	})
	st := flox.NewMemory()
	stop := work(t, st, flox.WorkerConfig{Tracer: newTracer(t, provider(t, &spans, sdktrace.AlwaysSample()))}, wf)
	orch, id := startChain(t, st, wf)
	for range 4 {
		if _, err := orch.Wait(t.Context(), id); err == nil {
			t.Fatal("the run did not fail")
		}
		if err := orch.Control().Retry(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := orch.Wait(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	stop()
	// A run is retried while the end before is still on its way to the tracer: they
	// may be sent in another order.
	var ends []string
	for _, s := range spans.GetSpans() {
		if attribute(s, "flox.status") == "failed" {
			ends = append(ends, s.Status.Description)
		}
	}
	slices.Sort(ends)
	var booms []string
	for n := range 4 {
		booms = append(booms, fmt.Sprintf("node z: attempt 1: boom %d", n+1))
	}
	if !slices.Equal(ends, booms) {
		t.Errorf("the run's span was sent as failed for %q; want %q", ends, booms)
	}
	items := slices.DeleteFunc(spans.GetSpans(), func(s tracetest.SpanStub) bool {
		return attribute(s, "flox.status") == "failed"
	})
	want := `run chain: completed
  a 0.0: next
  z 0.1: fail error=boom 1 <- a 0.0
    z 0.1: fail error=boom 2 <- a 0.0
    z 0.1: fail error=boom 3 <- a 0.0
    z 0.1: fail error=boom 4 <- a 0.0
    z 0.1: end <- a 0.0
`
	if got := tree(t, items); got != want {
		t.Errorf("the trace is\n%swant\n%s", got, want)
	}
}

// TestLargeFan looks at the links of a fan-out that is released in chunks.
func TestLargeFan(t *testing.T) {
	var spans tracetest.InMemoryExporter
	b := flox.New[flox.NoState]("wide")
	split := flox.Split(b, "split", func(n int) []int { return make([]int, n) })
	one := flox.Func(b, "one", func(_ context.Context, n int) (int, error) { return n, nil })
	sum := flox.Func(b, "sum", func(_ context.Context, all []int) (int, error) { return len(all), nil })
	split.To(one)
	one.Join(sum)
	wf, err := flox.Build(b, split, sum)
	if err != nil {
		t.Fatal(err)
	}
	st := flox.NewMemory()
	stop := work(t, st, flox.WorkerConfig{Tracer: newTracer(t, provider(t, &spans, sdktrace.AlwaysSample()))}, wf)
	orch, err := flox.NewOrchestrator(st, wf, nil)
	if err != nil {
		t.Fatal(err)
	}
	const size = 2*flox.ReleaseChunk + 7
	id, err := orch.Start(t.Context(), size)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := orch.Wait(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	stop()
	got := tree(t, spans.GetSpans())
	for _, line := range []string{
		"release 0.1: release <- split 0.0", "release 0.3: release <- release 0.2", "one 0.4: deposit <- release 0.3",
		"one 0.0.300.0: deposit <- split 0.0", "sum 0.0.j.0: end <- one 0.0.",
	} {
		if !strings.Contains(got, line) {
			t.Errorf("the trace lacks %q", line)
		}
	}
	_, join, _ := strings.Cut(got, "sum 0.0.j.0: end")
	if links := strings.Count(join[:strings.IndexByte(join, '\n')], "one "); links != sdktrace.DefaultLinkCountLimit {
		t.Errorf("the join has %d links, want as many as the SDK keeps", links)
	}
	if strings.Contains(got, "nothing") || strings.Count(got, "\n  one ") != size {
		t.Errorf("the trace has links to nothing, or not %d branches:\n%.4000s", size, got)
	}
}

// TestNotSampled wants nothing sent and nothing in the log of a run that the sampler
// did not choose, whoever chose.
func TestNotSampled(t *testing.T) {
	dropped := "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
	for name, c := range map[string]struct {
		sampler sdktrace.Sampler
		trace   string
	}{
		"by the start":  {sdktrace.ParentBased(sdktrace.AlwaysSample()), dropped},
		"by the worker": {sdktrace.ParentBased(sdktrace.TraceIDRatioBased(0)), ""},
	} {
		t.Run(name, func(t *testing.T) {
			var spans tracetest.InMemoryExporter
			var log lines
			var in []trace.SpanContext
			wf := chain(t, func(ctx context.Context, n int) error {
				info, _ := flox.InfoFrom(ctx)
				info.Logger.Info("here")
				in = append(in, trace.SpanContextFromContext(ctx))
				return nil
			})
			st := flox.NewMemory()
			stop := work(t, st, flox.WorkerConfig{Tracer: newTracer(t, provider(t, &spans, c.sampler)), Logger: jsonLog(&log)}, wf)
			orch, id := startChain(t, st, wf, flox.WithTrace(c.trace))
			if _, err := orch.Wait(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			stop()
			if sent := spans.GetSpans(); len(sent) > 0 {
				t.Errorf("sent %d spans, want none", len(sent))
			}
			if all := strings.Join(log.all(), "\n"); strings.Contains(all, "trace_id") || !strings.Contains(all, `"here"`) {
				t.Errorf("the log is\n%s\nwant the node's line with no trace", all)
			}
			if len(in) != 1 || in[0].IsSampled() || !in[0].IsValid() {
				t.Errorf("the node's span is %+v, want one that says not to sample", in)
			}
		})
	}
}

// TestSampledAlike wants workers with a ratio to agree about each run.
func TestSampledAlike(t *testing.T) {
	const runs, ratio = 60, 0.5
	decided := map[string]bool{}
	for round := range 2 {
		var spans tracetest.InMemoryExporter
		wf, st := chain(t, func(context.Context, int) error { return nil }), flox.NewMemory()
		stop := work(t, st, flox.WorkerConfig{
			Tracer: newTracer(t, provider(t, &spans, sdktrace.ParentBased(sdktrace.TraceIDRatioBased(ratio)))),
		}, wf)
		for n := range runs {
			orch, id := startChain(t, st, wf, flox.WithID(fmt.Sprintf("run-%d", n)))
			if _, err := orch.Wait(t.Context(), id); err != nil {
				t.Fatal(err)
			}
		}
		stop()
		count := map[string]int{}
		for _, s := range spans.GetSpans() {
			count[attribute(s, "flox.run")]++
		}
		for run, n := range count {
			if n != 3 {
				t.Errorf("run %s has %d spans, want all three or none", run, n)
			}
			if round == 1 && !decided[run] {
				t.Errorf("run %s was sampled by one worker alone", run)
			}
			decided[run] = true
		}
		if len(count) == 0 || len(count) == runs || len(count) != len(decided) {
			t.Errorf("%d of %d runs are sampled, %d before; want about half, the same ones", len(count), runs, len(decided))
		}
	}
}

func TestNewTracerRefuses(t *testing.T) {
	for want, tp := range map[string]trace.TracerProvider{
		"is nil":        nil,
		"has other ids": sdktrace.NewTracerProvider(),
	} {
		if _, err := floxotel.NewTracer(tp); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewTracer = %v, want to be told that it %s", err, want)
		}
	}
}

// TestLongError cuts what is too long for a status.
func TestLongError(t *testing.T) {
	var spans tracetest.InMemoryExporter
	tracer := newTracer(t, provider(t, &spans, sdktrace.AlwaysSample()))
	_, span := tracer.Begin(t.Context(), flox.Attempt{Run: "r", Item: "0.0", Number: 1, Node: "a"})
	span.Finish(flox.AttemptEnd{Outcome: "fail", Verdict: "applied", Class: flox.ClassError, Err: errors.New("a" + strings.Repeat("ü", 5000))})
	sent := spans.GetSpans()
	if len(sent) != 1 {
		t.Fatalf("sent %d spans, want one", len(sent))
	}
	text := sent[0].Status.Description
	if len(text) > 1030 || !strings.HasSuffix(text, "ü...") || attribute(sent[0], "error.type") != flox.ClassError {
		t.Errorf("status of %d bytes ends with %q, class %q", len(text), text[len(text)-8:], attribute(sent[0], "error.type"))
	}
}

// TestExecutedAgain executes an item until an attempt counts: that one alone has the
// id that others link to.
func TestExecutedAgain(t *testing.T) {
	var spans tracetest.InMemoryExporter
	tracer := newTracer(t, provider(t, &spans, sdktrace.AlwaysSample()))
	a := flox.Attempt{Namespace: "ns", Run: "r", Workflow: "w", Item: "0.0", Number: 1, Node: "a"}
	var begun []string
	for _, verdict := range []string{"stale", "lost", "error", "", "applied"} {
		_, span := tracer.Begin(t.Context(), a)
		_, id := span.IDs()
		begun = append(begun, id)
		span.Finish(flox.AttemptEnd{Outcome: "hold", Verdict: verdict})
	}
	tracer.RunEnded(flox.EndedRun{Namespace: "ns", Run: "r", Workflow: "w", Status: flox.StatusCompleted})
	const want = `run w: completed
  a 0.0: hold (stale)
  a 0.0: hold (lost)
  a 0.0: hold (error)
  a 0.0: hold (given up)
  a 0.0: hold
`
	sent := spans.GetSpans()
	if got := tree(t, sent); got != want {
		t.Errorf("the trace is\n%swant\n%s", got, want)
	}
	if len(slices.Compact(begun)) != 1 || sent[4].SpanContext.SpanID().String() != begun[0] {
		t.Errorf("the attempts began with the ids %v, and %v was sent for the one that counts", begun, sent[4].SpanContext.SpanID())
	}
}

// nowhere takes spans and keeps none.
type nowhere struct{ sdktrace.SpanExporter }

func (nowhere) ExportSpans(context.Context, []sdktrace.ReadOnlySpan) error { return nil }
func (nowhere) Shutdown(context.Context) error                             { return nil }

func BenchmarkAttempt(b *testing.B) {
	const started = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0"
	for name, c := range map[string]struct {
		sampler sdktrace.Sampler
		trace   string
	}{
		"sampled":       {sdktrace.AlwaysSample(), ""},
		"dropped":       {sdktrace.NeverSample(), ""},
		"sampled start": {sdktrace.ParentBased(sdktrace.AlwaysSample()), started + "1"},
		"dropped start": {sdktrace.ParentBased(sdktrace.AlwaysSample()), started + "0"},
	} {
		b.Run(name, func(b *testing.B) {
			tp := sdktrace.NewTracerProvider(sdktrace.WithBatcher(nowhere{}), sdktrace.WithSampler(c.sampler),
				sdktrace.WithIDGenerator(floxotel.IDGenerator{}))
			defer tp.Shutdown(context.Background())
			tracer, err := floxotel.NewTracer(tp)
			if err != nil {
				b.Fatal(err)
			}
			a := flox.Attempt{Namespace: "ns", Run: "r", Workflow: "w", Item: "0.1", Number: 1, Node: "a", After: []string{"0.0"}, Trace: c.trace}
			b.ReportAllocs()
			for b.Loop() {
				_, span := tracer.Begin(context.Background(), a)
				span.Finish(flox.AttemptEnd{Outcome: "next", Verdict: "applied"})
			}
		})
	}
}
