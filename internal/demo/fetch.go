package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/floxrun/flox/pkg/flox"
)

const (
	userAgent = "flox-linkcheck/1.0"
	// maxBody is how much of a page is read.
	maxBody = 4 << 20
	// drained is how much of a body that nobody reads is taken off the
	// connection, so that it can be used again.
	drained = 4 << 10
	// fetchTimeout is above the longest timeout of two requests.
	fetchTimeout = (2*maxWaitMs + 10_000) * time.Millisecond
)

// keepRedirect makes a client return redirects instead of following them.
func keepRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// Fetch requests a URL and notes what came of it.
type Fetch struct {
	Client *http.Client // must not follow redirects
}

// Process merges the target's visit. Any answer below 500 but 429 is a result,
// also a 404; everything else is an error and tried again.
func (f *Fetch) Process(ctx *flox.Context[LinkState], t Target) (flox.Transition[Fetched], error) {
	v, err := f.visit(ctx, t)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err() // this attempt was ended from outside; it says nothing about the URL
	case err != nil:
		return nil, retryable(err, t.Patience, ctx.Attempt())
	}
	ctx.Merge(visited(v))
	return flox.Next(Fetched{URL: v.URL, Status: v.Status}), nil
}

// visited is the delta of one visit.
func visited(v Visit) LinkState {
	delta := LinkState{Fetched: 1, Links: flox.Sum(len(v.Links)), Visits: []Visit{v}}
	if v.Page {
		delta.Pages = 1
	}
	return delta
}

// giveUpOn notes a URL that failed for good. It joins like one that did not.
func giveUpOn(ctx *flox.Context[LinkState], f flox.Failure[Target]) (flox.Transition[Fetched], error) {
	v := Visit{URL: f.Input.URL, Depth: f.Input.Depth, Hops: f.Input.Hops, Err: f.Err.Message}
	v.Status = statusOf(v.Err)
	delta := visited(v)
	delta.Failures = 1
	ctx.Merge(delta)
	return flox.Next(Fetched{URL: v.URL, Status: v.Status}), nil
}

// visit requests t once; a target of another host at first with HEAD.
func (f *Fetch) visit(ctx context.Context, t Target) (Visit, error) {
	if !t.External {
		return f.request(ctx, http.MethodGet, t)
	}
	v, err := f.request(ctx, http.MethodHead, t)
	code := v.Status
	if e, ok := errors.AsType[*statusError](err); ok {
		code = e.code
	}
	if code >= 400 && code != http.StatusTooManyRequests {
		return f.request(ctx, http.MethodGet, t) // many servers mistreat HEAD
	}
	return v, err
}

func (f *Fetch) request(ctx context.Context, method string, t Target) (Visit, error) {
	ctx, cancel := context.WithTimeout(ctx, t.Patience.timeout())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, t.URL, nil)
	if err != nil {
		return Visit{}, flox.Permanent(err)
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "text/html,*/*;q=0.8")
	began := time.Now()
	resp, err := f.Client.Do(req)
	if err != nil {
		return Visit{}, plainError(err, t.Patience)
	}
	defer resp.Body.Close()
	v := Visit{URL: t.URL, Depth: t.Depth, Hops: t.Hops, Status: resp.StatusCode}
	if err := answer(&v, resp, t); err != nil {
		return Visit{}, plainError(err, t.Patience)
	}
	v.Ms = time.Since(began).Milliseconds()
	return v, nil
}

// answer fills a visit from what the server said.
func answer(v *Visit, resp *http.Response, t Target) error {
	code := resp.StatusCode
	if code >= 500 || code == http.StatusTooManyRequests {
		return &statusError{code: code, after: retryAfterHeader(resp.Header.Get("Retry-After"), time.Now())}
	}
	if location := resp.Header.Get("Location"); code >= 300 && code < 400 && location != "" {
		to, ok := normalise(resp.Request.URL, location)
		if !ok {
			v.Err = fmt.Sprintf("redirects to %.200q, which is no web address", location)
		}
		v.To = to
		return nil
	}
	if t.External || code >= 300 || !isHTML(resp.Header) {
		_, err := io.CopyN(io.Discard, resp.Body, drained)
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return err
	}
	v.Page, v.Links = true, pageLinks(resp.Request.URL, bytes.NewReader(body), t.Resources)
	return nil
}

func isHTML(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (kind == "text/html" || kind == "application/xhtml+xml")
}

// statusError is an answer that is worth another attempt.
type statusError struct {
	code  int
	after time.Duration // what the server asked to wait, zero for nothing
}

func (e *statusError) Error() string {
	return fmt.Sprintf("status %d %s", e.code, http.StatusText(e.code))
}

// statusOf is the status in the message of a statusError, else zero: a
// fallback knows only the message.
func statusOf(message string) int {
	var code int
	if _, err := fmt.Sscanf(message, "status %d", &code); err != nil {
		return 0
	}
	return code
}

// retryAfterHeader reads both forms of Retry-After: seconds, or a date.
func retryAfterHeader(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(value); err == nil && seconds >= 0 {
		return time.Duration(min(seconds, maxWaitMs)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// plainError says what went wrong without the URL, which is known, and marks
// what no retry can mend.
func plainError(err error, p Patience) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer within %v", p.timeout())
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok && e.IsNotFound {
		return flox.Permanent(err)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return flox.Permanent(err)
	}
	return err
}

// retryable makes err wait as the run's input wants, or permanent after the
// last attempt. A wait that the server did not ask for is drawn from the upper
// half of the back-off, so that the URLs of a level spread out.
func retryable(err error, p Patience, attempt int) error {
	if attempt >= p.Attempts {
		return flox.Permanent(err)
	}
	var asked time.Duration
	if e, ok := errors.AsType[*statusError](err); ok {
		asked = e.after
	}
	wait := p.backoff(attempt, asked)
	if asked == 0 {
		wait = wait/2 + rand.N(wait/2+1)
	}
	return flox.RetryAfter(wait, err)
}
