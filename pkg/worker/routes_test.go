package worker

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// TestRoutes: what a worker answers changes nothing, and shows nothing of the process
// that was not asked for.
func TestRoutes(t *testing.T) {
	s := start(t, workflow(t, newGate()))
	for _, path := range []string{"/", "/debug/pprof/", "/debug/pprof/cmdline", "/debug/vars", "/config", "/quit", "/../etc/passwd"} {
		if code, _ := s.get(path); code != http.StatusNotFound {
			t.Errorf("GET %s = %d, want 404", path, code)
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader("x"))
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode != http.StatusMethodNotAllowed {
				t.Errorf("%s %s = %d, want 405", method, path, resp.StatusCode)
			}
		}
	}
}

func TestListensOnLoopbackByDefault(t *testing.T) {
	c, err := parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	host, _, err := net.SplitHostPort(c.listen)
	if err != nil || !net.ParseIP(host).IsLoopback() {
		t.Errorf("--listen is %q by default, want a loopback address", c.listen)
	}
}
