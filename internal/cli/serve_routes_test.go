package cli

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/floxrun/flox/internal/testredis"
)

// TestServeRoutes: what serve answers changes nothing, and shows nothing of the
// process that was not asked for.
func TestServeRoutes(t *testing.T) {
	t.Parallel()
	s := serve(t, "--redis", testredis.Start(t).URL())
	waitFor(t, "serve to answer", func() bool { return page(t, s.url+"/healthz") == "ok\n" })
	for path, want := range map[string]int{
		"/debug/pprof/": 404, "/debug/vars": 404, "/config": 404, "/": 405, "/metrics": 405, "/readyz": 405, "/healthz": 405,
	} {
		methods := []string{http.MethodPost, http.MethodPut, http.MethodDelete}
		if want == 404 {
			methods = append(methods, http.MethodGet)
		}
		for _, method := range methods {
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
			if code := resp.StatusCode; code != want && (want != 404 || code != 405) {
				t.Errorf("%s %s = %d, want %d", method, path, code, want)
			}
		}
	}
	listen := new(app).serveCmd().Flag("listen").DefValue
	if host, _, err := net.SplitHostPort(listen); err != nil || !net.ParseIP(host).IsLoopback() {
		t.Errorf("--listen is %q by default, want a loopback address", listen)
	}
}
