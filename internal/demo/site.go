package demo

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// deadHost is a loopback address at which nothing listens: port 1 is reserved.
const deadHost = "http://127.0.0.1:1/"

// sitePage is one URL of the site and how it behaves.
type sitePage struct {
	path   string
	status int        // 0: 200
	moved  siteLink   // redirect
	links  []siteLink // makes it an HTML page
	body   string     // of a file that is no HTML page
	kind   string     // content type of body

	failures   int // the first requests are answered with failWith
	failWith   int
	retryAfter int           // seconds, in a Retry-After header of these answers
	slow       int           // the first requests take longer than a client waits
	lag        time.Duration // every answer takes that long
}

// siteLink is a link as it is written on a page, and the path or URL it means.
type siteLink struct{ href, target string }

// Site is a small web site with known faults: dead links, redirects, slow and
// flaky pages. It counts requests per URL, so what a client finds does not
// depend on which of its processes asks. It is safe for concurrent use.
type Site struct {
	// Elsewhere is the base URL of another host's handler (see Elsewhere), to
	// which pages link. Empty leaves these links out. Set it before serving.
	Elsewhere string
	// Slow is how long a slow answer takes. Zero is 5 s.
	Slow time.Duration

	once  sync.Once
	pages map[string]sitePage

	mu       sync.Mutex
	requests map[string]int
}

// NewSite returns a site with no links to a live other host.
func NewSite() *Site { return &Site{} }

func (s *Site) init() {
	s.once.Do(func() {
		s.requests, s.pages = make(map[string]int), make(map[string]sitePage)
		for _, p := range sitePages(s.Elsewhere) {
			s.pages[p.path] = p
		}
	})
}

// Requests returns how often a path was asked for.
func (s *Site) Requests(path string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests[path]
}

// ServeHTTP answers as the page at the request's path does.
func (s *Site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.init()
	s.mu.Lock()
	s.requests[r.URL.Path]++
	n := s.requests[r.URL.Path]
	s.mu.Unlock()
	p, ok := s.pages[r.URL.Path]
	switch {
	case !ok:
		http.NotFound(w, r)
	case n <= p.slow && !stall(r, cmp.Or(s.Slow, 5*time.Second)):
	case p.lag > 0 && !stall(r, p.lag):
	case n <= p.failures:
		if p.retryAfter > 0 {
			w.Header().Set("Retry-After", fmt.Sprint(p.retryAfter))
		}
		http.Error(w, "not now", p.failWith)
	case p.moved.href != "":
		w.Header().Set("Location", p.moved.href)
		w.WriteHeader(p.status)
	case p.kind != "":
		w.Header().Set("Content-Type", p.kind)
		io.WriteString(w, p.body)
	case p.status != 0:
		http.Error(w, http.StatusText(p.status), p.status)
	default:
		p.write(w)
	}
}

// stall waits and reports whether the client waited as well.
func stall(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// write makes the HTML page.
func (p sitePage) write(w http.ResponseWriter) {
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html><html><head><title>%s</title></head><body><h1>%s</h1>\n", p.path, p.path)
	for _, l := range p.links {
		switch {
		case strings.HasSuffix(l.href, ".css"):
			fmt.Fprintf(&b, "<link rel=stylesheet href=%q>\n", l.href)
		case strings.HasSuffix(l.href, ".png"):
			fmt.Fprintf(&b, "<img src=%q alt=''>\n", l.href)
		default:
			fmt.Fprintf(&b, "<p><a href=%q>%s</a></p>\n", l.href, l.href)
		}
	}
	b.WriteString(`<p><a href="mailto:nobody@example.com">mail</a> <a href="javascript:void(0)">nothing</a> <a name="end">end</a></p>`)
	b.WriteString("</body></html>\n")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	io.WriteString(w, b.String())
}

// Elsewhere is the other host that a Site links to: /ok is there, /no-head is
// there but refuses HEAD, everything else is missing.
func Elsewhere() http.Handler {
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<a href="/never">a page of another host is not crawled</a>`)
	}
	mux.HandleFunc("GET /ok", page)
	mux.HandleFunc("GET /no-head", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		page(w, r)
	})
	return mux
}
