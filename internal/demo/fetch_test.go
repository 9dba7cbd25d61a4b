package demo

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

func testFetch(t *testing.T, h http.Handler) (*Fetch, string) {
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	client := server.Client()
	client.CheckRedirect = keepRedirect
	return &Fetch{Client: client}, server.URL
}

func target(url string) Target {
	in := LinkInput{TimeoutMs: 200, BackoffMs: 100}.withDefaults()
	return Target{URL: url, Depth: 2, Resources: true, Patience: in.patience()}
}

func TestVisit(t *testing.T) {
	f, base := testFetch(t, NewSite())
	for _, tt := range []struct {
		path string
		want Visit
	}{
		{"/deep/5", Visit{Status: 200, Page: true, Links: []string{base + "/", base + "/deep/6"}}},
		{"/missing", Visit{Status: 404}},
		{"/gone", Visit{Status: 410}},
		{"/old/2", Visit{Status: 302, To: base + "/section/2/page-2"}},
		{"/files/paper.pdf", Visit{Status: 200}},
	} {
		got, err := f.visit(t.Context(), target(base+tt.path))
		if err != nil {
			t.Errorf("visit(%s): %v", tt.path, err)
			continue
		}
		tt.want.URL, tt.want.Depth = base+tt.path, 2
		got.Ms = 0
		if sprint(got) != sprint(tt.want) {
			t.Errorf("visit(%s) =\n%+v, want\n%+v", tt.path, got, tt.want)
		}
	}
}

func TestVisitErrors(t *testing.T) {
	f, base := testFetch(t, NewSite())
	for _, tt := range []struct {
		url, want string
		status    int
		after     time.Duration
	}{
		{base + "/flaky/always", "status 500 Internal Server Error", 500, 0},
		{base + "/flaky/busy", "status 429 Too Many Requests", 429, time.Second},
		{base + "/flaky/2", "status 503 Service Unavailable", 503, time.Second},
		{base + "/slow/1", "no answer within 200ms", 0, 0},
		{deadHost, "connection refused", 0, 0},
	} {
		_, err := f.visit(t.Context(), target(tt.url))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("visit(%s) fails with %v, want %q", tt.url, err, tt.want)
			continue
		}
		if got := statusOf(err.Error()); got != tt.status {
			t.Errorf("visit(%s): statusOf = %d, want %d", tt.url, got, tt.status)
		}
		if e, ok := errors.AsType[*statusError](err); ok && e.after != tt.after {
			t.Errorf("visit(%s): wait %v, want %v", tt.url, e.after, tt.after)
		}
	}
}

func TestVisitExternal(t *testing.T) {
	var asked []string
	other := Elsewhere()
	f, base := testFetch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.URL.Path)
		other.ServeHTTP(w, r)
	}))
	for path, status := range map[string]int{"/ok": 200, "/no-head": 200, "/missing": 404} {
		to := target(base + path)
		to.External = true
		v, err := f.visit(t.Context(), to)
		if err != nil || v.Status != status || v.Page || v.Links != nil {
			t.Errorf("visit(%s) = %+v, %v, want status %d and no page", path, v, err, status)
		}
	}
	slices.Sort(asked)
	want := []string{"GET /missing", "GET /no-head", "HEAD /missing", "HEAD /no-head", "HEAD /ok"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
}

// No retry mends a certificate: the run must not wait for one.
func TestVisitPermanentErrors(t *testing.T) {
	server := httptest.NewUnstartedServer(NewSite())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	wf, err := Linkcheck(Config{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := flox.Run(t.Context(), wf, LinkInput{Start: server.URL, BackoffMs: maxWaitMs, MaxBackoffMs: maxWaitMs})
	if err != nil {
		t.Fatal(err)
	}
	if b := got.Output.Broken; len(b) != 1 || !strings.Contains(b[0].Err, "certificate") {
		t.Errorf("broken links are %+v, want one with a bad certificate", b)
	}
}

func TestVisitTruncatedBody(t *testing.T) {
	f, base := testFetch(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Length", "100")
		w.Write([]byte(`<a href="/x">`))
	}))
	if v, err := f.visit(t.Context(), target(base+"/")); err == nil {
		t.Errorf("visit of a page cut short = %+v, want an error", v)
	}
}

func TestBackoff(t *testing.T) {
	p := Patience{BackoffMs: 100, MaxBackoffMs: 1000}
	for _, tt := range []struct {
		n     int
		asked time.Duration
		want  time.Duration
	}{
		{1, 0, 100 * time.Millisecond},
		{3, 0, 400 * time.Millisecond},
		{19, 0, time.Second},
		{1, 300 * time.Millisecond, 300 * time.Millisecond},
		{1, time.Hour, time.Second},
	} {
		if got := p.backoff(tt.n, tt.asked); got != tt.want {
			t.Errorf("backoff(%d, %v) = %v, want %v", tt.n, tt.asked, got, tt.want)
		}
	}
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		"-7":                            0,
		"soon":                          0,
		"Thu, 02 Jan 2025 03:05:05 GMT": time.Minute,
		"Thu, 02 Jan 2025 03:03:05 GMT": 0,
	} {
		if got := retryAfterHeader(value, now); got != want {
			t.Errorf("retryAfterHeader(%q) = %v, want %v", value, got, want)
		}
	}
}
