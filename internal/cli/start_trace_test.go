package cli

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collect receives the spans that commands send, until take is called.
func collect(t *testing.T) (url string, take func() []*otlp.Span) {
	t.Helper()
	var mu sync.Mutex
	var spans []*otlp.Span
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var req coltrace.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &req)
		}
		if err != nil {
			t.Errorf("POST %s: %v", r.URL, err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, rs := range req.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				spans = append(spans, ss.Spans...)
			}
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []*otlp.Span {
		mu.Lock()
		defer mu.Unlock()
		all := spans
		spans = nil
		return all
	}
}

// TestStartTraced wants a span for each run started, and that the run knows it.
func TestStartTraced(t *testing.T) {
	w := newWorld(t)
	url, take := collect(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
	w.ok("start", "greet", "--id", "plain", "--input", `{"name":"Ada"}`)
	if spans := take(); len(spans) > 0 {
		t.Errorf("sent %v without being told to", spans)
	}
	t.Setenv("FLOX_TRACING", "otlp")
	w.ok("start", "greet", "--id", "one", "--input", `{"name":"Ada"}`)
	spans := take()
	if len(spans) != 1 || spans[0].Name != "start greet" || spans[0].Kind != otlp.Span_SPAN_KIND_PRODUCER {
		t.Fatalf("sent %v, want the span start greet", spans)
	}
	w.wantTrace("one", spans[0])

	if r := w.run("start", "greet", "--id", "one", "--if-exists", "return", "--input", `{"name":"Ada"}`); r.code != ExitOK {
		t.Fatalf("start again: %+v", r)
	}
	if spans := take(); len(spans) > 0 {
		t.Errorf("sent %v of a run that was there already", spans)
	}
	if r := w.run("start", "greet", "--id", "one", "--input", `{"name":"Ada"}`); r.code == ExitOK {
		t.Fatalf("start again: %+v, want it refused", r)
	}
	if spans := take(); len(spans) != 1 || spans[0].Status.GetCode() != otlp.Status_STATUS_CODE_ERROR {
		t.Errorf("sent %v of a start that was refused, want one span that failed", spans)
	}
}

// TestStartLinesTraced wants a trace for each line that starts a run, also when the
// command is repeated.
func TestStartLinesTraced(t *testing.T) {
	w := newWorld(t)
	url, take := collect(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
	lines, traces := "", map[string]bool{}
	for n, want := range []int{3, 1} {
		for i := range want {
			lines += fmt.Sprintf("{\"name\":\"guest-%d-%d\"}\n", n, i)
		}
		if r := w.runIn(strings.NewReader(lines), "start", "greet", "--from", "-", "--tracing", "otlp", "--id-field", "name"); r.code != ExitOK {
			t.Fatalf("start: %+v", r)
		}
		spans := take()
		if len(spans) != want {
			t.Errorf("sent %d spans, want %d", len(spans), want)
		}
		for _, s := range spans {
			traces[string(s.TraceId)] = true
			for _, a := range s.Attributes {
				if a.Key == "flox.run" {
					w.wantTrace(a.Value.GetStringValue(), s)
				}
			}
		}
	}
	if len(traces) != 4 {
		t.Errorf("%d traces, want 4", len(traces))
	}
}

// wantTrace wants a run to be beneath the span.
func (w *world) wantTrace(run string, s *otlp.Span) {
	w.t.Helper()
	var shown struct{ Trace string }
	w.json(&shown, "show", run)
	if got, want := shown.Trace, fmt.Sprintf("00-%x-%x-01", s.TraceId, s.SpanId); got != want {
		w.t.Errorf("run %s has trace %q, want %q", run, got, want)
	}
}

func TestStartTracingErrors(t *testing.T) {
	w := newWorld(t)
	for _, args := range [][]string{{"--input", `{"name":"Ada"}`}, {"--from", "-"}} {
		args = append([]string{"start", "greet"}, args...)
		t.Setenv("FLOX_TRACING", "on")
		if r := w.run(args...); r.code != ExitUsage || r.errOut != "error: FLOX_TRACING=\"on\": want off|otlp\n" {
			t.Errorf("%v: %+v, want exit code 2", args, r)
		}
		t.Setenv("FLOX_TRACING", "otlp")
		t.Setenv("OTEL_TRACES_SAMPLER", "often")
		if r := w.run(args...); r.code != ExitUsage || !strings.HasPrefix(r.errOut, `error: OTEL_TRACES_SAMPLER="often": want`) {
			t.Errorf("%v: %+v, want exit code 2", args, r)
		}
	}
	if out := w.ok("list"); strings.Contains(out, "greet") {
		t.Errorf("a run was started:\n%s", out)
	}
}
