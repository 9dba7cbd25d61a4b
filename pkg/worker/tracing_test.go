package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	coltrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/floxrun/flox/pkg/flox"
	"github.com/floxrun/flox/pkg/redisstore"
)

// collector receives spans by OTLP.
type collector struct {
	coltrace.UnimplementedTraceServiceServer
	t *testing.T

	mu      sync.Mutex
	spans   map[string]*otlp.Span // by name
	service string
	header  http.Header
}

func newCollector(t *testing.T) *collector { return &collector{t: t, spans: map[string]*otlp.Span{}} }

func (c *collector) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var req coltrace.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &req)
	}
	if err != nil || r.URL.Path != "/v1/traces" {
		c.t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
	}
	c.mu.Lock()
	c.header = r.Header
	c.mu.Unlock()
	c.Export(r.Context(), &req)
}

// Export implements the gRPC service.
func (c *collector) Export(_ context.Context, req *coltrace.ExportTraceServiceRequest) (*coltrace.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range req.ResourceSpans {
		for _, a := range r.Resource.Attributes {
			if a.Key == "service.name" {
				c.service = a.Value.GetStringValue()
			}
		}
		for _, scope := range r.ScopeSpans {
			for _, s := range scope.Spans {
				c.spans[s.Name] = s
			}
		}
	}
	return &coltrace.ExportTraceServiceResponse{}, nil
}

// check wants the spans of one run of workflow "job", which are one trace.
func (c *collector) check(service string) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	run, item := c.spans["run job"], c.spans["pass"]
	if run == nil || item == nil || len(c.spans) != 2 {
		c.t.Fatalf("received the spans %v, want run job and pass", c.spans)
	}
	if string(item.TraceId) != string(run.TraceId) || string(item.ParentSpanId) != string(run.SpanId) || len(run.ParentSpanId) > 0 {
		c.t.Errorf("the item's span %v is not beneath the run's, %v", item, run)
	}
	if c.service != service {
		c.t.Errorf("service.name is %q, want %q", c.service, service)
	}
}

// traced runs one run on a worker and stops it.
func traced(t *testing.T, args ...string) *started {
	t.Helper()
	g := newGate()
	wf := workflow(t, g)
	s := start(t, wf, args...)
	ctl, id := s.runOne(g, wf)
	close(g.open)
	if info, err := ctl.Wait(t.Context(), id); err != nil || info.Status != flox.StatusCompleted {
		t.Fatalf("Wait = %+v, %v, want a completed run", info, err)
	}
	s.stop()
	if err := <-s.done; err != nil {
		t.Errorf("Run = %v, want nil", err)
	}
	return s
}

func TestTracingHTTP(t *testing.T) {
	c := newCollector(t)
	server := httptest.NewServer(c)
	defer server.Close()
	t.Setenv("FLOX_TRACING", "otlp")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=links")
	t.Setenv("OTEL_SERVICE_NAME", "jobs")
	traced(t)
	c.check("jobs")
	if got := c.header.Get("X-Team"); got != "links" {
		t.Errorf("header x-team is %q, want links", got)
	}
}

func TestTracingGRPC(t *testing.T) {
	c := newCollector(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	coltrace.RegisterTraceServiceServer(server, c)
	go server.Serve(l)
	defer server.Stop()
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+l.Addr().String())
	traced(t, "--tracing", "otlp")
	c.check("flox-worker")
}

// TestTracingOff wants nothing sent unless it is asked for.
func TestTracingOff(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("something was sent") }))
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	traced(t)
	for name, value := range map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "none"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			traced(t, "--tracing", "otlp")
		})
	}
}

// TestTracingDeadCollector has one that refuses, and one that never answers: items
// do not wait for it, the log says it once, and the worker ends in time.
func TestTracingDeadCollector(t *testing.T) {
	hanging, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
	for name, address := range map[string]string{"refuses": freeAddress(t), "hangs": hanging.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+address)
			b := flox.New[flox.NoState]("job")
			pass := flox.Func(b, "pass", func(_ context.Context, in job) (job, error) { return in, nil })
			wf, err := flox.Build(b, pass, pass)
			if err != nil {
				t.Fatal(err)
			}
			s := start(t, wf, "--tracing", "otlp")
			st, err := redisstore.Open(t.Context(), redisstore.Config{URL: "redis://" + s.redis.Addr(), Embedded: true})
			if err != nil {
				t.Fatal(err)
			}
			defer st.Close()
			orch, err := flox.NewOrchestrator(st, wf, nil)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			for range 100 {
				id, err := orch.Start(t.Context(), job{"one"})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := orch.Wait(t.Context(), id); err != nil {
					t.Fatal(err)
				}
			}
			// If items waited for it, 100 runs would take many times its patience of 10 s.
			if took := time.Since(began); took > 90*time.Second {
				t.Errorf("100 runs took %v", took)
			}
			ended := time.Now()
			s.stop()
			if err := <-s.done; err != nil {
				t.Errorf("Run = %v, want nil", err)
			}
			// Signing off takes up to a second, the flush up to two, and not those 10.
			if took := time.Since(ended); took > 9*time.Second {
				t.Errorf("the worker took %v to end", took)
			}
			if said := strings.Count(s.log.String(), "spans cannot be sent"); said != 1 {
				t.Errorf("the log says %d times that spans cannot be sent, want once:\n%s", said, s.log)
			}
		})
	}
}

