package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/floxrun/flox/pkg/flox"
)

func TestRunLinkcheck(t *testing.T) {
	site, err := ServeSite()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { site.Close() })
	wf, err := Linkcheck(Config{})
	if err != nil {
		t.Fatal(err)
	}
	in := site.Input()
	in.BackoffMs, in.MaxBackoffMs = 10, 50
	got, err := flox.Run(t.Context(), wf, in)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range CheckLinkcheck(got.Output, got.State, site.Expected()) {
		t.Error(wrong)
	}
	if len(site.Expected().Visited) < 60 {
		t.Errorf("the site has %d URLs, want at least 60", len(site.Expected().Visited))
	}
	if got.Output.TotalMs <= 0 || got.Output.Slowest[0].Ms < steadyLag.Milliseconds() {
		t.Errorf("report took %d ms, slowest %+v, want more than 0 and %v", got.Output.TotalMs, got.Output.Slowest[0], steadyLag)
	}
	if n := site.Site.Requests("/trap"); n != 0 {
		t.Errorf("/trap was asked for %d times, want 0: its link is in no HTML page", n)
	}
}

func TestRunLinkcheckFewPages(t *testing.T) {
	site := NewSite()
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	wf, err := Linkcheck(Config{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := flox.Run(t.Context(), wf, LinkInput{Start: server.URL, MaxPages: 7, Parallel: 2})
	if err != nil {
		t.Fatal(err)
	}
	if got.Output.URLs != 7 || got.Output.Left == 0 {
		t.Errorf("report has %d URLs and %d left, want 7 and more than 0", got.Output.URLs, got.Output.Left)
	}
}

func TestRunLinkcheckRefusesInput(t *testing.T) {
	wf, err := Linkcheck(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for want, in := range map[string]LinkInput{
		`start is "ftp://h/": want a URL such as https://example.com/`: {Start: "ftp://h/"},
		"depth is 99: want 1 to 50":                                    {Start: "http://h/", Depth: 99},
	} {
		_, err := flox.Run(t.Context(), wf, in)
		if failed, ok := errors.AsType[*flox.RunError](err); !ok || !strings.Contains(failed.Cause, want) {
			t.Errorf("Run(%+v) fails with %v, want a RunError with %q", in, err, want)
		}
	}
}

func TestRunOrders(t *testing.T) {
	gateway := &Gateway{}
	server := httptest.NewServer(gateway.Handler())
	t.Cleanup(server.Close)
	for name, url := range map[string]string{"in process": "", "over HTTP": server.URL} {
		t.Run(name, func(t *testing.T) {
			wf, err := OrderWorkflow(Config{GatewayURL: url, Backoff: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			runs := runOrders(t, wf, Orders(40))
			if url == "" {
				for _, r := range runs {
					if r.Err != nil || r.Outcome.Status != r.Case.Status {
						t.Errorf("order %s: %s, %v, want %s", r.Case.Order.ID, r.Outcome.Status, r.Err, r.Case.Status)
					}
				}
				return
			}
			for _, wrong := range CheckOrders(runs, gateway.Ledger()) {
				t.Error(wrong)
			}
		})
	}
}

func runOrders(t *testing.T, wf *flox.Workflow[OrderState, Order, Outcome], cases []OrderCase) []OrderRun {
	runs := make([]OrderRun, len(cases))
	var wg sync.WaitGroup
	for i, c := range cases {
		wg.Go(func() {
			got, err := flox.Run(t.Context(), wf, c.Order, flox.WithID(c.Order.ID))
			runs[i] = OrderRun{Case: c, Err: err, Outcome: got.Output, State: got.State}
		})
	}
	wg.Wait()
	return runs
}

// The inputs must have a schema and survive JSON, which is how the CLI gives them.
func TestInputSchemas(t *testing.T) {
	for _, tt := range []struct {
		of       func(*jsonschema.ForOptions) (*jsonschema.Schema, error)
		required string
		good     any
	}{
		{jsonschema.For[LinkInput], "[start]", LinkInput{Start: "http://h/"}},
		{jsonschema.For[Order], "[id customer address lines]", Orders(1)[0].Order},
	} {
		schema, err := tt.of(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(schema.Required); got != tt.required {
			t.Errorf("%T requires %s, want %s", tt.good, got, tt.required)
		}
		for name, p := range schema.Properties {
			if p.Description == "" {
				t.Errorf("%T: %s has no description", tt.good, name)
			}
		}
		checkFits(t, schema, tt.good)
	}
}

func checkFits(t *testing.T, schema *jsonschema.Schema, v any) {
	resolved, err := schema.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	blob, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(blob, &plain); err != nil {
		t.Fatal(err)
	}
	if err := resolved.Validate(plain); err != nil {
		t.Errorf("%s does not fit its schema: %v", blob, err)
	}
}

func TestConfigFromEnv(t *testing.T) {
	env := map[string]string{EnvGateway: "http://127.0.0.1:8090", EnvBackoff: "10ms"}
	got, err := ConfigFromEnv(func(k string) string { return env[k] })
	if want := (Config{GatewayURL: env[EnvGateway], Backoff: 10 * time.Millisecond}); err != nil || got != want {
		t.Errorf("ConfigFromEnv = %+v, %v, want %+v", got, err, want)
	}
	env[EnvBackoff] = "soon"
	if _, err := ConfigFromEnv(func(k string) string { return env[k] }); err == nil {
		t.Error("ConfigFromEnv with a bad duration succeeds, want an error")
	}
	env = map[string]string{EnvGateway: "nonsense"}
	_, err = ConfigFromEnv(func(k string) string { return env[k] })
	if want := `FLOX_DEMO_GATEWAY: gateway "nonsense": want a URL such as http://127.0.0.1:8090`; err == nil || err.Error() != want {
		t.Errorf("ConfigFromEnv with a bad URL = %v, want %s", err, want)
	}
}

func TestWorkflows(t *testing.T) {
	defs, err := Workflows(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"linkcheck", "order"} {
		if got := defs[i].Name(); got != want {
			t.Errorf("workflow %d is %q, want %q", i, got, want)
		}
	}
	if _, err := Workflows(Config{GatewayURL: "nonsense"}); err == nil {
		t.Error("Workflows with a bad gateway URL succeeds, want an error")
	}
}