// TestTracingBackAgain lets the collector fail for some time.
func TestTracingBackAgain(t *testing.T) {
	var mu sync.Mutex
	answers, failing := 0, true
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if failing {
			rw.WriteHeader(http.StatusBadRequest)
		}
		answers++
	}))
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
	g := newGate()
	wf := workflow(t, g)
	s := start(t, wf, "--tracing", "otlp")
	close(g.open)
	for range 3 {
		mu.Lock()
		before := answers
		mu.Unlock()
		s.runOne(g, wf)
		s.until("spans were sent", func() bool { mu.Lock(); defer mu.Unlock(); return answers > before })
	}
	mu.Lock()
	failing = false
	mu.Unlock()
	s.runOne(g, wf)
	s.until("the log says so", func() bool { return strings.Contains(s.log.String(), "spans are sent again") })
	if said := strings.Count(s.log.String(), "spans cannot be sent"); said != 1 {
		t.Errorf("the log says %d times that spans cannot be sent, want once:\n%s", said, s.log)
	}
}

func TestTracingErrors(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"FLOX_TRACING", "on", `FLOX_TRACING="on": want off|otlp`},
		{"OTEL_TRACES_EXPORTER", "zipkin", `OTEL_TRACES_EXPORTER="zipkin": want otlp|none`},
		{"OTEL_EXPORTER_OTLP_PROTOCOL", "http", `OTEL_EXPORTER_OTLP_PROTOCOL="http": want grpc|http/protobuf|http/json`},
		{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "x", `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL="x": want grpc`},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318", `OTEL_EXPORTER_OTLP_ENDPOINT="localhost:4318": want a URL such as http://127.0.0.1:4318`},
		{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:secret@:x", `OTEL_EXPORTER_OTLP_ENDPOINT="...": want a URL`},
		{"OTEL_EXPORTER_OTLP_TIMEOUT", "10s", `OTEL_EXPORTER_OTLP_TIMEOUT="10s": want a whole number of milliseconds`},
		{"OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", `OTEL_EXPORTER_OTLP_COMPRESSION="zstd": want none|gzip`},
		{"OTEL_EXPORTER_OTLP_INSECURE", "1", `OTEL_EXPORTER_OTLP_INSECURE="1": want true|false`},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=b,secret", `OTEL_EXPORTER_OTLP_HEADERS: number 2 is not key=value`},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=b,my key=secret", `OTEL_EXPORTER_OTLP_HEADERS: number 2 is not key=value`},
		{"OTEL_EXPORTER_OTLP_HEADERS", "a=100%secret", `OTEL_EXPORTER_OTLP_HEADERS: the value of number 1 has a % that begins no escape; want %25`},
		{"OTEL_EXPORTER_OTLP_TRACES_HEADERS", "secret", `OTEL_EXPORTER_OTLP_TRACES_HEADERS: number 1 is not key=value`},
		{"OTEL_EXPORTER_OTLP_CERTIFICATE", "/none.pem", `OTEL_EXPORTER_OTLP_CERTIFICATE="/none.pem": open /none.pem: no such file`},
		{"OTEL_EXPORTER_OTLP_CLIENT_KEY", "/none.pem", `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE="", OTEL_EXPORTER_OTLP_CLIENT_KEY="/none.pem": open`},
		{"OTEL_TRACES_SAMPLER", "often", `OTEL_TRACES_SAMPLER="often": want [parentbased_]always_on`},
		{"OTEL_TRACES_SAMPLER_ARG", "5", `OTEL_TRACES_SAMPLER_ARG="5": want a number from 0 to 1`},
		{"OTEL_BSP_MAX_QUEUE_SIZE", "0", `OTEL_BSP_MAX_QUEUE_SIZE="0": want a whole number of spans, 1 or more`},
		{"OTEL_RESOURCE_ATTRIBUTES", "team=%zz", `OTEL_RESOURCE_ATTRIBUTES: the value of number 1`},
		{"OTEL_RESOURCE_ATTRIBUTES", "team", `OTEL_RESOURCE_ATTRIBUTES: number 1 is not key=value`},
	} {
		t.Run(tt.name+"="+tt.value, func(t *testing.T) {
			t.Setenv("FLOX_TRACING", "otlp")
			if strings.HasSuffix(tt.name, "_ARG") {
				t.Setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
			}
			t.Setenv(tt.name, tt.value)
			err := Run(t.Context(), []string{"--redis", dead, "--listen", "off"}, io.Discard, io.Discard, workflow(t, newGate()))
			if !errors.Is(err, ErrUsage) || !strings.HasPrefix(fmt.Sprint(err), tt.want) || strings.ContainsAny(err.Error(), "\n") ||
				strings.Contains(err.Error(), "secret") {
				t.Errorf("Run = %v, want the usage error %s", err, tt.want)
			}
		})
	}
}
